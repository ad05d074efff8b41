/*
 * Taking back what one refresh did to one domain: each row goes back to what it was, unless it was
 * changed since. Nobody is told again: no notices are made, and what was told stays remembered. The
 * domain is then held, so that no refresh does the same again, until an operator releases it
 * (action/plan.h).
 */
#ifndef LPALIAS_ACTION_ROLLBACK_H
#define LPALIAS_ACTION_ROLLBACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "action/actor.h"
#include "base/error.h"
#include "store/changeset.h"

/* One name that the refresh changed. */
struct rollback_entry {
    char *name;
    enum alias_state now, then;  /* of its own alias, before and after the roll-back; 0: none */
    const char *skipped_because; /* words for people; NULL: it goes back */
};

/* Zeroed to begin with. */
struct rollback_result {
    uint64_t generation; /* of the refresh */
    int64_t refresh_s;   /* when it was */
    struct rollback_entry *entries;
    size_t count;
    size_t restored, skipped;
    size_t already; /* names that are as before as it is; not in entries */
};

/*
 * Rolls back the refresh that made generation, 0: the last one that changed an alias of the domain.
 * A live alias stops answering only if that very refresh made it live. Nothing is changed, and the
 * domain not held, if no name can go back. A roll-back of more than CHANGESET_MAX_RECORDS rows is
 * written in pieces, held from the first; one that was interrupted goes on when it is asked for
 * again. is_dry: says what would be. *result is to be finished in any case. ERROR_INVALID: no such
 * domain, or no refresh that changed it is kept; ERROR_TEMPORARY: the cache.
 */
bool action_rollback(const struct action *action, const char *domain, uint64_t generation,
                     bool is_dry, struct rollback_result *result, struct store_update_result *ret,
                     struct error *error) MUST_CHECK;

void rollback_result_finish(struct rollback_result *result);

#endif
