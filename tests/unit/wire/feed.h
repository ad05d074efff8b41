/* Bytes come in pieces: feeds a parser every prefix of its input. */
#ifndef LPALIAS_TESTS_WIRE_FEED_H
#define LPALIAS_TESTS_WIRE_FEED_H

#include <stdlib.h>
#include <string.h>

#include "../unit.h"
#include "wire/frame.h"

/* A parser without its values. */
typedef enum wire_result feed_take(const char *data, size_t length, size_t *ret_consumed);

static inline enum wire_result feed_prefix(feed_take *take, struct span input, size_t length,
                                           size_t *ret_consumed)
{
    /* Memory of exactly that size, so that a sanitizer sees a read past the end. */
    char *prefix = malloc(length != 0 ? length : 1);
    assert_non_null(prefix);
    if (length != 0)
        memcpy(prefix, input.data, length);
    enum wire_result result = take(prefix, length, ret_consumed);
    free(prefix);
    return result;
}

/*
 * Checks that every prefix is WIRE_NEED_MORE up to where the wanted result shows: WIRE_COMPLETE
 * exactly where the frame ends and from there on, WIRE_BAD from the byte that spoils it on.
 */
static inline void feed_byte_by_byte(feed_take *take, struct span input, enum wire_result wanted,
                                     size_t wanted_consumed)
{
    enum wire_result before = WIRE_NEED_MORE;
    for (size_t length = 0; length <= input.length; length++) {
        const size_t untouched = (size_t)-1;
        size_t consumed = untouched;
        enum wire_result result = feed_prefix(take, input, length, &consumed);
        if (before != WIRE_NEED_MORE)
            assert_int_equal(result, before);
        if (result == WIRE_COMPLETE) {
            assert_true(length >= wanted_consumed);
            assert_int_equal(consumed, wanted_consumed);
        } else {
            assert_true(consumed == untouched);
            assert_true(wanted != WIRE_COMPLETE || length < wanted_consumed);
        }
        before = result;
    }
    assert_int_equal(before, wanted);
}

/* count bytes, borrowed until the next call. */
static inline const char *feed_fill(char byte, size_t count)
{
    static char bytes[200000];
    assert_true(count < sizeof(bytes));
    memset(bytes, byte, count);
    bytes[count] = '\0';
    return bytes;
}

static inline void assert_span(struct span got, struct span wanted)
{
    assert_int_equal(got.length, wanted.length);
    if (wanted.length != 0)
        assert_memory_equal(got.data, wanted.data, wanted.length);
}

#define SPAN(literal)                \
    {                                \
        literal, sizeof(literal) - 1 \
    }

#endif
