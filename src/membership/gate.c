#include "membership/gate.h"

#include <string.h>

#define DAY_S  INT64_C(86400)
#define HOUR_S INT64_C(3600)

/* One entry of the losses: when the last of them was, and how many. */
#define ENTRY_BYTES 12

static uint64_t number_at(const char *bytes, size_t count)
{
    uint64_t number = 0;
    for (size_t i = 0; i < count; i++)
        number |= (uint64_t)(unsigned char)bytes[i] << (8 * i);
    return number;
}

static void append_entry(struct buffer *out, int64_t at_s, uint64_t count)
{
    for (size_t i = 0; i < 8; i++)
        buffer_append_char(out, (char)((uint64_t)at_s >> (8 * i)));
    for (size_t i = 0; i < 4; i++)
        buffer_append_char(out, (char)(count >> (8 * i)));
}

static bool is_recent(int64_t at_s, int64_t now_s)
{
    return now_s - at_s < GATE_WINDOW_S;
}

size_t gate_recent_losses(struct span losses, int64_t now_s)
{
    size_t sum = 0;
    for (size_t at = 0; at + ENTRY_BYTES <= losses.length; at += ENTRY_BYTES)
        if (is_recent((int64_t)number_at(losses.data + at, 8), now_s))
            sum += number_at(losses.data + at + 8, 4);
    return sum;
}

/* Losses of one hour share an entry, so that there are never more than 25. */
void gate_note_losses(struct span losses, int64_t now_s, size_t count, struct buffer *ret)
{
    uint64_t this_hour = count;
    for (size_t at = 0; at + ENTRY_BYTES <= losses.length; at += ENTRY_BYTES) {
        int64_t at_s = (int64_t)number_at(losses.data + at, 8);
        uint64_t before = number_at(losses.data + at + 8, 4);
        if (at_s / HOUR_S == now_s / HOUR_S)
            this_hour += before;
        else if (is_recent(at_s, now_s))
            append_entry(ret, at_s, before);
    }
    if (this_hour != 0)
        append_entry(ret, now_s, this_hour < UINT32_MAX ? this_hour : UINT32_MAX);
}

static size_t share(size_t whole, unsigned percent, size_t at_least)
{
    size_t part = whole * percent / 100;
    return part > at_least ? part : at_least;
}

bool gate_holds_losses(const struct house *house, size_t live, size_t recent, size_t losses)
{
    return losses != 0 &&
           recent + losses > share(live + recent, house->max_removals_percent, GATE_MIN_REMOVALS);
}

bool gate_holds_additions(const struct house *house, size_t held, size_t additions,
                          bool is_first_fill)
{
    return !is_first_fill &&
           additions > share(held, house->max_additions_percent, GATE_MIN_ADDITIONS);
}

bool gate_trusts_clock(int64_t last_attempt_s, int64_t now_s)
{
    return last_attempt_s == 0 ||
           (now_s >= last_attempt_s && now_s - last_attempt_s <= GATE_CLOCK_AHEAD_S);
}

unsigned gate_listing_days(int64_t grace_s)
{
    int64_t days = grace_s / DAY_S;
    return days < GATE_GRACE_LISTING_DAYS ? (unsigned)days : GATE_GRACE_LISTING_DAYS;
}
