/*
 * One line an event on standard error, as logfmt: level=... msg="...". Programs log; libraries
 * return text in a struct error. Text is escaped, so a peer's bytes cannot forge a line.
 * Addresses of lookups appear at debug only; targets, tokens and cookies never.
 */
#ifndef LPALIAS_BASE_LOG_H
#define LPALIAS_BASE_LOG_H

#include "base/compiler.h"

enum log_level {
    LOG_LEVEL_ERROR,   /* something does not work */
    LOG_LEVEL_WARNING, /* it works, but somebody should look */
    LOG_LEVEL_INFO,
    LOG_LEVEL_DEBUG,
};

/* Lines above this level are dropped; the default is LOG_LEVEL_INFO. */
void log_set_level(enum log_level level);
enum log_level log_get_level(void);

void log_write(enum log_level level, const char *format, ...) PRINTF_LIKE(2, 3);

#define log_error(...)   log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...)    log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)   log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
