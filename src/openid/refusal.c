#include "openid/refusal.h"

#include <stdarg.h>
#include <stdio.h>

bool openid_refusal_set(struct openid_refusal *refusal, enum openid_refusal_reason reason,
                        const char *format, ...)
{
    char text[sizeof(refusal->error.text)];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    refusal->reason = reason;
    return error_set(&refusal->error,
                     reason == OPENID_REFUSAL_CANNOT_VERIFY ? ERROR_TEMPORARY : ERROR_INVALID, "%s",
                     text);
}

const char *openid_refusal_name(enum openid_refusal_reason reason)
{
    static const char *const names[] = {
        [OPENID_REFUSAL_NONE] = "none",
        [OPENID_REFUSAL_MALFORMED] = "malformed",
        [OPENID_REFUSAL_DUPLICATE] = "duplicate",
        [OPENID_REFUSAL_VERSION] = "version",
        [OPENID_REFUSAL_STATE] = "state",
        [OPENID_REFUSAL_MODE] = "mode",
        [OPENID_REFUSAL_PROVIDER_ERROR] = "provider-error",
        [OPENID_REFUSAL_RETURN_TO] = "return-to",
        [OPENID_REFUSAL_ENDPOINT] = "endpoint",
        [OPENID_REFUSAL_CLAIMED_ID] = "claimed-id",
        [OPENID_REFUSAL_MISSING] = "missing",
        [OPENID_REFUSAL_CONTROL_BYTE] = "control-byte",
        [OPENID_REFUSAL_UNSIGNED] = "unsigned",
        [OPENID_REFUSAL_UNSIGNED_ATTRIBUTE] = "unsigned-attribute",
        [OPENID_REFUSAL_CANNOT_VERIFY] = "cannot-verify",
        [OPENID_REFUSAL_SIGNATURE] = "signature",
        [OPENID_REFUSAL_NONCE_FORM] = "nonce-form",
        [OPENID_REFUSAL_NONCE_TIME] = "nonce-time",
        [OPENID_REFUSAL_NONCE_USED] = "nonce-used",
    };
    return names[reason];
}
