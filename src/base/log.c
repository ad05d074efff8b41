#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/text.h"

static enum log_level highest_level = LOG_LEVEL_INFO;

static const char *const level_names[] = {
    [LOG_LEVEL_ERROR] = "error",
    [LOG_LEVEL_WARNING] = "warning",
    [LOG_LEVEL_INFO] = "info",
    [LOG_LEVEL_DEBUG] = "debug",
};

void log_set_level(enum log_level level)
{
    highest_level = level;
}

enum log_level log_get_level(void)
{
    return highest_level;
}

void log_write(enum log_level level, const char *format, ...)
{
    if (level > highest_level)
        return;
    char text[2048];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    struct buffer line = {0};
    buffer_appendf(&line, "level=%s msg=\"", level_names[level]);
    text_append_escaped(&line, text);
    buffer_append_text(&line, "\"\n");
    /* One write a line, so that lines of several processes do not mix. */
    ssize_t ignored = write(STDERR_FILENO, line.data, line.length);
    (void)ignored;
    buffer_finish(&line);
}
