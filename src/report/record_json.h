/* Records as JSON objects; targets are set apart, see tool/targets.h. */
#ifndef LPALIAS_REPORT_RECORD_JSON_H
#define LPALIAS_REPORT_RECORD_JSON_H

#include <jansson.h>

#include "store/record.h"

/* New references. */
json_t *json_from_alias(const struct alias_record *record);
json_t *json_from_membership(const struct membership_record *membership);

/* A list of the lines of text, which end with a newline or lie between newlines. */
json_t *json_from_lines(struct span text);

#endif
