#include "tool/table.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "tool/console.h"

void table_add(struct table *table, const char *text)
{
    struct buffer cell = {0};
    console_append_visible(&cell, *text != '\0' ? text : "-");
    buffer_text(&cell);
    table->cells =
        memory_grow(table->cells, table->cell_count, &table->cell_capacity, sizeof(*table->cells));
    table->cells[table->cell_count++] = cell.data;
}

void table_addf(struct table *table, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    table_add(table, text);
}

/* Characters, not bytes: what continues a UTF-8 character takes no room. */
static size_t width_of(const char *text)
{
    size_t width = 0;
    for (; *text != '\0'; text++)
        width += (*text & 0xc0) != 0x80;
    return width;
}

static void print_cell(const struct table *table, size_t column, const char *text, size_t width)
{
    bool is_last = column + 1 == table->column_count;
    int padding = (int)(width - width_of(text));
    if (table->columns[column].is_number)
        printf("%*s%s", padding, "", text);
    else
        printf("%s%*s", text, is_last ? 0 : padding, "");
    fputs(is_last ? "\n" : "  ", stdout);
}

void table_print(const struct table *table)
{
    size_t *widths = memory_new(table->column_count, sizeof(*widths));
    for (size_t column = 0; column < table->column_count; column++)
        widths[column] = width_of(table->columns[column].title);
    for (size_t i = 0; i < table->cell_count; i++) {
        size_t width = width_of(table->cells[i]);
        if (width > widths[i % table->column_count])
            widths[i % table->column_count] = width;
    }
    for (size_t column = 0; column < table->column_count; column++)
        print_cell(table, column, table->columns[column].title, widths[column]);
    for (size_t i = 0; i < table->cell_count; i++)
        print_cell(table, i % table->column_count, table->cells[i],
                   widths[i % table->column_count]);
    free(widths);
}

void table_finish(struct table *table)
{
    for (size_t i = 0; i < table->cell_count; i++)
        free(table->cells[i]);
    free(table->cells);
    *table = (struct table){0};
}
