/*
 * Aliases as rows of a file. CSV is as RFC 4180 has it and as `lpalias import` reads it back: the
 * fields that its heading calls "targets" are targets, several of them between blanks.
 */
#ifndef LPALIAS_TOOL_ALIAS_OUTPUT_H
#define LPALIAS_TOOL_ALIAS_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "store/record.h"
#include "tool/targets.h"

/* One alias; what it points to is borrowed. */
struct alias_row {
    const char *domain, *local;
    const struct alias_record *record;
    const struct targets *targets;
    bool is_shown; /* the targets and not only their number */
};

void alias_output_csv_heading(struct buffer *out, bool is_shown);
void alias_output_csv(struct buffer *out, const struct alias_row *row);

/* One object on one line without newline. */
void alias_output_json(struct buffer *out, const struct alias_row *row);

#endif
