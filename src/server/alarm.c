#include "server/alarm.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/log.h"
#include "base/timestamp.h"

enum { SILENCE_MS = 60 * 1000 };

void alarm_raise(struct alarm *alarm, const char *format, ...)
{
    int64_t now_ms = timestamp_monotonic_ms();
    if (now_ms < alarm->silent_until_ms) {
        alarm->held_back++;
        return;
    }
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (alarm->held_back > 0)
        log_warning("%s (%" PRIu64 " times more since this was last written)", text,
                    alarm->held_back);
    else
        log_warning("%s", text);
    alarm->silent_until_ms = now_ms + SILENCE_MS;
    alarm->held_back = 0;
}
