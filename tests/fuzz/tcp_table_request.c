#include "pieces.h"
#include "wire/tcp_table.h"

static struct buffer decoded;

static enum wire_result take(const char *data, size_t length, size_t *ret_consumed)
{
    struct tcp_table_request request;
    return tcp_table_take_request(data, length, &decoded, &request, ret_consumed);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const char *data = (const char *)bytes;
    pieces_check(take, data, size, TCP_TABLE_REQUEST_MAX_BYTES);

    struct tcp_table_request request;
    size_t consumed;
    if (tcp_table_take_request(data, size, &decoded, &request, &consumed) == WIRE_COMPLETE &&
        request.verb == TCP_TABLE_GET) {
        REQUIRE(request.key.length <= WIRE_QUERY_MAX_BYTES);
        /* Hex digits may be of either case and bytes encoded without need: compare the keys. */
        struct buffer again = {0}, decoded_again = {0};
        REQUIRE(tcp_table_append_request(&again, request.key));
        struct tcp_table_request same;
        size_t consumed_again;
        REQUIRE(tcp_table_take_request(again.data, again.length, &decoded_again, &same,
                                       &consumed_again) == WIRE_COMPLETE);
        REQUIRE(consumed_again == again.length && again.length <= consumed);
        require_same(same.key, request.key);
        buffer_finish(&again);
        buffer_finish(&decoded_again);
    }
    buffer_finish(&decoded);
    return 0;
}
