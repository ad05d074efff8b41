/*
 * The rows of an alias file, whatever its format: what csv.h and virtual_text.h read and
 * `lpalias import` takes over. Pure functions on bytes. A reason never holds a target.
 */
#ifndef LPALIAS_TOOL_ALIAS_FILE_H
#define LPALIAS_TOOL_ALIAS_FILE_H

#include <stddef.h>

#include "action/import.h"
#include "base/buffer.h"

#define ALIAS_FILE_MAX_BYTES ((size_t)64 << 20)

/* A row that cannot even be read. */
struct alias_file_fault {
    unsigned line;
    const char *reason; /* static text */
};

/* Zeroed to begin with. Both lists are in the order of the file. */
struct alias_file {
    struct import_row *rows;
    size_t row_count, row_capacity;
    struct alias_file_fault *faults;
    size_t fault_count, fault_capacity;
    size_t domain_lines; /* that declare a domain and hold no alias */
};

/* Begins a row; targets are added to the last one that was begun. */
void alias_file_add_row(struct alias_file *file, unsigned line, struct span address);

/*
 * Adds each of the targets in text, which stand between separators; a separator between quotes
 * is part of a target.
 */
void alias_file_add_targets(struct alias_file *file, struct span text, const char *separators);

/* Notes a fault. */
void alias_file_add_fault(struct alias_file *file, unsigned line, const char *reason);

/* Takes the last row that was begun out again, as if it had not been there. */
void alias_file_forget_row(struct alias_file *file);

/* As above, and notes a fault in its place. */
void alias_file_drop_row(struct alias_file *file, const char *reason);

void alias_file_finish(struct alias_file *file);

/*
 * Bytes of text before the first of separators that stands outside double quotes, in which a
 * backslash quotes the next byte; all of text if there is none.
 */
size_t alias_file_word_length(struct span text, const char *separators);

#endif
