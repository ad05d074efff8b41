/*
 * A file that is there as a whole or not at all: written beside its place under another name,
 * synced, and renamed. It never follows a symbolic link and takes the place of regular files only.
 */
#ifndef LPALIAS_TOOL_OUTPUT_FILE_H
#define LPALIAS_TOOL_OUTPUT_FILE_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/error.h"

/* Zeroed, with fd = -1, to begin with. */
struct output_file {
    char *path;
    char *directory;
    char *temporary_path; /* exists, empty at first, until it is renamed */
    int fd;               /* of it */
};

/*
 * Makes the temporary file, 0640 and of the group that a file at path has. ERROR_INVALID: path is
 * a symbolic link or no regular file; ERROR_TEMPORARY: the directory cannot be written.
 */
bool output_file_begin(struct output_file *file, const char *path, struct error *error) MUST_CHECK;

/* ERROR_TEMPORARY: disk. */
bool output_file_write(struct output_file *file, struct span bytes, struct error *error) MUST_CHECK;

/* Puts it in its place. ERROR_TEMPORARY: it cannot be synced or renamed. */
bool output_file_commit(struct output_file *file, struct error *error) MUST_CHECK;

/* Removes what was not committed. */
void output_file_finish(struct output_file *file);

#endif
