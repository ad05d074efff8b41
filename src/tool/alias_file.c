#include "tool/alias_file.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

size_t alias_file_word_length(struct span text, const char *separators)
{
    bool is_quoted = false;
    for (size_t i = 0; i < text.length; i++) {
        char byte = text.data[i];
        if (is_quoted && byte == '\\')
            i++;
        else if (byte == '"')
            is_quoted = !is_quoted;
        else if (!is_quoted && byte != '\0' && strchr(separators, byte) != NULL)
            return i;
    }
    return text.length;
}

void alias_file_add_row(struct alias_file *file, unsigned line, struct span address)
{
    file->rows = memory_grow(file->rows, file->row_count, &file->row_capacity, sizeof(*file->rows));
    file->rows[file->row_count++] = (struct import_row){
        .line = line,
        .address = memory_copy_bytes(address.length != 0 ? address.data : "", address.length),
    };
}

/* A row has few targets and a file many rows: no capacity is kept. */
static void add_target(struct import_row *row, struct span target)
{
    row->targets = memory_resize(row->targets, row->target_count + 1, sizeof(*row->targets));
    row->targets[row->target_count++] = memory_copy_bytes(target.data, target.length);
}

void alias_file_add_targets(struct alias_file *file, struct span text, const char *separators)
{
    struct import_row *row = &file->rows[file->row_count - 1];
    while (text.length != 0) {
        size_t length = alias_file_word_length(text, separators);
        if (length != 0)
            add_target(row, (struct span){text.data, length});
        size_t used = length < text.length ? length + 1 : length;
        text = (struct span){text.data + used, text.length - used};
    }
}

void alias_file_add_fault(struct alias_file *file, unsigned line, const char *reason)
{
    file->faults =
        memory_grow(file->faults, file->fault_count, &file->fault_capacity, sizeof(*file->faults));
    file->faults[file->fault_count++] = (struct alias_file_fault){line, reason};
}

static void row_finish(struct import_row *row)
{
    for (size_t i = 0; i < row->target_count; i++)
        free(row->targets[i]);
    free(row->targets);
    free(row->address);
}

void alias_file_forget_row(struct alias_file *file)
{
    row_finish(&file->rows[--file->row_count]);
}

void alias_file_drop_row(struct alias_file *file, const char *reason)
{
    alias_file_add_fault(file, file->rows[file->row_count - 1].line, reason);
    alias_file_forget_row(file);
}

void alias_file_finish(struct alias_file *file)
{
    for (size_t i = 0; i < file->row_count; i++)
        row_finish(&file->rows[i]);
    free(file->rows);
    free(file->faults);
    *file = (struct alias_file){0};
}
