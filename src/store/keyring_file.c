#include "store/keyring_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/replacement.h"
#include "store/keyring.h"

bool keyring_file_lock(const char *path, int *ret_fd, struct error *error)
{
    CLEANUP(memory_free_at) char *directory = memory_copy_text(path);
    char *slash = strrchr(directory, '/');
    if (slash != NULL)
        slash[slash == directory] = '\0';
    const char *name = slash != NULL ? directory : ".";
    CLEANUP(file_close_at) int fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return error_set(error, ERROR_TEMPORARY, "cannot open %s: %s", name, strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) != 0)
        return errno == EWOULDBLOCK
                   ? error_set(error, ERROR_BUSY, "another command is changing the keys of %s",
                               path)
                   : error_set(error, ERROR_TEMPORARY, "cannot lock %s: %s", name, strerror(errno));
    *ret_fd = fd;
    fd = -1;
    return true;
}

/* The rights of the file that is there, for the one that takes its place. */
static bool copy_rights(const char *path, int fd)
{
    struct stat old, own;
    return stat(path, &old) == 0 && fstat(fd, &own) == 0 &&
           ((own.st_uid == old.st_uid && own.st_gid == old.st_gid) ||
            fchown(fd, old.st_uid, old.st_gid) == 0) &&
           fchmod(fd, old.st_mode & 07777) == 0;
}

static bool replace(const char *path, const struct buffer *text, struct error *error)
{
    struct replacement file = {0};
    bool is_done = replacement_begin(&file, path, error) &&
                   (copy_rights(path, file.fd) ||
                    error_set(error, ERROR_TEMPORARY, "cannot set the rights of %s: %s",
                              file.part_path, strerror(errno))) &&
                   replacement_write(&file, (struct span){text->data, text->length}, error) &&
                   replacement_commit(&file, error);
    replacement_drop(&file);
    return is_done;
}

/* The ring and the very text of its file, which the caller wipes. */
static bool read_both(const char *path, struct keyring **ret_ring, char **ret_text,
                      size_t *ret_length, struct error *error)
{
    if (!keyring_read(path, ret_ring, error))
        return false;
    if (file_read(path, KEYRING_FILE_MAX_BYTES, ret_text, ret_length, error))
        return true;
    keyring_destroy(*ret_ring);
    return false;
}

static void wipe(char *text, size_t length)
{
    sodium_memzero(text, length);
    free(text);
}

bool keyring_file_add(const char *path, uint32_t *ret_id, struct error *error)
{
    struct keyring *ring;
    char *old;
    size_t length;
    if (!read_both(path, &ring, &old, &length, error))
        return false;
    struct buffer text = {0};
    uint32_t id = 0;
    /* Room for all of it: a buffer that moves would leave keys behind. */
    buffer_reserve(&text, length + 256);
    keyring_append_new_key(ring, &text, &id);
    buffer_append(&text, old, length);
    bool is_done = keyring_count(ring) < KEYRING_MAX_KEYS
                       ? replace(path, &text, error)
                       : error_set(error, ERROR_INVALID, "%s holds %d keys already; retire some",
                                   path, KEYRING_MAX_KEYS);
    wipe(text.data, text.length);
    wipe(old, length);
    keyring_destroy(ring);
    *ret_id = id;
    return is_done;
}

/* Appends all lines but the one of that key. */
static void append_others(struct buffer *text, const char *old, uint32_t id)
{
    for (const char *line = old; *line != '\0';) {
        const char *end = strchr(line, '\n');
        size_t length = end != NULL ? (size_t)(end - line) + 1 : strlen(line);
        char *rest;
        unsigned long first = strtoul(line + strspn(line, " \t\r"), &rest, 10);
        if (first != id || strchr(" \t", *rest) == NULL)
            buffer_append(text, line, length);
        line += length;
    }
}

bool keyring_file_remove(const char *path, uint32_t id, struct error *error)
{
    struct keyring *ring;
    char *old;
    size_t length;
    if (!read_both(path, &ring, &old, &length, error))
        return false;
    struct buffer text = {0};
    buffer_reserve(&text, length + 1);
    append_others(&text, old, id);
    bool is_done = false;
    if (keyring_id(ring, 0) == id)
        error_set(error, ERROR_INVALID, "key %u seals; lpalias key rotate makes another one first",
                  (unsigned)id);
    else if (!keyring_has(ring, id))
        error_set(error, ERROR_INVALID, "%s has no key %u", path, (unsigned)id);
    else
        is_done = replace(path, &text, error);
    wipe(text.data, text.length);
    wipe(old, length);
    keyring_destroy(ring);
    return is_done;
}
