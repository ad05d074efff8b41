/* Erasing a person: everything that is not on Launchpad for all to see. */
#ifndef LPALIAS_ACTION_ERASE_H
#define LPALIAS_ACTION_ERASE_H

#include <stdbool.h>

#include "action/actor.h"
#include "base/error.h"
#include "membership/projection.h"
#include "store/changeset.h"

/*
 * Forgets targets, logins, choices, further aliases (their names stay as tombstones), what waits to
 * be told, undo, and whom the audit log is about. What Launchpad says of a member stays: the alias
 * of one who still is a member is pending. A ban stays, without its reason: forgetting it would be
 * a way around it. ERROR_INVALID: nobody of that name is known; ERROR_TEMPORARY: the cache.
 */
bool action_erase(const struct action *action, const char *name, struct store_update_result *ret,
                  struct error *error) MUST_CHECK;

/* Puts what that changes. Errors as above. */
bool erase_plan(const struct planning *planning, const char *name, struct error *error) MUST_CHECK;

#endif
