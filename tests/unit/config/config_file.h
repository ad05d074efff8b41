/* A configuration given as text, read through a file as the programs do. */
#ifndef LPALIAS_TESTS_CONFIG_FILE_H
#define LPALIAS_TESTS_CONFIG_FILE_H

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../unit.h"
#include "base/buffer.h"
#include "base/memory.h"
#include "config/config.h"

static inline bool read_bytes(const char *bytes, size_t length, struct config **ret_config,
                              struct config_problems *problems)
{
    char path[] = "/tmp/lpalias-config-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, length), length);
    close(fd);
    bool done = config_read(path, ret_config, problems);
    unlink(path);
    /* The path is another one each time: shown as FILE. */
    for (size_t i = 0; i < problems->count; i++) {
        char *line = problems->lines[i];
        char *at = strstr(line, path);
        if (at == NULL)
            continue;
        memcpy(at, "FILE", 4);
        memmove(at + 4, at + strlen(path), strlen(at + strlen(path)) + 1);
    }
    return done;
}

/* All problem lines, each with a newline; "" if the text is fine. Caller frees. */
static inline char *problems_of_bytes(const char *bytes, size_t length)
{
    struct config *config = NULL;
    struct config_problems problems = {0};
    bool done = read_bytes(bytes, length, &config, &problems);
    assert_int_equal(done, problems.count == 0);
    assert_int_equal(done, config != NULL);
    struct buffer all = {0};
    for (size_t i = 0; i < problems.count; i++)
        buffer_appendf(&all, "%s\n", problems.lines[i]);
    buffer_text(&all);
    config_problems_finish(&problems);
    config_destroy(config);
    return all.data;
}

static inline char *problems_of(const char *text)
{
    return problems_of_bytes(text, strlen(text));
}

#endif
