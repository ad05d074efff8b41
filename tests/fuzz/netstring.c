#include "wire/netstring.h"
#include "pieces.h"

static size_t max_bytes;

static enum wire_result take(const char *data, size_t length, size_t *ret_consumed)
{
    struct span payload;
    return netstring_take(data, length, max_bytes, &payload, ret_consumed);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const struct {
        size_t max_bytes;
        size_t max_frame_bytes; /* digits, colon, payload, comma */
    } limits[] = {{0, 3}, {20, 24}, {10000, 10007}};
    const char *data = (const char *)bytes;
    for (size_t i = 0; i < ARRAY_LENGTH(limits); i++) {
        max_bytes = limits[i].max_bytes;
        pieces_check(take, data, size, limits[i].max_frame_bytes);

        struct span payload;
        size_t consumed;
        if (netstring_take(data, size, max_bytes, &payload, &consumed) != WIRE_COMPLETE)
            continue;
        REQUIRE(payload.length <= max_bytes);
        struct buffer again = {0};
        netstring_append(&again, payload);
        require_same((struct span){again.data, again.length}, (struct span){data, consumed});
        buffer_finish(&again);
    }
    return 0;
}
