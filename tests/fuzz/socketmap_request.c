#include "pieces.h"
#include "wire/socketmap.h"

static enum wire_result take(const char *data, size_t length, size_t *ret_consumed)
{
    struct socketmap_request request;
    return socketmap_take_request(data, length, &request, ret_consumed);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const char *data = (const char *)bytes;
    pieces_check(take, data, size, WIRE_QUERY_MAX_BYTES + 7);

    struct socketmap_request request;
    size_t consumed;
    if (socketmap_take_request(data, size, &request, &consumed) != WIRE_COMPLETE)
        return 0;
    struct buffer again = {0};
    REQUIRE(socketmap_append_request(&again, request.map, request.key));
    require_same((struct span){again.data, again.length}, (struct span){data, consumed});
    buffer_finish(&again);
    return 0;
}
