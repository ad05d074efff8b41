/*
 * A warning that many requests may cause: it is logged at once, then at most once a minute with
 * the number of those held back.
 */
#ifndef LPALIAS_SERVER_ALARM_H
#define LPALIAS_SERVER_ALARM_H

#include <stdint.h>

#include "base/compiler.h"

/* Zeroed: never raised. */
struct alarm {
    int64_t silent_until_ms; /* monotonic */
    uint64_t held_back;
};

/* Logs the text as a warning, or counts it. The text should not depend on the request. */
void alarm_raise(struct alarm *alarm, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
