/* Taking away an extra or static alias, or a reservation. */
#ifndef LPALIAS_ACTION_ALIAS_REMOVE_H
#define LPALIAS_ACTION_ALIAS_REMOVE_H

#include <stdbool.h>

#include "action/actor.h"
#include "base/error.h"
#include "membership/projection.h"
#include "store/changeset.h"

/*
 * The alias is gone at once, and its name stays known, so that nobody else gets it by accident. A
 * name that is only reserved becomes free. ERROR_INVALID: there is no such alias, or it is the one
 * that a member has by the rules; ERROR_TEMPORARY: the cache, or a key is missing.
 */
bool action_alias_remove(const struct action *action, const char *domain, const char *local,
                         struct store_update_result *ret, struct error *error) MUST_CHECK;

/* Puts the row that is left of before, an alias that was taken away from owner (or ""). */
void alias_put_tombstone(const struct planning *planning, const char *domain, const char *local,
                         const struct alias_record *before, const char *owner);

#endif
