/*
 * A file that takes the place of another one, or of none, whole or not at all: it is written as
 * PATH.part beside it and renamed. It takes the place of regular files only. A kill leaves a
 * PATH.part behind, which the next one takes away.
 */
#ifndef LPALIAS_BASE_REPLACEMENT_H
#define LPALIAS_BASE_REPLACEMENT_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/error.h"

/* Zeroed to begin with. */
struct replacement {
    char *path, *part_path;
    int fd;      /* to be written to; 0600 until the caller gives it other rights */
    gid_t group; /* of the file that stands at path; (gid_t)-1: none does */
};

/*
 * Begins a replacement of path. ERROR_INVALID: path is a symbolic link or no regular file;
 * ERROR_BUSY: another process is at it; ERROR_TEMPORARY: PATH.part cannot be made. To be dropped on
 * every way out.
 */
bool replacement_begin(struct replacement *replacement, const char *path,
                       struct error *error) MUST_CHECK;

/* Appends bytes. ERROR_TEMPORARY: they cannot be written. */
bool replacement_write(struct replacement *replacement, struct span bytes,
                       struct error *error) MUST_CHECK;

/* Puts the file in its place, on the disk. ERROR_TEMPORARY: it cannot be written or renamed. */
bool replacement_commit(struct replacement *replacement, struct error *error) MUST_CHECK;

/* Ends it; what was not committed is gone. */
void replacement_drop(struct replacement *replacement);

#endif
