#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "base/timestamp.h"

static enum log_level highest_level = LOG_LEVEL_INFO;
static bool (*line_sink)(enum log_level level, const char *text, const struct log_field *fields);

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

const char *log_level_name(enum log_level level)
{
    return level_names[level];
}

void log_set_sink(bool (*sink)(enum log_level level, const char *text,
                               const struct log_field *fields))
{
    line_sink = sink;
}

static bool needs_quotes(const char *value)
{
    if (*value == '\0')
        return true;
    for (; *value != '\0'; value++)
        if (*value <= ' ' || *value > '~' || strchr("=\"\\", *value) != NULL)
            return true;
    return false;
}

void log_append_fields(struct buffer *out, const struct log_field *fields)
{
    for (; fields->name != NULL; fields++) {
        if (fields->value == NULL)
            continue;
        buffer_appendf(out, " %s=", fields->name);
        const char *quote = needs_quotes(fields->value) ? "\"" : "";
        buffer_append_text(out, quote);
        text_append_escaped(out, fields->value);
        buffer_append_text(out, quote);
    }
}

void log_append_line(struct buffer *out, enum log_level level, const char *text,
                     const struct log_field *fields)
{
    buffer_appendf(out, "level=%s msg=\"", level_names[level]);
    text_append_escaped(out, text);
    buffer_append_text(out, "\"");
    log_append_fields(out, fields);
    buffer_append_text(out, "\n");
}

/* RFC 3339, UTC, to the millisecond: lines of one second keep their order when they are merged. */
static void append_time(struct buffer *out)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    char second[TIMESTAMP_TEXT_BYTES];
    timestamp_format(now.tv_sec, second);
    buffer_appendf(out, "ts=%.19s.%03ldZ ", second, now.tv_nsec / 1000000);
}

static void write_to_stderr(enum log_level level, const char *text, const struct log_field *fields)
{
    struct buffer line = {0};
    append_time(&line);
    log_append_line(&line, level, text, fields);
    /* One write a line, so that lines of several processes do not mix. */
    ssize_t ignored = write(STDERR_FILENO, line.data, line.length);
    (void)ignored;
    buffer_finish(&line);
}

static void write_arguments(enum log_level level, const struct log_field *fields,
                            const char *format, va_list args)
{
    if (level > highest_level)
        return;
    char text[2048];
    vsnprintf(text, sizeof(text), format, args);
    if (line_sink == NULL || !line_sink(level, text, fields))
        write_to_stderr(level, text, fields);
}

void log_write(enum log_level level, const char *format, ...)
{
    static const struct log_field none[] = {{NULL, NULL}};
    va_list args;
    va_start(args, format);
    write_arguments(level, none, format, args);
    va_end(args);
}

void log_with(enum log_level level, const struct log_field *fields, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    write_arguments(level, fields, format, args);
    va_end(args);
}
