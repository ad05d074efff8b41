/*
 * A clock that only the test moves: how often a file is looked at again depends on it. For tests
 * that are linked with -Wl,--wrap=timestamp_monotonic_ms.
 */
#ifndef LPALIAS_TESTS_UNIT_CLOCK_H
#define LPALIAS_TESTS_UNIT_CLOCK_H

#include <stdint.h>

#include "base/timestamp.h"

static int64_t clock_ms;

int64_t __wrap_timestamp_monotonic_ms(void);

int64_t __wrap_timestamp_monotonic_ms(void)
{
    return clock_ms;
}

#endif
