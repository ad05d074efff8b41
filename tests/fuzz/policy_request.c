#include "pieces.h"
#include "wire/policy.h"

static enum wire_result take(const char *data, size_t length, size_t *ret_consumed)
{
    struct policy_request request;
    return policy_take_request(data, length, &request, ret_consumed);
}

/* A value is one of a line "name=value" of the request, the last of that name. */
static void check_value(struct span request, const char *name, struct span value)
{
    struct buffer line = {0};
    struct buffer all = {0};
    buffer_append_char(&all, '\n');
    buffer_append(&all, request.data, request.length);
    buffer_appendf(&line, "\n%s=", name);
    const char *last = NULL;
    const char *end = all.data + all.length;
    for (const char *at = all.data;
         (at = memmem(at, (size_t)(end - at), line.data, line.length)) != NULL; at++)
        last = at + line.length;
    REQUIRE((last == NULL) == (value.data == NULL));
    if (last != NULL) {
        const char *newline = memchr(last, '\n', (size_t)(end - last));
        require_same(value, (struct span){last, (size_t)(newline - last)});
    }
    buffer_finish(&line);
    buffer_finish(&all);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const char *data = (const char *)bytes;
    pieces_check(take, data, size, POLICY_REQUEST_MAX_BYTES);

    struct policy_request request;
    size_t consumed;
    if (policy_take_request(data, size, &request, &consumed) != WIRE_COMPLETE)
        return 0;
    REQUIRE(request.request.length != 0);
    REQUIRE(memchr(data, '\0', consumed) == NULL);
    REQUIRE(consumed >= 2 && memcmp(data + consumed - 2, "\n\n", 2) == 0);
    struct span whole = {data, consumed};
    check_value(whole, "request", request.request);
    check_value(whole, "protocol_state", request.protocol_state);
    check_value(whole, "recipient", request.recipient);
    return 0;
}
