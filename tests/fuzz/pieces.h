/* What holds for every parser of frames, however the bytes are cut. */
#ifndef LPALIAS_TESTS_FUZZ_PIECES_H
#define LPALIAS_TESTS_FUZZ_PIECES_H

#include "fuzz.h"
#include "wire/frame.h"

/* A parser without its values. */
typedef enum wire_result pieces_take(const char *data, size_t length, size_t *ret_consumed);

static inline enum wire_result pieces_take_prefix(pieces_take *take, const char *data,
                                                  size_t length)
{
    /* Memory of exactly that size, so that a sanitizer sees a read past the end. */
    char *prefix = malloc(length != 0 ? length : 1);
    REQUIRE(prefix != NULL);
    if (length != 0)
        memcpy(prefix, data, length);
    size_t consumed;
    enum wire_result result = take(prefix, length, &consumed);
    REQUIRE(result != WIRE_COMPLETE || (consumed != 0 && consumed <= length));
    free(prefix);
    return result;
}

/*
 * A frame is complete at its last byte and not before; what is incomplete may still fit into
 * max_frame_bytes; what is bad was never complete.
 */
static inline void pieces_check(pieces_take *take, const char *data, size_t size,
                                size_t max_frame_bytes)
{
    size_t consumed = 0;
    enum wire_result result = take(data, size, &consumed);
    size_t cuts[] = {0, size / 3, size / 2, size - (size != 0), size};
    switch (result) {
    case WIRE_COMPLETE:
        REQUIRE(consumed != 0 && consumed <= size && consumed <= max_frame_bytes);
        REQUIRE(pieces_take_prefix(take, data, consumed - 1) == WIRE_NEED_MORE);
        REQUIRE(pieces_take_prefix(take, data, consumed) == WIRE_COMPLETE);
        break;
    case WIRE_NEED_MORE:
        REQUIRE(size < max_frame_bytes);
        for (size_t i = 0; i < ARRAY_LENGTH(cuts); i++)
            REQUIRE(pieces_take_prefix(take, data, cuts[i]) == WIRE_NEED_MORE);
        break;
    case WIRE_BAD:
        for (size_t i = 0; i < ARRAY_LENGTH(cuts); i++)
            REQUIRE(pieces_take_prefix(take, data, cuts[i]) != WIRE_COMPLETE);
        break;
    }
}

#endif
