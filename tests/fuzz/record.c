/* The decoders of the cache's records: what one accepts is what its encoder writes. */
#include "store/record.h"
#include "fuzz.h"

/* Encoders leave the generation to the writer; an older layout is written as the newest one. */
static void require_encoded(struct buffer *again, struct span bytes, struct record_stamp stamp)
{
    record_set_generation(again->data, stamp.generation);
    if (stamp.layout == RECORD_LAYOUT_VERSION)
        require_same((struct span){again->data, again->length}, bytes);
    buffer_clear(again);
}

#define ROUND_TRIP(name)                                  \
    do {                                                  \
        struct name record;                               \
        if (name##_decode(bytes, &record)) {              \
            name##_encode(&again, &record);               \
            require_encoded(&again, bytes, record.stamp); \
        }                                                 \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span bytes = {(const char *)data, size};
    struct buffer again = {0};
    ROUND_TRIP(alias_record);
    ROUND_TRIP(person_record);
    ROUND_TRIP(membership_record);
    ROUND_TRIP(domain_record);
    ROUND_TRIP(event_record);
    ROUND_TRIP(run_record);
    ROUND_TRIP(keys_record);
    buffer_finish(&again);
    return 0;
}
