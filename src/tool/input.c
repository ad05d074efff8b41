#include "tool/input.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/memory.h"

enum { READ_BYTES = 65536 };

/* Not by way of /dev/stdin, which cannot be opened when it is a socket. */
static bool read_stdin(struct buffer *out, size_t max_bytes, struct error *error)
{
    for (;;) {
        buffer_reserve(out, READ_BYTES);
        ssize_t got = read(STDIN_FILENO, out->data + out->length, READ_BYTES);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_set(error, ERROR_TEMPORARY, "cannot read standard input: %s",
                             strerror(errno));
        if (got == 0)
            return true;
        out->length += (size_t)got;
        if (out->length > max_bytes)
            return error_set(error, ERROR_INVALID, "standard input is larger than %zu bytes",
                             max_bytes);
    }
}

bool input_read(const char *path, size_t max_bytes, char **ret_text, size_t *ret_length,
                struct error *error)
{
    if (strcmp(path, "-") != 0)
        return file_read(path, max_bytes, ret_text, ret_length, error);
    struct buffer content = {0};
    bool is_read = read_stdin(&content, max_bytes, error);
    if (is_read && memchr(buffer_text(&content), '\0', content.length) != NULL)
        is_read = error_set(error, ERROR_INVALID, "standard input holds a NUL byte");
    if (!is_read) {
        buffer_finish(&content);
        return false;
    }
    *ret_text = content.data;
    *ret_length = content.length;
    return true;
}

bool input_read_words(size_t max_bytes, char **ret_text, const char ***ret_words, size_t *ret_count,
                      struct error *error)
{
    static const char blanks[] = " \t\r\n";
    const char **words = NULL;
    size_t length, count = 0, capacity = 0;
    if (!input_read("-", max_bytes, ret_text, &length, error))
        return false;
    char *rest = NULL;
    for (char *word = strtok_r(*ret_text, blanks, &rest); word != NULL;
         word = strtok_r(NULL, blanks, &rest)) {
        words = memory_grow(words, count, &capacity, sizeof(*words));
        words[count++] = word;
    }
    *ret_words = words;
    *ret_count = count;
    return true;
}
