/*
 * The names that an account had before. The row of an old name stays and says which name took over
 * (`renamed_to`); the names between are rows of the same kind, so they make a chain.
 */
#ifndef LPALIAS_MEMBERSHIP_FORMER_NAME_H
#define LPALIAS_MEMBERSHIP_FORMER_NAME_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "store/snapshot.h"

struct former_name_list {
    char **names;
    size_t count;
};

/*
 * The names from which a chain of renames leads to name, each of the account with that pin and of
 * no login of its own; in the order of the chain, the last one first. *ret is to be finished in any
 * case. ERROR_TEMPORARY: the cache.
 */
bool former_name_find(struct snapshot *snapshot, const char *name, int64_t date_created_us,
                      struct former_name_list *ret, struct error *error) MUST_CHECK;
void former_name_list_finish(struct former_name_list *list);

#endif
