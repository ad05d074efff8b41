#include "portal/json_body.h"

#include <string.h>
#include <strings.h>

/* Parameters are passed over: JSON is UTF-8 whatever they say (RFC 8259 8.1). */
static bool is_json(const char *content_type)
{
    static const char wanted[] = "application/json";
    size_t length = sizeof(wanted) - 1;
    return content_type != NULL && strncasecmp(content_type, wanted, length) == 0 &&
           strchr("; ", content_type[length]) != NULL;
}

json_t *json_body_parse(const char *content_type, struct span body, enum refusal *ret_refusal)
{
    *ret_refusal = REFUSAL_MEDIA_TYPE;
    if (!is_json(content_type))
        return NULL;
    *ret_refusal = REFUSAL_BAD_REQUEST;
    json_t *object = json_loadb(body.data, body.length, JSON_REJECT_DUPLICATES, NULL);
    if (json_is_object(object))
        return object;
    json_decref(object);
    return NULL;
}

json_t *json_body_read(struct call *call)
{
    enum refusal refusal;
    json_t *object = json_body_parse(http_request_header(call->request, "Content-Type"),
                                     http_request_body(call->request), &refusal);
    if (object == NULL)
        answer_refusal(call, refusal, 0);
    return object;
}
