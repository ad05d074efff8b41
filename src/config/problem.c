#include "config/problem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

#define QUOTED_MAX_BYTES 80

void problem_add(struct problem_list *list, int line, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = NULL;
    if (vasprintf(&text, format, args) < 0)
        text = memory_copy_text("out of memory");
    va_end(args);
    list->items = memory_grow(list->items, list->count, &list->capacity, sizeof(*list->items));
    list->items[list->count] = (struct problem){line, list->count, text};
    list->count++;
}

void problem_append_quoted(struct buffer *out, const char *text)
{
    char shown[QUOTED_MAX_BYTES + 1];
    size_t length = strnlen(text, QUOTED_MAX_BYTES);
    memcpy(shown, text, length);
    shown[length] = '\0';
    buffer_append_char(out, '"');
    text_append_escaped(out, shown);
    buffer_append_text(out, text[length] != '\0' ? "...\"" : "\"");
}

static int compare_problems(const void *left, const void *right)
{
    const struct problem *a = left;
    const struct problem *b = right;
    if (a->line != b->line)
        return a->line < b->line ? -1 : 1;
    return a->order < b->order ? -1 : 1;
}

void problem_list_tell(struct problem_list *list, const char *file,
                       struct config_problems *ret_problems)
{
    qsort(list->items, list->count, sizeof(*list->items), compare_problems);
    char **lines = memory_new(list->count, sizeof(*lines));
    for (size_t i = 0; i < list->count; i++) {
        struct buffer line = {0};
        text_append_escaped(&line, file);
        buffer_appendf(&line, ":%d: %s", list->items[i].line, list->items[i].text);
        buffer_text(&line);
        lines[i] = line.data;
    }
    *ret_problems = (struct config_problems){.lines = lines, .count = list->count};
    problem_list_finish(list);
}

void problem_list_finish(struct problem_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i].text);
    free(list->items);
    *list = (struct problem_list){0};
}

void config_problems_finish(struct config_problems *problems)
{
    if (problems == NULL)
        return;
    for (size_t i = 0; i < problems->count; i++)
        free(problems->lines[i]);
    free(problems->lines);
    *problems = (struct config_problems){0};
}
