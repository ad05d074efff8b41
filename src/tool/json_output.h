/* --json: one value a command, keys sorted, so that two runs can be compared. */
#ifndef LPALIAS_TOOL_JSON_OUTPUT_H
#define LPALIAS_TOOL_JSON_OUTPUT_H

#include <stdint.h>

#include <jansson.h>

#include "base/buffer.h"

/* A new reference; bytes that are not UTF-8 are escaped. */
json_t *json_from_span(struct span text);

/* As above; null for an empty text. */
json_t *json_from_optional(struct span text);

/* "2026-11-22T10:00:00Z", or null for 0. */
json_t *json_from_time(int64_t at_s);

/* Prints value to standard output and lets it go. */
void json_print(json_t *value);

#endif
