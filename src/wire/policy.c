#include "wire/policy.h"

#include <string.h>

static const char reply_start[] = "action=";

/* False: not an attribute. */
static bool take_attribute(struct span line, struct policy_request *request)
{
    const char *equals = memchr(line.data, '=', line.length);
    if (equals == NULL || equals == line.data || memchr(line.data, '\0', line.length) != NULL)
        return false;
    struct span name = {line.data, (size_t)(equals - line.data)};
    struct span value = {equals + 1, line.length - name.length - 1};
    if (span_is_text(name, "request"))
        request->request = value;
    else if (span_is_text(name, "protocol_state"))
        request->protocol_state = value;
    else if (span_is_text(name, "recipient"))
        request->recipient = value;
    return true;
}

enum wire_result policy_take_request(const char *data, size_t length, struct policy_request *ret,
                                     size_t *ret_consumed)
{
    struct policy_request request = {0};
    size_t searched = length < POLICY_REQUEST_MAX_BYTES ? length : POLICY_REQUEST_MAX_BYTES;
    size_t at = 0;
    while (at < searched) {
        const char *newline = memchr(data + at, '\n', searched - at);
        if (newline == NULL)
            break;
        struct span line = {data + at, (size_t)(newline - (data + at))};
        at += line.length + 1;
        if (line.length == 0) {
            if (request.request.length == 0)
                return WIRE_BAD;
            *ret = request;
            *ret_consumed = at;
            return WIRE_COMPLETE;
        }
        if (!take_attribute(line, &request))
            return WIRE_BAD;
    }
    return length < POLICY_REQUEST_MAX_BYTES ? WIRE_NEED_MORE : WIRE_BAD;
}

size_t policy_begin_reply(struct buffer *out)
{
    size_t mark = out->length;
    buffer_append_text(out, reply_start);
    return mark;
}

bool policy_end_reply(struct buffer *out, size_t mark)
{
    size_t start = mark + strlen(reply_start);
    bool is_fine = wire_is_sendable(WIRE_OK, (struct span){out->data + start, out->length - start});
    if (!is_fine) {
        out->length = start;
        buffer_append_text(out, "DUNNO");
    }
    buffer_append_text(out, "\n\n");
    return is_fine;
}
