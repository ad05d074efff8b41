/*
 * What a server gives up once it has all it needs: from there on it opens no files but those below
 * the named directories, reaches no network, makes no system calls but the named ones, gains no
 * privileges and leaves no core. It lasts until the process ends.
 */
#ifndef LPALIAS_SANDBOX_SANDBOX_H
#define LPALIAS_SANDBOX_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"

enum sandbox_right {
    SANDBOX_READ = 1,   /* open files to read, list directories */
    SANDBOX_WRITE = 2,  /* make and open files to write; the modes of the files say which */
    SANDBOX_REMOVE = 4, /* remove files and sockets */
};

/*
 * A directory with all below it. By directory and not by file, so that a file may be replaced. Of
 * one that is not there the next one above counts.
 */
struct sandbox_directory {
    const char *path;
    unsigned rights; /* of enum sandbox_right */
};

struct sandbox_settings {
    const struct sandbox_directory *directories;
    size_t directory_count;
    /*
     * System calls by name, NULL behind the last, besides those of sandbox/server_calls.h; or NULL.
     * What another kind of processor does not have is
     * passed over. Of some only a harmless part is allowed: socket() in the unix family, mmap() and
     * mprotect() without PROT_EXEC, ioctl() for the bytes that wait, tgkill() of the own process,
     * clone() of a thread.
     */
    const char *const *further_calls;
    bool may_connect; /* to other hosts: socket() in all families, then */
};

/*
 * Confines the process, which must have one thread. Goes on where a part cannot be had, as a server
 * without it is better than none: missing then says in words what is missing, and why, and is empty
 * if all is there.
 */
void sandbox_enter(const struct sandbox_settings *settings, struct buffer *missing);

#endif
