/*
 * The text form of Postfix's virtual(5): "address target, target ...", continued by lines that
 * begin with a blank; "#" lines and empty ones do not count. A line whose key is a bare domain
 * declares that domain to Postfix.
 */
#ifndef LPALIAS_TOOL_VIRTUAL_TEXT_H
#define LPALIAS_TOOL_VIRTUAL_TEXT_H

#include "base/buffer.h"
#include "tool/alias_file.h"

/* Adds the rows of text, which holds no NUL, to file. */
void virtual_text_read(struct span text, struct alias_file *file);

#endif
