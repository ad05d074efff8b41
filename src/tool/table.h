/* A table for people: cells are added row by row and printed in aligned columns. */
#ifndef LPALIAS_TOOL_TABLE_H
#define LPALIAS_TOOL_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

struct table_column {
    const char *title;
    bool is_number; /* aligned to the right */
};

/* {columns, count} to begin with. */
struct table {
    const struct table_column *columns;
    size_t column_count;
    char **cells;
    size_t cell_count;
    size_t cell_capacity;
};

/* The next cell; control bytes are escaped. An empty one is printed as "-". */
void table_add(struct table *table, const char *text);
void table_addf(struct table *table, const char *format, ...) PRINTF_LIKE(2, 3);

/* Prints titles and whole rows to standard output. */
void table_print(const struct table *table);

void table_finish(struct table *table);

#endif
