#include "pieces.h"
#include "wire/socketmap.h"

static enum wire_result take(const char *data, size_t length, size_t *ret_consumed)
{
    struct wire_reply reply;
    return socketmap_take_reply(data, length, &reply, ret_consumed);
}

/* Whatever text a lookup yields, a reply leaves that the other side takes; false says: as TEMP. */
static void answer_with(struct span text)
{
    for (enum wire_status status = WIRE_OK; status <= WIRE_PERM; status++) {
        struct buffer out = {0};
        bool sent = socketmap_append_reply(&out, status, text);
        struct wire_reply reply;
        size_t consumed;
        REQUIRE(socketmap_take_reply(out.data, out.length, &reply, &consumed) == WIRE_COMPLETE);
        REQUIRE(consumed == out.length);
        REQUIRE(reply.status == (sent ? status : WIRE_TEMP));
        if (sent && status != WIRE_NOTFOUND)
            require_same(reply.text, text);
        buffer_finish(&out);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const char *data = (const char *)bytes;
    pieces_check(take, data, size, WIRE_SOCKETMAP_REPLY_MAX_BYTES + 8);
    answer_with((struct span){data, size});

    struct wire_reply reply;
    size_t consumed;
    if (socketmap_take_reply(data, size, &reply, &consumed) != WIRE_COMPLETE)
        return 0;
    struct buffer again = {0};
    REQUIRE(socketmap_append_reply(&again, reply.status, reply.text));
    buffer_finish(&again);
    answer_with(reply.text);
    return 0;
}
