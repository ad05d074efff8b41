/* Applying a refresh: one changeset for all usable domains, and the run rows. */
#ifndef LPALIAS_ACTION_REFRESH_H
#define LPALIAS_ACTION_REFRESH_H

#include <stdbool.h>

#include "action/actor.h"
#include "base/error.h"
#include "membership/refresh_plan.h"
#include "store/changeset.h"

/*
 * Plans and applies request, then writes a run row for each of its domains; results are in
 * request->domains. is_dry: plans only, writes nothing. ERROR_TEMPORARY: the cache cannot be read
 * or written; the run rows then say so if they can be written at all.
 */
bool action_refresh(const struct action *action, struct refresh_request *request, bool is_dry,
                    struct store_update_result *ret, struct error *error) MUST_CHECK;

#endif
