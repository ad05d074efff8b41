#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/buffer.h"

void file_close_at(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static bool read_all(int fd, const char *path, size_t max_bytes, struct buffer *out,
                     struct error *error)
{
    for (;;) {
        buffer_reserve(out, 4096);
        ssize_t got = read(fd, out->data + out->length, 4096);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_set(error, ERROR_TEMPORARY, "cannot read %s: %s", path, strerror(errno));
        if (got == 0)
            return true;
        out->length += (size_t)got;
        if (out->length > max_bytes)
            return error_set(error, ERROR_INVALID, "%s is larger than %zu bytes", path, max_bytes);
    }
}

bool file_read(const char *path, size_t max_bytes, char **ret_text, size_t *ret_length,
               struct error *error)
{
    CLEANUP(file_close_at) int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_set(error, ERROR_TEMPORARY, "cannot open %s: %s", path, strerror(errno));
    struct buffer content = {0};
    if (!read_all(fd, path, max_bytes, &content, error)) {
        buffer_finish(&content);
        return false;
    }
    buffer_text(&content);
    if (memchr(content.data, '\0', content.length) != NULL) {
        buffer_finish(&content);
        return error_set(error, ERROR_INVALID, "%s holds a NUL byte, so it is not text", path);
    }
    *ret_text = content.data;
    *ret_length = content.length;
    return true;
}

bool file_read_into(const char *path, char *text, size_t size, size_t *ret_length,
                    struct error *error)
{
    CLEANUP(file_close_at) int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_set(error, ERROR_TEMPORARY, "cannot open %s: %s", path, strerror(errno));
    size_t length = 0;
    while (length < size) {
        ssize_t got = read(fd, text + length, size - length);
        if (got < 0 && errno != EINTR)
            return error_set(error, ERROR_TEMPORARY, "cannot read %s: %s", path, strerror(errno));
        if (got == 0)
            break;
        length += got > 0 ? (size_t)got : 0;
    }
    if (length == size)
        return error_set(error, ERROR_INVALID, "%s is larger than %zu bytes", path, size - 1);
    if (memchr(text, '\0', length) != NULL)
        return error_set(error, ERROR_INVALID, "%s holds a NUL byte, so it is not text", path);
    text[length] = '\0';
    *ret_length = length;
    return true;
}

bool file_lock(const char *path, int *ret_fd, struct error *error)
{
    CLEANUP(file_close_at) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0660);
    if (fd < 0)
        return error_set(error, ERROR_TEMPORARY, "cannot open lock file %s: %s", path,
                         strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) != 0)
        return errno == EWOULDBLOCK
                   ? error_set(error, ERROR_BUSY, "%s is locked by another process", path)
                   : error_set(error, ERROR_TEMPORARY, "cannot lock %s: %s", path, strerror(errno));
    *ret_fd = fd;
    fd = -1;
    return true;
}
