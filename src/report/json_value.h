/* Values of records as JSON. */
#ifndef LPALIAS_REPORT_JSON_VALUE_H
#define LPALIAS_REPORT_JSON_VALUE_H

#include <stdint.h>

#include <jansson.h>

#include "base/buffer.h"
#include "store/record.h"

/* A new reference; bytes that are not UTF-8 are escaped. */
json_t *json_from_span(struct span text);

/* As above; null for an empty text. */
json_t *json_from_optional(struct span text);

/* "2026-11-22T10:00:00Z", or null for 0. */
json_t *json_from_time(int64_t at_s);

/* Null for REASON_NONE. */
json_t *json_from_reason(enum alias_reason reason);

#endif
