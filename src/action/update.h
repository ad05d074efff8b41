/*
 * How every act changes the cache: it is planned on a snapshot, with the notices that belong to it,
 * and what it plans is applied as one changeset.
 */
#ifndef LPALIAS_ACTION_UPDATE_H
#define LPALIAS_ACTION_UPDATE_H

#include <stdbool.h>

#include "action/actor.h"
#include "base/error.h"
#include "membership/projection.h"
#include "store/changeset.h"

/*
 * Fills planning->changeset and planning->notices from planning->snapshot. May be called several
 * times, as the cache may move meanwhile: results in context begin afresh each time. False with an
 * error to give up.
 */
typedef bool action_plan(void *context, const struct planning *planning, struct error *error);

/*
 * Plans and applies. Only a refresh ends a grace or confirms a doubt: for an act the time is not
 * trusted. Errors as store_update, and those of plan.
 */
bool action_update(const struct action *action, action_plan *plan, void *context,
                   struct store_update_result *ret, struct error *error) MUST_CHECK;

/* The same, but nothing is written; ret says what would be. */
bool action_preview(const struct action *action, action_plan *plan, void *context,
                    struct store_update_result *ret, struct error *error) MUST_CHECK;

/* Puts an event of the planning's actor. Texts may be "", and hold no target. */
void action_event(const struct planning *planning, const char *act, const char *domain,
                  const char *subject, const char *detail);

#endif
