#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void mark_cut(char *text, size_t size, int wanted)
{
    if (wanted >= 0 && (size_t)wanted >= size)
        memcpy(text + size - 4, "...", 4);
}

bool error_set(struct error *error, enum error_kind kind, const char *format, ...)
{
    if (error == NULL)
        return false;
    va_list args;
    va_start(args, format);
    error->kind = kind;
    mark_cut(error->text, sizeof(error->text),
             vsnprintf(error->text, sizeof(error->text), format, args));
    va_end(args);
    return false;
}

bool error_prefix(struct error *error, const char *format, ...)
{
    if (error == NULL)
        return false;
    char prefix[256];
    va_list args;
    va_start(args, format);
    mark_cut(prefix, sizeof(prefix), vsnprintf(prefix, sizeof(prefix), format, args));
    va_end(args);
    char whole[sizeof(prefix) + sizeof(error->text) + 2];
    int length = snprintf(whole, sizeof(whole), "%s: %s", prefix, error->text);
    mark_cut(error->text, sizeof(error->text),
             snprintf(error->text, sizeof(error->text), "%.*s", length, whole));
    return false;
}
