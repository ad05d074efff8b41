/*
 * A held change of a domain: gathered by refresh_plan, kept in the table of plans, looked at,
 * released or discarded by an operator. It is always as the newest usable listing says: each
 * refresh writes it anew, leaves it or takes it away.
 */
#ifndef LPALIAS_MEMBERSHIP_HELD_PLAN_H
#define LPALIAS_MEMBERSHIP_HELD_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "membership/projection.h"
#include "store/record.h"

/*
 * Puts plan, or leaves the one that is there if it says the same, with an event if it is new.
 * *ret_is_discarded: an operator has said no to just this. ERROR_TEMPORARY: the cache.
 */
bool held_plan_keep(const struct planning *planning, const char *domain,
                    const struct plan_record *plan, bool *ret_is_discarded,
                    struct error *error) MUST_CHECK;

/* Nothing of the domain is held any more: takes a plan away that is there. ERROR_TEMPORARY. */
bool held_plan_drop(const struct planning *planning, const char *domain,
                    struct error *error) MUST_CHECK;

struct held_plan_result {
    size_t applied;
    size_t skipped;              /* rows changed since the plan was made */
    struct buffer skipped_names; /* one a line; to be finished by the caller */
};

/*
 * Puts what plan says for all names whose rows are unchanged since, as believed at once, the
 * domain's team and pin where plan holds everything, and deletes the plan. plan is of planning's
 * snapshot. A name whose targets do not open is skipped. Errors as projection_plan_membership.
 */
bool held_plan_release(const struct planning *planning, const char *domain,
                       const struct plan_record *plan, struct held_plan_result *ret,
                       struct error *error) MUST_CHECK;

#endif
