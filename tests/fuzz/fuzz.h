/*
 * What every fuzz target includes. A target is one LLVMFuzzerTestOneInput; it is linked with
 * replay_main.c in every build and with libFuzzer by tests/fuzz/run.
 */
#ifndef LPALIAS_TESTS_FUZZ_H
#define LPALIAS_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/compiler.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An assert() that no build leaves out. */
#define REQUIRE(condition)                                                                 \
    do {                                                                                   \
        if (!(condition)) {                                                                \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition); \
            abort();                                                                       \
        }                                                                                  \
    } while (0)

static inline void require_same(struct span one, struct span other)
{
    REQUIRE(one.length == other.length);
    REQUIRE(one.length == 0 || memcmp(one.data, other.data, one.length) == 0);
}

#endif
