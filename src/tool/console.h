/* Talking to the operator: problems on standard error, questions on a terminal. */
#ifndef LPALIAS_TOOL_CONSOLE_H
#define LPALIAS_TOOL_CONSOLE_H

#include <stdbool.h>

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

#endif
