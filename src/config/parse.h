/*
 * From text to a flat list of sections and values, each with its line. libConfuse reads the
 * grammar; it takes every value as a string, so that all bad values can be told at once, and its
 * own tree, which knows no lines, is thrown away.
 */
#ifndef LPALIAS_CONFIG_PARSE_H
#define LPALIAS_CONFIG_PARSE_H

#include <stdbool.h>
#include <stddef.h>

#include "config/problem.h"
#include "config/table.h"

struct parsed_section {
    enum config_section_id id;
    size_t parent;      /* index of the section around it; the first is the file itself */
    int line;           /* of its "{" */
    char *title;        /* or NULL */
    const void *handle; /* libConfuse's, while parsing */
    size_t first_value; /* values with a smaller index belong to others */
};

struct parsed_value {
    size_t section; /* index */
    const struct config_key *key;
    int line;
    char *text; /* one element of a list */
};

/* A zeroed one is empty. */
struct parsed {
    struct parsed_section *sections;
    size_t section_count, section_capacity;
    struct parsed_value *values;
    size_t value_count, value_capacity;
    bool complete; /* neither cut nor stopped by a syntax error: what misses is really missing */
};

/*
 * Reads text that scan_text() found fit and fills ret_parsed, which parsed_finish() frees. Adds
 * unknown keys and sections, keys given twice and the first syntax error to problems. Text that
 * scan_text() cut before cut_line (else 0) may end anywhere, which is no syntax error. Not to be
 * called in two threads at a time, as libConfuse's scanner is global. Needs the C locale for
 * messages (nobody here calls setlocale): libConfuse is told apart by its texts.
 */
void parse_settings(const char *text, int cut_line, struct parsed *ret_parsed,
                    struct problem_list *problems);

/* The first value of that key in that section, or NULL. */
const struct parsed_value *parsed_find(const struct parsed *parsed, size_t section,
                                       const struct config_key *key);

void parsed_finish(struct parsed *parsed);

#endif
