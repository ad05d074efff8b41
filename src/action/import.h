/*
 * Taking over an alias file: a row that matches a member gives that member targets, every other
 * row becomes a static alias of the operator.
 */
#ifndef LPALIAS_ACTION_IMPORT_H
#define LPALIAS_ACTION_IMPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "action/actor.h"
#include "base/error.h"
#include "store/changeset.h"

enum import_fate {
    IMPORT_MATCHED, /* a member's targets */
    IMPORT_STATIC,
    IMPORT_REFUSED, /* see reason */
};

struct import_row {
    unsigned line;
    char *address; /* as written */
    char **targets;
    size_t target_count;
    /* Filled by action_import. */
    enum import_fate fate;
    char reason[160]; /* of REFUSED; holds no address */
};

struct import_request {
    struct import_row *rows;
    size_t row_count;
    bool is_all_static; /* match no members: for domains without a team */
};

/*
 * Sorts all rows and writes what is not refused; is_dry: sorts only. A domain that no refresh
 * has filled refuses its rows unless is_all_static: who is a member is not known yet.
 * ERROR_TEMPORARY: the cache. A refused row is no error.
 */
bool action_import(const struct action *action, struct import_request *request, bool is_dry,
                   struct store_update_result *ret, struct error *error) MUST_CHECK;

#endif
