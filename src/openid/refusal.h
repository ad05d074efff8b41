/* Why a login was refused: a reason to count and to act by, and words for the log. */
#ifndef LPALIAS_OPENID_REFUSAL_H
#define LPALIAS_OPENID_REFUSAL_H

#include "base/compiler.h"
#include "base/error.h"

/* In the order of the checks (facts 7.5). */
enum openid_refusal_reason {
    OPENID_REFUSAL_NONE = 0,
    OPENID_REFUSAL_MALFORMED,      /* no form, or over a limit of one */
    OPENID_REFUSAL_DUPLICATE,      /* an openid field twice, or openid fields in query and body */
    OPENID_REFUSAL_VERSION,        /* not OpenID 2.0 */
    OPENID_REFUSAL_STATE,          /* not of a login that this browser has begun */
    OPENID_REFUSAL_MODE,           /* none of the four modes */
    OPENID_REFUSAL_PROVIDER_ERROR, /* the provider says that it could not do it */
    OPENID_REFUSAL_RETURN_TO,      /* made for another place than the one it came to */
    OPENID_REFUSAL_ENDPOINT,       /* in the name of another provider */
    OPENID_REFUSAL_CLAIMED_ID,     /* no account of this provider */
    OPENID_REFUSAL_MISSING,        /* a field that must be there is not */
    OPENID_REFUSAL_CONTROL_BYTE,   /* a line break or the like, which can forge what was signed */
    OPENID_REFUSAL_UNSIGNED,       /* a field that must be signed is not */
    OPENID_REFUSAL_UNSIGNED_ATTRIBUTE, /* a field of an extension that the provider did not sign */
    OPENID_REFUSAL_CANNOT_VERIFY, /* no usable word of the provider; the login must begin anew */
    OPENID_REFUSAL_SIGNATURE,  /* the provider says that it did not sign this, or said so before */
    OPENID_REFUSAL_NONCE_FORM, /* no time in it, or not visible ASCII */
    OPENID_REFUSAL_NONCE_TIME, /* too old, or from the future */
    OPENID_REFUSAL_NONCE_USED, /* for whoever keeps the nonces: it was used before */
};

struct openid_refusal {
    enum openid_refusal_reason reason;
    /* ERROR_TEMPORARY of CANNOT_VERIFY, else ERROR_INVALID. No state, attribute or signature. */
    struct error error;
};

/* Fills refusal; returns false. */
bool openid_refusal_set(struct openid_refusal *refusal, enum openid_refusal_reason reason,
                        const char *format, ...) PRINTF_LIKE(3, 4);

/* "unsigned-attribute": the name of a reason, for logs and counters. */
const char *openid_refusal_name(enum openid_refusal_reason reason);

#endif
