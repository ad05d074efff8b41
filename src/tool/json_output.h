/* --json: one value a command, keys sorted, so that two runs can be compared. */
#ifndef LPALIAS_TOOL_JSON_OUTPUT_H
#define LPALIAS_TOOL_JSON_OUTPUT_H

#include <jansson.h>

#include "report/json_value.h"

/* Prints value to standard output and lets it go. */
void json_print(json_t *value);

#endif
