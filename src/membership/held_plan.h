/*
 * A held change: made by refresh_plan, looked at, released or discarded by an operator.
 */
#ifndef LPALIAS_MEMBERSHIP_HELD_PLAN_H
#define LPALIAS_MEMBERSHIP_HELD_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "membership/projection.h"
#include "store/record.h"

struct held_plan_result {
    size_t applied;
    size_t skipped;              /* rows changed since the plan was made */
    struct buffer skipped_names; /* one a line; to be finished by the caller */
};

/*
 * Puts what plan says for all names whose rows are unchanged since, as believed at once, the
 * domain's team and pin where plan holds everything, and deletes the plan. plan is of planning's
 * snapshot. Errors as projection_plan_membership.
 */
bool held_plan_release(const struct planning *planning, const char *domain,
                       const struct plan_record *plan, struct held_plan_result *ret,
                       struct error *error) MUST_CHECK;

#endif
