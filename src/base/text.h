/* Text in ASCII and UTF-8: lower-case, escape, validity, quantities with units. */
#ifndef LPALIAS_BASE_TEXT_H
#define LPALIAS_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/compiler.h"

/* A-Z to a-z in place; all other bytes are left alone, whatever the locale. */
void text_lower_ascii(char *text, size_t length);
char text_lower_ascii_char(char byte);

/* Well-formed UTF-8 without NUL (RFC 3629: no surrogates, no overlong forms). */
bool text_is_utf8(const char *text, size_t length) MUST_CHECK;

/*
 * Appends text so that it fits between double quotes on one line: quote and backslash get a
 * backslash, control bytes and bytes that are not UTF-8 become \xHH.
 */
void text_append_escaped(struct buffer *out, const char *text);

/*
 * Appends the bytes that text stands for where a percent sign and two hexadecimal digits are one
 * byte (RFC 3986 2.1) and, in a form, a plus sign is a blank (WHATWG URL 5.1); nothing is said of
 * what they are. False: a percent sign begins no encoding, and some may have been appended.
 */
enum text_plus { TEXT_PLUS_IS_PLUS, TEXT_PLUS_IS_BLANK };
bool text_append_percent_decoded(struct buffer *out, struct span text,
                                 enum text_plus plus) MUST_CHECK;

/*
 * "90", "10m", "2h", "1d", "250ms": a duration in milliseconds. Units: ms s m h d w; a bare
 * number is refused unless it is 0, as a unit is part of a value. False: not a duration, or
 * more than 10 000 days.
 */
bool text_parse_duration_ms(const char *text, int64_t *ret_ms) MUST_CHECK;

/* "64k", "16G": bytes. Units: b k M G T (either case), powers of 1024; a bare number only if 0. */
bool text_parse_bytes(const char *text, uint64_t *ret_bytes) MUST_CHECK;

/* A decimal number within [min, max], digits only. */
bool text_parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *ret) MUST_CHECK;

#endif
