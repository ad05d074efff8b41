#include "base/replacement.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"

/* Whoever waited for the lock may hold a file that was renamed meanwhile. */
static bool is_still_named(int fd, const char *path)
{
    struct stat opened, named;
    if (fstat(fd, &opened) == 0 && lstat(path, &named) == 0 && opened.st_dev == named.st_dev &&
        opened.st_ino == named.st_ino)
        return true;
    errno = EWOULDBLOCK;
    return false;
}

/*
 * Always a file of our own: one that a killed process left, or a stranger laid there with a link to
 * another or to keep it open, is taken away and not written into. -1: errno says why, EWOULDBLOCK
 * that another process is at it.
 */
static int make_part(const char *path)
{
    const int flags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC;
    int fd = open(path, flags, 0600);
    if (fd >= 0 || errno != EEXIST)
        return fd;
    CLEANUP(file_close_at) int left = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (left < 0 || flock(left, LOCK_EX | LOCK_NB) != 0 || !is_still_named(left, path) ||
        unlink(path) != 0)
        return -1;
    return open(path, flags, 0600);
}

/* A device or a link is not put out of its place. */
static bool inspect_place(const char *path, gid_t *ret_group, struct error *error)
{
    struct stat status;
    *ret_group = (gid_t)-1;
    if (lstat(path, &status) != 0)
        return errno == ENOENT ||
               error_set(error, ERROR_TEMPORARY, "cannot look at %s: %s", path, strerror(errno));
    if (S_ISLNK(status.st_mode))
        return error_set(error, ERROR_INVALID, "%s is a symbolic link; name the file itself", path);
    if (!S_ISREG(status.st_mode))
        return error_set(error, ERROR_INVALID, "%s is not a regular file", path);
    *ret_group = status.st_gid;
    return true;
}

bool replacement_begin(struct replacement *replacement, const char *path, struct error *error)
{
    if (!inspect_place(path, &replacement->group, error))
        return false;
    replacement->path = memory_copy_text(path);
    if (asprintf(&replacement->part_path, "%s.part", path) < 0)
        abort();
    replacement->fd = make_part(replacement->part_path);
    if (replacement->fd >= 0 && flock(replacement->fd, LOCK_EX | LOCK_NB) == 0 &&
        is_still_named(replacement->fd, replacement->part_path) &&
        fchmod(replacement->fd, 0600) == 0)
        return true;
    int failure = errno;
    file_close_at(&replacement->fd);
    if (failure == EWOULDBLOCK)
        error_set(error, ERROR_BUSY, "another process is writing %s", path);
    else
        error_set(error, ERROR_TEMPORARY, "cannot make %s: %s", replacement->part_path,
                  strerror(failure));
    replacement_drop(replacement);
    return false;
}

bool replacement_write(struct replacement *replacement, struct span bytes, struct error *error)
{
    while (bytes.length != 0) {
        ssize_t written = write(replacement->fd, bytes.data, bytes.length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return error_set(error, ERROR_TEMPORARY, "cannot write %s: %s", replacement->part_path,
                             strerror(errno));
        bytes = (struct span){bytes.data + written, bytes.length - (size_t)written};
    }
    return true;
}

/* The new name is on the disk once its directory is. */
static bool sync_directory(const char *path)
{
    CLEANUP(memory_free_at) char *directory = memory_copy_text(path);
    char *slash = strrchr(directory, '/');
    if (slash != NULL)
        slash[slash == directory] = '\0';
    CLEANUP(file_close_at)
    int fd = open(slash != NULL ? directory : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd >= 0 && fsync(fd) == 0;
}

bool replacement_commit(struct replacement *replacement, struct error *error)
{
    if (fsync(replacement->fd) != 0 || rename(replacement->part_path, replacement->path) != 0)
        return error_set(error, ERROR_TEMPORARY, "cannot write %s: %s", replacement->path,
                         strerror(errno));
    file_close_at(&replacement->fd);
    return sync_directory(replacement->path) ||
           error_set(error, ERROR_TEMPORARY, "cannot sync the directory of %s: %s",
                     replacement->path, strerror(errno));
}

void replacement_drop(struct replacement *replacement)
{
    if (replacement->part_path != NULL && replacement->fd > 0)
        unlink(replacement->part_path);
    if (replacement->fd > 0)
        file_close_at(&replacement->fd);
    free(replacement->path);
    free(replacement->part_path);
    *replacement = (struct replacement){0};
}
