/* What an operator says to a held change: yes or no. */
#ifndef LPALIAS_ACTION_PLAN_H
#define LPALIAS_ACTION_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "action/actor.h"
#include "base/error.h"
#include "membership/held_plan.h"
#include "store/changeset.h"

/*
 * Applies the held plan of the domain to the rows that are unchanged since, and ends the hold that
 * a roll-back set. number: the plan's, as it was shown; 0: whichever is there. *ret_names is to be
 * finished by the caller. ERROR_INVALID: nothing is held, a newer listing has made another plan, or
 * the domain is frozen; ERROR_TEMPORARY: the cache, or a key is missing.
 */
bool action_plan_release(const struct action *action, const char *domain, uint64_t number,
                         struct held_plan_result *ret_names, struct store_update_result *ret,
                         struct error *error) MUST_CHECK;

/* Says no: it is not applied, and waits no more until the listing says another thing. As above. */
bool action_plan_discard(const struct action *action, const char *domain, uint64_t number,
                         struct store_update_result *ret, struct error *error) MUST_CHECK;

#endif
