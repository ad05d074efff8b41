/* Files and locks that more than one folder needs. */
#ifndef LPALIAS_BASE_FILE_H
#define LPALIAS_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/error.h"

/*
 * The whole file as NUL-terminated text; caller frees *ret_text. ERROR_INVALID: larger than
 * max_bytes, or holds a NUL; ERROR_TEMPORARY: cannot be opened or read.
 */
bool file_read(const char *path, size_t max_bytes, char **ret_text, size_t *ret_length,
               struct error *error) MUST_CHECK;

/*
 * The same into memory of the caller, with its NUL, for what must not be copied about. size is that
 * of the memory. The errors of file_read().
 */
bool file_read_into(const char *path, char *text, size_t size, size_t *ret_length,
                    struct error *error) MUST_CHECK;

/*
 * Takes an exclusive advisory lock on path, which is made if absent (mode 0660). The lock ends
 * with the descriptor or the process. ERROR_BUSY: another process holds it; ERROR_TEMPORARY:
 * the file cannot be opened.
 */
bool file_lock(const char *path, int *ret_fd, struct error *error) MUST_CHECK;

/* For CLEANUP() on an int: closes it unless it is negative. */
void file_close_at(int *fd);

#endif
