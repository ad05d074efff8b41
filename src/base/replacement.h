/*
 * A file that takes the place of another one, or of none, whole or not at all: it is written as
 * PATH.part beside it and renamed. A kill leaves a PATH.part behind, which the next one takes
 * away.
 */
#ifndef LPALIAS_BASE_REPLACEMENT_H
#define LPALIAS_BASE_REPLACEMENT_H

#include <stdbool.h>

#include "base/compiler.h"
#include "base/error.h"

/* Zeroed to begin with. */
struct replacement {
    char *path, *part_path;
    int fd; /* to be written to; 0600 until the caller gives it other rights */
};

/*
 * Begins a replacement of path. ERROR_BUSY: another process is at it; ERROR_TEMPORARY: PATH.part
 * cannot be made. To be dropped on every way out.
 */
bool replacement_begin(struct replacement *replacement, const char *path,
                       struct error *error) MUST_CHECK;

/* Puts the file in its place, on the disk. ERROR_TEMPORARY: it cannot be written or renamed. */
bool replacement_commit(struct replacement *replacement, struct error *error) MUST_CHECK;

/* Ends it; what was not committed is gone. */
void replacement_drop(struct replacement *replacement);

#endif
