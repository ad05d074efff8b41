/* What a page sends with a request that changes something: one JSON object. */
#ifndef LPALIAS_PORTAL_JSON_BODY_H
#define LPALIAS_PORTAL_JSON_BODY_H

#include <jansson.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "portal/answer.h"
#include "portal/call.h"

/*
 * The object in body, which the caller drops. NULL: *ret_refusal is MEDIA_TYPE (content_type is not
 * JSON's, or NULL; a form of another site could not send that one) or BAD_REQUEST (no JSON, no
 * object, a name twice).
 */
json_t *json_body_parse(const char *content_type, struct span body,
                        enum refusal *ret_refusal) MUST_CHECK;

/* That of a call. NULL: the call was refused and is gone. */
json_t *json_body_read(struct call *call) MUST_CHECK;

#endif
