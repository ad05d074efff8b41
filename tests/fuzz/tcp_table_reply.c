#include "pieces.h"
#include "wire/tcp_table.h"

static struct buffer decoded;

static enum wire_result take(const char *data, size_t length, size_t *ret_consumed)
{
    struct wire_reply reply;
    return tcp_table_take_reply(data, length, &decoded, &reply, ret_consumed);
}

/* Whatever text a lookup yields, a line leaves that the other side takes; false says: as 400. */
static void answer_with(struct span text)
{
    for (enum wire_status status = WIRE_OK; status <= WIRE_PERM; status++) {
        struct buffer out = {0}, decoded_again = {0};
        bool sent = tcp_table_append_reply(&out, status, text);
        REQUIRE(out.length <= WIRE_TCP_TABLE_REPLY_MAX_BYTES);
        REQUIRE(memchr(out.data, '\n', out.length) == out.data + out.length - 1);
        struct wire_reply reply;
        size_t consumed;
        REQUIRE(tcp_table_take_reply(out.data, out.length, &decoded_again, &reply, &consumed) ==
                WIRE_COMPLETE);
        REQUIRE(reply.status == (sent && status != WIRE_PERM ? status : WIRE_TEMP));
        if (sent)
            require_same(reply.text, text);
        buffer_finish(&out);
        buffer_finish(&decoded_again);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const char *data = (const char *)bytes;
    pieces_check(take, data, size, WIRE_TCP_TABLE_REPLY_MAX_BYTES);
    answer_with((struct span){data, size});

    struct wire_reply reply;
    size_t consumed;
    if (tcp_table_take_reply(data, size, &decoded, &reply, &consumed) == WIRE_COMPLETE)
        answer_with(reply.text);
    buffer_finish(&decoded);
    return 0;
}
