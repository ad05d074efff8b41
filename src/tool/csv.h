/*
 * Comma-separated values as in RFC 4180: a row an alias, its address in the first field, targets
 * in all others, several in one field between blanks, commas or semicolons. A first row, but for
 * empty lines, that begins with the field "address" is a heading; if it calls fields "target" or
 * "targets", only those hold targets. With a field "state", as lpalias export writes it, too, a
 * row without targets is passed over.
 */
#ifndef LPALIAS_TOOL_CSV_H
#define LPALIAS_TOOL_CSV_H

#include "base/buffer.h"
#include "tool/alias_file.h"

/* Adds the rows of text, which holds no NUL, to file. */
void csv_read(struct span text, struct alias_file *file);

#endif
