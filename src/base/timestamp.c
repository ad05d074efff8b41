#include "base/timestamp.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

int64_t timestamp_now_s(void)
{
    return (int64_t)time(NULL);
}

int64_t timestamp_monotonic_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t timestamp_monotonic_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

const char *timestamp_format(int64_t at_s, char text[TIMESTAMP_TEXT_BYTES])
{
    time_t at = (time_t)at_s;
    struct tm parts;
    if (gmtime_r(&at, &parts) == NULL ||
        strftime(text, TIMESTAMP_TEXT_BYTES, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
        memcpy(text, "?", 2);
    return text;
}

/* Exactly count digits at *at as a number within [min, max]; moves *at behind them. */
static bool take_digits(const char **at, int count, int min, int max, int *ret)
{
    int number = 0;
    for (int i = 0; i < count; i++) {
        char digit = (*at)[i];
        if (digit < '0' || digit > '9')
            return false;
        number = number * 10 + (digit - '0');
    }
    *at += count;
    *ret = number;
    return number >= min && number <= max;
}

static bool take_char(const char **at, char wanted)
{
    if (**at != wanted)
        return false;
    (*at)++;
    return true;
}

static bool take_fraction_us(const char **at, int64_t *ret_us)
{
    *ret_us = 0;
    if (**at != '.')
        return true;
    (*at)++;
    int digits = 0;
    for (; **at >= '0' && **at <= '9' && digits < 6; (*at)++, digits++)
        *ret_us = *ret_us * 10 + (**at - '0');
    bool some = digits > 0;
    for (; digits < 6; digits++)
        *ret_us *= 10;
    return some;
}

static bool take_offset_s(const char **at, int *ret_s)
{
    *ret_s = 0;
    if (take_char(at, 'Z'))
        return true;
    int sign = **at == '-' ? -1 : 1;
    int hours, minutes;
    if (!take_char(at, '+') && !take_char(at, '-'))
        return false;
    if (!take_digits(at, 2, 0, 23, &hours) || !take_char(at, ':') ||
        !take_digits(at, 2, 0, 59, &minutes))
        return false;
    *ret_s = sign * (hours * 3600 + minutes * 60);
    return true;
}

bool timestamp_parse_iso_us(const char *text, int64_t *ret_us)
{
    struct tm parts = {0};
    const char *at = text;
    int64_t fraction_us;
    int offset_s;
    if (!take_digits(&at, 4, 1970, 9999, &parts.tm_year) || !take_char(&at, '-') ||
        !take_digits(&at, 2, 1, 12, &parts.tm_mon) || !take_char(&at, '-') ||
        !take_digits(&at, 2, 1, 31, &parts.tm_mday) || !take_char(&at, 'T') ||
        !take_digits(&at, 2, 0, 23, &parts.tm_hour) || !take_char(&at, ':') ||
        !take_digits(&at, 2, 0, 59, &parts.tm_min) || !take_char(&at, ':') ||
        !take_digits(&at, 2, 0, 60, &parts.tm_sec) || !take_fraction_us(&at, &fraction_us) ||
        !take_offset_s(&at, &offset_s) || *at != '\0')
        return false;
    parts.tm_year -= 1900;
    parts.tm_mon -= 1;
    *ret_us = ((int64_t)timegm(&parts) - offset_s) * 1000000 + fraction_us;
    return true;
}

const char *timestamp_format_age(int64_t age_s, char text[32])
{
    static const struct {
        int64_t seconds;
        const char *unit;
    } units[] = {{86400, "day"}, {3600, "hour"}, {60, "minute"}, {1, "second"}};
    for (size_t i = 0; i < ARRAY_LENGTH(units); i++) {
        int64_t count = age_s / units[i].seconds;
        if (count < 1)
            continue;
        snprintf(text, 32, "%" PRId64 " %s%s", count, units[i].unit, count == 1 ? "" : "s");
        return text;
    }
    return strcpy(text, "just now");
}
