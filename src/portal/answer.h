/*
 * The answers that a call can have. Each goes out with the same security headers, and whatever is
 * not a file of the site is kept by nobody on the way (Cache-Control: no-store). The call is gone
 * afterwards.
 */
#ifndef LPALIAS_PORTAL_ANSWER_H
#define LPALIAS_PORTAL_ANSWER_H

#include <stdint.h>

#include <jansson.h>

#include "base/error.h"
#include "portal/call.h"
#include "portal/site_file.h"

/* What a request is refused for; the texts stand in answer.c. */
enum refusal {
    REFUSAL_BAD_REQUEST,
    REFUSAL_NOT_LOGGED_IN,
    REFUSAL_NOT_ADMIN,
    REFUSAL_FORGED, /* no CSRF token, or from another site */
    REFUSAL_NOT_FOUND,
    REFUSAL_METHOD,
    REFUSAL_MISDIRECTED, /* for another host */
    REFUSAL_MEDIA_TYPE,
    REFUSAL_TOO_OFTEN,
    REFUSAL_OUTDATED, /* somebody else changed it meanwhile */
    REFUSAL_FROZEN,
    REFUSAL_NOT_KNOWN, /* nothing is known here of who is logged in */
    REFUSAL_BANNED,
    REFUSAL_TARGET_INVALID,
    REFUSAL_TARGET_OURS,
    REFUSAL_TARGET_TOO_MANY,
    REFUSAL_TARGET_KNOWN,
    REFUSAL_LINK_INVALID,
    REFUSAL_NAME_MISMATCH,
    REFUSAL_INTERNAL,    /* our fault; logged by who decided */
    REFUSAL_UNAVAILABLE, /* cannot tell now */
    REFUSAL_COUNT,
};

/* Takes over body. */
void answer_json(struct call *call, unsigned status, json_t *body);

/*
 * JSON {"error": {"code", "message"}} for scripts, a plain page elsewhere. wait_s: of TOO_OFTEN and
 * UNAVAILABLE, for Retry-After; 0: none.
 */
void answer_refusal(struct call *call, enum refusal refusal, int64_t wait_s);

/* UNAVAILABLE; logs why. */
void answer_trouble(struct call *call, const struct error *error);

/* JSON that was written before. */
void answer_json_text(struct call *call, struct span text);

/* 204. */
void answer_nothing(struct call *call);

/* 303: location is a path of the site, or an address from the configuration and never a request's.
 */
void answer_redirect(struct call *call, const char *location);

/* A file of the site; 304 when the browser has it already. */
void answer_page(struct call *call, const struct site_file *page);

#endif
