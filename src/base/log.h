/*
 * One line an event on standard error, as logfmt: ts=... level=... msg="..." name=value ..., or
 * what a sink makes of it (manager/journal.h). Programs log; libraries return text in a struct
 * error. Text is escaped, so a peer's bytes cannot forge a line. Addresses of lookups appear at
 * debug only, and there as the configuration says; targets, tokens and cookies never.
 */
#ifndef LPALIAS_BASE_LOG_H
#define LPALIAS_BASE_LOG_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/compiler.h"

enum log_level {
    LOG_LEVEL_ERROR,   /* something does not work */
    LOG_LEVEL_WARNING, /* it works, but somebody should look */
    LOG_LEVEL_INFO,
    LOG_LEVEL_DEBUG,
};

/* A fact of an event that programs sort by. */
struct log_field {
    const char *name;  /* lower-case letters and "_"; NULL ends a list */
    const char *value; /* NULL: this event has none */
};

/* log_with(LOG_LEVEL_INFO, LOG_FIELDS({"map", name}, {"answer", answer}), "asked") */
#define LOG_FIELDS(...) ((const struct log_field[]){__VA_ARGS__, {NULL, NULL}})

/* Lines above this level are dropped; the default is LOG_LEVEL_INFO. */
void log_set_level(enum log_level level);
enum log_level log_get_level(void);

/* "error", "warning", "info", "debug". */
const char *log_level_name(enum log_level level);

void log_write(enum log_level level, const char *format, ...) PRINTF_LIKE(2, 3);
void log_with(enum log_level level, const struct log_field *fields, const char *format, ...)
    PRINTF_LIKE(3, 4);

#define log_error(...)   log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...)    log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)   log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)

/*
 * From now on sink gets each line in place of standard error. text is as it was written, not
 * escaped; fields ends with a NULL name and is never NULL. False: the sink could not take it, and
 * it goes to standard error.
 */
void log_set_sink(bool (*sink)(enum log_level level, const char *text,
                               const struct log_field *fields));

/* Appends " name=value" of each field, the value between quotes where logfmt needs them. */
void log_append_fields(struct buffer *out, const struct log_field *fields);

/* Appends level=... msg="..." name=value ... and a newline: a line without its time. */
void log_append_line(struct buffer *out, enum log_level level, const char *text,
                     const struct log_field *fields);

#endif
