/* Pausing all aliases of a person, as the person may wish. */
#ifndef LPALIAS_ACTION_PAUSE_H
#define LPALIAS_ACTION_PAUSE_H

#include <stdbool.h>

#include "action/actor.h"
#include "base/error.h"
#include "membership/projection.h"
#include "store/changeset.h"

/*
 * No alias of the person is delivered any more; a grace goes on running. ERROR_INVALID: nobody of
 * that name is known, or a sealed value is broken; ERROR_TEMPORARY: the cache, or a key is missing.
 */
bool action_pause(const struct action *action, const char *name, struct store_update_result *ret,
                  struct error *error) MUST_CHECK;

/* The opposite. Errors as above. */
bool action_resume(const struct action *action, const char *name, struct store_update_result *ret,
                   struct error *error) MUST_CHECK;

/* Puts what either changes. Errors as above. */
bool pause_plan(const struct planning *planning, const char *name, bool is_paused,
                struct error *error) MUST_CHECK;

#endif
