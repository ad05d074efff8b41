/*
 * The final targets of a row that an import gives to a member. Such a target may not lie in a
 * domain of ours, but alias files have them (jdoe@kubuntu.org -> jdoe@ubuntu.com): what they lead
 * to, by the file itself or else by the cache, is taken in their place.
 */
#ifndef LPALIAS_ACTION_IMPORT_RESOLVE_H
#define LPALIAS_ACTION_IMPORT_RESOLVE_H

#include <stdbool.h>
#include <stddef.h>

#include "action/import.h"
#include "address/address.h"
#include "membership/projection.h"

/* The rows of an import and where they are found; all borrowed. */
struct import_index {
    const struct planning *planning;
    const struct import_row *rows;
    const struct address *addresses; /* of rows; local "" if the row has none */
    const size_t *by_address;        /* rows in the order of their local part, then of their line */
    size_t row_count;
};

enum import_resolution {
    IMPORT_RESOLVED,
    IMPORT_LEADS_NOWHERE, /* *ret_place is the place of the target that does */
    IMPORT_CIRCLE,        /* likewise */
    IMPORT_UNREADABLE,    /* the cache or a sealed value: the error says why */
};

/*
 * Appends the final targets of row, one a line; what lies outside our domains as it is written.
 * ERROR_TEMPORARY: the cache, or a key is missing; ERROR_INVALID: a sealed value is broken.
 */
enum import_resolution import_resolve(const struct import_index *index,
                                      const struct import_row *row, struct buffer *ret_lines,
                                      size_t *ret_place, struct error *error) MUST_CHECK;

#endif
