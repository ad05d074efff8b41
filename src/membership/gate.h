/*
 * How much a refresh may change by itself. Losses of the last 24 hours count together, so that a
 * slow bleeding is noticed as a sudden one.
 */
#ifndef LPALIAS_MEMBERSHIP_GATE_H
#define LPALIAS_MEMBERSHIP_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "membership/house.h"
#include "store/record.h"

#define GATE_WINDOW_S           INT64_C(86400)
#define GATE_MIN_REMOVALS       2
#define GATE_MIN_ADDITIONS      20
#define GATE_CLOCK_AHEAD_S      (7 * INT64_C(86400))
#define GATE_GRACE_LISTING_DAYS 20

/* Losses that refreshes have applied since now_s - GATE_WINDOW_S, by domain_record.losses. */
size_t gate_recent_losses(struct span losses, int64_t now_s);

/* Appends losses as they are to be stored after count more at now_s; old ones drop out. */
void gate_note_losses(struct span losses, int64_t now_s, size_t count, struct buffer *ret);

/* live: live aliases of the domain before; recent: gate_recent_losses; held: names that have an
 * alias there or wait for one (active, leaving, pending, paused). */
bool gate_holds_losses(const struct house *house, size_t live, size_t recent, size_t losses);
bool gate_holds_additions(const struct house *house, size_t held, size_t additions,
                          bool is_first_fill);

/* False: the clock went back behind the last attempt, or lies more than 7 days ahead of it. */
bool gate_trusts_clock(int64_t last_attempt_s, int64_t now_s);

/* On so many different days the absence must have been seen before a grace of grace_s ends. */
unsigned gate_listing_days(int64_t grace_s);

#endif
