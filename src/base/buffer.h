/*
 * A growing run of bytes. Bytes [0, length) are valid; data is NULL while nothing was ever
 * appended. The bytes are not NUL-terminated unless buffer_text() is asked for them.
 */
#ifndef LPALIAS_BASE_BUFFER_H
#define LPALIAS_BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct buffer {
    char *data;
    size_t length;
    size_t capacity;
};

/* Borrowed bytes; whoever hands one out says how long it lives. */
struct span {
    const char *data;
    size_t length;
};

/* A span over a string literal or NUL-terminated text. */
struct span span_of(const char *text);

/* The very bytes of text. */
bool span_is_text(struct span span, const char *text) MUST_CHECK;

/* Room for at least extra_bytes more behind length. */
void buffer_reserve(struct buffer *buffer, size_t extra_bytes);
void buffer_append(struct buffer *buffer, const void *bytes, size_t length);
void buffer_append_text(struct buffer *buffer, const char *text);
void buffer_append_char(struct buffer *buffer, char byte);
void buffer_appendf(struct buffer *buffer, const char *format, ...) PRINTF_LIKE(2, 3);

/* Drops the first length bytes (at most all) and moves the rest to the front. */
void buffer_consume(struct buffer *buffer, size_t length);

/* The bytes as NUL-terminated text, borrowed until the buffer changes. */
const char *buffer_text(struct buffer *buffer);

/* length = 0, memory kept. */
void buffer_clear(struct buffer *buffer);

/* Frees the memory and zeroes the struct; a zeroed struct is a valid empty buffer. */
void buffer_finish(struct buffer *buffer);

#endif
