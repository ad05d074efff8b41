#include "tool/console.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/text.h"
#include "base/timestamp.h"

void console_append_visible(struct buffer *out, const char *text)
{
    CLEANUP(buffer_finish) struct buffer escaped = {0};
    text_append_escaped(&escaped, text);
    for (size_t i = 0; i < escaped.length; i++) {
        bool is_escape = escaped.data[i] == '\\' && i + 1 < escaped.length &&
                         (escaped.data[i + 1] == '"' || escaped.data[i + 1] == '\\');
        buffer_append_char(out, escaped.data[is_escape ? ++i : i]);
    }
}

static void write_line(const char *prefix, const char *format, va_list args)
{
    char text[2048];
    CLEANUP(buffer_finish) struct buffer line = {0};
    vsnprintf(text, sizeof(text), format, args);
    buffer_append_text(&line, prefix);
    console_append_visible(&line, text);
    fflush(stdout);
    fprintf(stderr, "%s\n", buffer_text(&line));
}

void console_complain(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    write_line("lpalias: ", format, args);
    va_end(args);
}

void console_remark(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    write_line("", format, args);
    va_end(args);
}

void console_print_field(const char *title, const char *text)
{
    CLEANUP(buffer_finish) struct buffer line = {0};
    console_append_visible(&line, text);
    printf("%-12s%s\n", title, buffer_text(&line));
}

bool console_is_interactive(void)
{
    return isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
}

bool console_ask(const char *question)
{
    char answer[16];
    fflush(stdout);
    fprintf(stderr, "%s [y/N] ", question);
    if (fgets(answer, sizeof(answer), stdin) == NULL)
        return false;
    answer[strcspn(answer, "\r\n")] = '\0';
    return strcasecmp(answer, "y") == 0 || strcasecmp(answer, "yes") == 0;
}

#define PROGRESS_AFTER_MS INT64_C(1000)
#define PROGRESS_EACH_MS  INT64_C(200)

void console_progress_begin(struct console_progress *progress, const char *what)
{
    *progress = (struct console_progress){.what = what, .begun_ms = timestamp_monotonic_ms()};
}

void console_progress_step(struct console_progress *progress, size_t count)
{
    int64_t now_ms = timestamp_monotonic_ms();
    if (now_ms - progress->begun_ms < PROGRESS_AFTER_MS ||
        now_ms - progress->shown_ms < PROGRESS_EACH_MS || !isatty(STDERR_FILENO))
        return;
    fprintf(stderr, "\r%zu %s", count, progress->what);
    fflush(stderr);
    progress->shown_ms = now_ms;
    progress->is_shown = true;
}

void console_progress_end(struct console_progress *progress)
{
    if (progress->is_shown)
        fputs("\r\033[K", stderr);
    progress->is_shown = false;
}
