/* The rows of a backup become those of the live cache. */
#ifndef LPALIAS_ACTION_RESTORE_H
#define LPALIAS_ACTION_RESTORE_H

#include <stdbool.h>
#include <stddef.h>

#include "action/actor.h"
#include "action/key.h"
#include "base/error.h"
#include "store/changeset.h"

struct restore_result {
    uint64_t backup_generation;
    size_t aliases, people, memberships, domains;
    size_t unopened;       /* sealed values of the backup that no key opens */
    bool is_another_cache; /* the backup is of a cache with another id */
    bool was_empty;        /* the live cache held nothing yet */
    uint64_t generation;
};

/*
 * Counts the sealed values of the backup, and refuses one that would answer TEMP to everything:
 * ERROR_INVALID: a key that seals something in it is not in the ring, or none of its values opens;
 * ERROR_TEMPORARY: it cannot be read. ret is to be finished, also on failure.
 */
bool restore_check_keys(struct store *backup, const struct keyring *ring, struct key_census *ret,
                        struct error *error) MUST_CHECK;

/*
 * Writes the backup's rows into the live cache in one transaction of a new generation. Live cache
 * id, events, waiting notices, the memory of what was told, and runs stay; held plans and what
 * could be rolled back go, as they were made for other rows. All domains are closed, also those
 * that only the live cache has, which lose their aliases. Into an empty cache the backup's events,
 * waiting notices and memory of what was told come, too. keys is what restore_check_keys counted.
 * ERROR_TEMPORARY: the cache or the backup.
 */
bool action_restore(const struct action *action, struct store *backup,
                    const struct key_census *keys, struct restore_result *ret,
                    struct error *error) MUST_CHECK;

#endif
