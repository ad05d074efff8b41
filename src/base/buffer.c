#include "base/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

struct span span_of(const char *text)
{
    return (struct span){text, strlen(text)};
}

bool span_is_text(struct span span, const char *text)
{
    return span.length == strlen(text) &&
           (span.length == 0 || memcmp(span.data, text, span.length) == 0);
}

void buffer_reserve(struct buffer *buffer, size_t extra_bytes)
{
    size_t wanted = buffer->length + extra_bytes;
    if (wanted <= buffer->capacity)
        return;
    size_t capacity = buffer->capacity != 0 ? buffer->capacity : 64;
    while (capacity < wanted)
        capacity *= 2;
    buffer->data = memory_resize(buffer->data, capacity, 1);
    buffer->capacity = capacity;
}

void buffer_append(struct buffer *buffer, const void *bytes, size_t length)
{
    if (length == 0)
        return;
    buffer_reserve(buffer, length);
    memcpy(buffer->data + buffer->length, bytes, length);
    buffer->length += length;
}

void buffer_append_text(struct buffer *buffer, const char *text)
{
    buffer_append(buffer, text, strlen(text));
}

void buffer_append_char(struct buffer *buffer, char byte)
{
    buffer_append(buffer, &byte, 1);
}

void buffer_appendf(struct buffer *buffer, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    buffer_reserve(buffer, 64);
    size_t room = buffer->capacity - buffer->length;
    int wanted = vsnprintf(buffer->data + buffer->length, room, format, args);
    if (wanted > 0 && (size_t)wanted >= room) {
        buffer_reserve(buffer, (size_t)wanted + 1);
        vsnprintf(buffer->data + buffer->length, (size_t)wanted + 1, format, again);
    }
    if (wanted > 0)
        buffer->length += (size_t)wanted;
    va_end(args);
    va_end(again);
}

void buffer_consume(struct buffer *buffer, size_t length)
{
    if (length >= buffer->length) {
        buffer->length = 0;
        return;
    }
    memmove(buffer->data, buffer->data + length, buffer->length - length);
    buffer->length -= length;
}

const char *buffer_text(struct buffer *buffer)
{
    buffer_reserve(buffer, 1);
    buffer->data[buffer->length] = '\0';
    return buffer->data;
}

void buffer_clear(struct buffer *buffer)
{
    buffer->length = 0;
}

void buffer_finish(struct buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct buffer){0};
}
