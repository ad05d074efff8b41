/*
 * The problems found so far, each with its line. They are found in the order of the checks and
 * told in the order of the file.
 */
#ifndef LPALIAS_CONFIG_PROBLEM_H
#define LPALIAS_CONFIG_PROBLEM_H

#include <stddef.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "config/config.h"

struct problem {
    int line;
    size_t order; /* of being found: keeps those of one line in that order */
    char *text;   /* "what is wrong; hint" */
};

/* A zeroed one is empty. */
struct problem_list {
    struct problem *items;
    size_t count;
    size_t capacity;
};

/* Adds a problem; what stems from the file goes through problem_append_quoted() first. */
void problem_add(struct problem_list *list, int line, const char *format, ...) PRINTF_LIKE(3, 4);

/* Appends text between double quotes, escaped, and cut when it is long. */
void problem_append_quoted(struct buffer *out, const char *text);

/* Writes the problems as lines "FILE:LINE: text" in line order to ret_problems; empties list. */
void problem_list_tell(struct problem_list *list, const char *file,
                       struct config_problems *ret_problems);

void problem_list_finish(struct problem_list *list);

#endif
