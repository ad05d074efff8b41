/* Points in time: seconds (_s) or microseconds (_us) since 1970-01-01 00:00 UTC. */
#ifndef LPALIAS_BASE_TIMESTAMP_H
#define LPALIAS_BASE_TIMESTAMP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

/*
 * The wall clock. Programs ask; what decides takes now_s as an argument. Below them only the note
 * that a cache has gone back (store/generation.h) asks for itself.
 */
int64_t timestamp_now_s(void);

/* A clock that never goes back, in milliseconds, for measuring how long something took. */
int64_t timestamp_monotonic_ms(void);

/* The same in nanoseconds. */
int64_t timestamp_monotonic_ns(void);

/* "2026-11-22T10:00:00Z"; text must hold TIMESTAMP_TEXT_BYTES. Returns text. */
#define TIMESTAMP_TEXT_BYTES 24
const char *timestamp_format(int64_t at_s, char text[TIMESTAMP_TEXT_BYTES]);

/*
 * Launchpad's date form: "2005-06-06T08:59:51.596025+00:00", the fraction (1 to 6 digits) absent
 * if zero, offset "+HH:MM", "-HH:MM" or "Z". False if it is anything else.
 */
bool timestamp_parse_iso_us(const char *text, int64_t *ret_us) MUST_CHECK;

/* "just now", "3 minutes", "2 hours", "5 days": an age for people; text holds 32 bytes. */
const char *timestamp_format_age(int64_t age_s, char text[32]);

#endif
