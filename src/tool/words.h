/* A list as Postfix writes it: words between blanks and commas; braces keep some together. */
#ifndef LPALIAS_TOOL_WORDS_H
#define LPALIAS_TOOL_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

/* Zeroed to begin with. */
struct words {
    char **items;
    size_t count, capacity;
};

/*
 * Adds the words of text. Braces around words are taken off, braces inside one (inline:{a b})
 * belong to it (Postfix, src/util/mystrtok.c).
 */
void words_split(struct words *words, const char *text);

/* The index of a word in whatever case, or count. */
size_t words_find(const struct words *words, const char *word) MUST_CHECK;

void words_finish(struct words *words);

#endif
