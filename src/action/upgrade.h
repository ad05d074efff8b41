/* A cache of the layout before becomes one of the newest layout. */
#ifndef LPALIAS_ACTION_UPGRADE_H
#define LPALIAS_ACTION_UPGRADE_H

#include <stdbool.h>
#include <stddef.h>

#include "action/actor.h"
#include "base/buffer.h"
#include "base/error.h"
#include "store/changeset.h"

struct upgrade_result {
    unsigned layout; /* as it was; RECORD_LAYOUT_VERSION: nothing was to be done */
    size_t records;
    size_t unopened; /* people whose targets do not open, before and after */
    bool went_back;  /* it was older than what was written last: all domains are closed */
    uint64_t generation;
};

/*
 * Converts all records in one transaction; rows keep their generation, as they say the same. The
 * store is opened with STORE_UPGRADE. ERROR_TEMPORARY: the cache, or a key that seals somebody's
 * targets is missing.
 */
bool action_cache_upgrade(const struct action *action, struct upgrade_result *ret,
                          struct error *error) MUST_CHECK;

/*
 * The targets of a person's row of layout 1 become a list of the newest layout, sealed into
 * *sealed, which must outlive the use of person; any other row is left. What no key opens stays
 * sealed as it is, with *ret_opened false. ERROR_TEMPORARY: the key is missing.
 */
bool upgrade_person(const struct keyring *ring, const char *name, struct person_record *person,
                    struct buffer *sealed, bool *ret_opened, struct error *error) MUST_CHECK;

#endif
