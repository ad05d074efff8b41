/* An alias file as one line of text, to be compared: "LINE:ADDRESS=target|target ... !LINE:reason".
 */
#ifndef LPALIAS_TESTS_UNIT_TOOL_ROWS_H
#define LPALIAS_TESTS_UNIT_TOOL_ROWS_H

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "tool/alias_file.h"

struct rows_case {
    const char *name;
    const char *text;
    const char *wanted;
};

static void rows_append(struct buffer *out, const struct alias_file *file)
{
    for (size_t i = 0; i < file->row_count; i++) {
        const struct import_row *row = &file->rows[i];
        buffer_appendf(out, "%u:%s", row->line, row->address);
        for (size_t target = 0; target < row->target_count; target++)
            buffer_appendf(out, "%s%s", target == 0 ? "=" : "|", row->targets[target]);
        buffer_append_char(out, ' ');
    }
    for (size_t i = 0; i < file->fault_count; i++)
        buffer_appendf(out, "!%u:%s ", file->faults[i].line, file->faults[i].reason);
    if (file->domain_lines != 0)
        buffer_appendf(out, "%zu domain lines ", file->domain_lines);
    if (out->length != 0)
        out->length--;
}

static void rows_check(const struct rows_case *row, void (*read)(struct span, struct alias_file *))
{
    CLEANUP(alias_file_finish) struct alias_file file = {0};
    CLEANUP(buffer_finish) struct buffer got = {0};
    read(span_of(row->text), &file);
    rows_append(&got, &file);
    if (strcmp(buffer_text(&got), row->wanted) != 0)
        fail_msg("%s: got \"%s\", wanted \"%s\"", row->name, buffer_text(&got), row->wanted);
}

/* Each beginning of text, in memory of just its length, so that a sanitizer sees a step too far. */
static void rows_cut_everywhere(const char *text, void (*read)(struct span, struct alias_file *))
{
    size_t whole = strlen(text);
    for (size_t length = 0; length <= whole; length++) {
        CLEANUP(alias_file_finish) struct alias_file file = {0};
        char *copy = memory_new(length != 0 ? length : 1, 1);
        memcpy(copy, text, length);
        read((struct span){copy, length}, &file);
        for (size_t i = 0; i < file.row_count; i++)
            assert_true(file.rows[i].target_count != 0);
        free(copy);
    }
}

#endif
