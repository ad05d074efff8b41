/* What an operator hands over: a file or standard input. */
#ifndef LPALIAS_TOOL_INPUT_H
#define LPALIAS_TOOL_INPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/error.h"

/*
 * All of the file, or of standard input if path is "-", as NUL-terminated text; caller frees.
 * Errors as file_read.
 */
bool input_read(const char *path, size_t max_bytes, char **ret_text, size_t *ret_length,
                struct error *error) MUST_CHECK;

/*
 * The words of standard input, between blanks or lines; borrowed from *ret_text, and the caller
 * frees both. Errors as file_read.
 */
bool input_read_words(size_t max_bytes, char **ret_text, const char ***ret_words, size_t *ret_count,
                      struct error *error) MUST_CHECK;

#endif
