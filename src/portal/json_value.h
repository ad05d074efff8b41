/* Values of the cache as those of JSON. */
#ifndef LPALIAS_PORTAL_JSON_VALUE_H
#define LPALIAS_PORTAL_JSON_VALUE_H

#include <stdint.h>

#include <jansson.h>

#include "base/buffer.h"
#include "store/record.h"

/* Text that is not UTF-8 is escaped. */
json_t *json_value_text(struct span text);

/* Empty: null. */
json_t *json_value_optional(struct span text);

/* RFC 3339, UTC; 0: null. */
json_t *json_value_time(int64_t at_s);

/* REASON_NONE: null. */
json_t *json_value_reason(enum alias_reason reason);

#endif
