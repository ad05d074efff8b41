#include "tool/output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"

#define OUTPUT_MODE 0640

static bool cannot(const struct output_file *file, const char *what, struct error *error)
{
    return error_set(error, ERROR_TEMPORARY, "cannot %s %s: %s", what, file->path, strerror(errno));
}

/* What stands at path now; *ret_group is left alone if nothing does. */
static bool inspect_place(const struct output_file *file, gid_t *ret_group, struct error *error)
{
    struct stat status;
    if (lstat(file->path, &status) != 0)
        return errno == ENOENT || cannot(file, "look at", error);
    if (S_ISLNK(status.st_mode))
        return error_set(error, ERROR_INVALID, "%s is a symbolic link; name the file itself",
                         file->path);
    if (!S_ISREG(status.st_mode))
        return error_set(error, ERROR_INVALID, "%s is not a regular file", file->path);
    *ret_group = status.st_gid;
    return true;
}

static void name_files(struct output_file *file, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    file->path = memory_copy_text(path);
    file->directory = slash == NULL   ? memory_copy_text(".")
                      : slash == path ? memory_copy_text("/")
                                      : memory_copy_bytes(path, (size_t)(slash - path));
    if (asprintf(&file->temporary_path, "%s/.%s.XXXXXX", file->directory, name) < 0)
        abort();
}

bool output_file_begin(struct output_file *file, const char *path, struct error *error)
{
    gid_t group = (gid_t)-1;
    name_files(file, path);
    if (!inspect_place(file, &group, error))
        return false;
    file->fd = mkostemp(file->temporary_path, O_CLOEXEC);
    if (file->fd < 0)
        return cannot(file, "make", error);
    if (fchown(file->fd, (uid_t)-1, group) != 0)
        return cannot(file, "keep the group of", error);
    return fchmod(file->fd, OUTPUT_MODE) == 0 || cannot(file, "set the mode of", error);
}

bool output_file_write(struct output_file *file, struct span bytes, struct error *error)
{
    while (bytes.length != 0) {
        ssize_t written = write(file->fd, bytes.data, bytes.length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return cannot(file, "write", error);
        bytes = (struct span){bytes.data + written, bytes.length - (size_t)written};
    }
    return true;
}

bool output_file_commit(struct output_file *file, struct error *error)
{
    CLEANUP(file_close_at)
    int directory = open(file->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0 || fsync(file->fd) != 0)
        return cannot(file, "sync", error);
    if (rename(file->temporary_path, file->path) != 0)
        return cannot(file, "put in its place", error);
    file_close_at(&file->fd);
    return fsync(directory) == 0 || cannot(file, "sync the directory of", error);
}

void output_file_finish(struct output_file *file)
{
    if (file->fd >= 0)
        unlink(file->temporary_path);
    file_close_at(&file->fd);
    free(file->temporary_path);
    free(file->directory);
    free(file->path);
    *file = (struct output_file){.fd = -1};
}
