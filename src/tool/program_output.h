/* What another program prints. */
#ifndef LPALIAS_TOOL_PROGRAM_OUTPUT_H
#define LPALIAS_TOOL_PROGRAM_OUTPUT_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/error.h"

#define PROGRAM_OUTPUT_MAX_BYTES ((size_t)64 << 20)

/*
 * Runs words[0] (NULL-terminated), looked for in the path and where Postfix has its own, without
 * standard input. Appends what it prints to out. ERROR_TEMPORARY: it cannot be run, ended with
 * another status than 0, which is told with its last message, or printed too much. Its messages are
 * dropped otherwise.
 */
bool program_output_read(const char *const *words, struct buffer *out,
                         struct error *error) MUST_CHECK;

#endif
