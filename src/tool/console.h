/* Talking to the operator: problems on standard error, questions on a terminal. */
#ifndef LPALIAS_TOOL_CONSOLE_H
#define LPALIAS_TOOL_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/compiler.h"

/* "lpalias: text" on standard error; control bytes in it are escaped. */
void console_complain(const char *format, ...) PRINTF_LIKE(1, 2);

/* A line on standard error as it is, with control bytes escaped: "FILE:LINE: text". */
void console_remark(const char *format, ...) PRINTF_LIKE(1, 2);

/* A line "title   text" on standard output; control bytes in text are escaped. */
void console_print_field(const char *title, const char *text);

/*
 * Appends text for a place that is not between quotes: as text_append_escaped, but quotes and
 * backslashes stay as they are.
 */
void console_append_visible(struct buffer *out, const char *text);

/* Can the operator be asked? */
bool console_is_interactive(void) MUST_CHECK;

/* Asks on the terminal; true after "y" or "yes". */
bool console_ask(const char *question) MUST_CHECK;

/*
 * What takes more than a second tells how far it is, on a line of the terminal that is taken away
 * again; nothing is written when standard error is none.
 */
struct console_progress {
    const char *what; /* "aliases read" */
    int64_t begun_ms, shown_ms;
    bool is_shown;
};
void console_progress_begin(struct console_progress *progress, const char *what);
void console_progress_step(struct console_progress *progress, size_t count);
void console_progress_end(struct console_progress *progress);

#endif
