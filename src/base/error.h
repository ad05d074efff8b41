/*
 * What went wrong, in words, made where the facts are known. A function that can fail fills the
 * caller's struct error and returns false; whoever decides what to do about it logs it, once.
 */
#ifndef LPALIAS_BASE_ERROR_H
#define LPALIAS_BASE_ERROR_H

#include <stdbool.h>

#include "base/compiler.h"

enum error_kind {
    ERROR_NONE = 0,
    ERROR_INVALID,   /* what was given is wrong: the same call fails again */
    ERROR_TEMPORARY, /* cannot tell, or cannot do it now: disk, memory, network */
    ERROR_BUSY,      /* somebody else is doing it */
};

struct error {
    enum error_kind kind;
    char text[512]; /* one line without newline, cut with "..." when too long */
};

/* Fills error (may be NULL). Returns false, so that callers can `return error_set(...)`. */
bool error_set(struct error *error, enum error_kind kind, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* Puts "prefix: " in front of the text, for a caller who knows more. Returns false. */
bool error_prefix(struct error *error, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
