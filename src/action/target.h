/* The targets of a person: up to five, outside all domains that are ours. */
#ifndef LPALIAS_ACTION_TARGET_H
#define LPALIAS_ACTION_TARGET_H

#include <stdbool.h>
#include <stddef.h>

#include "action/actor.h"
#include "base/buffer.h"
#include "base/error.h"
#include "membership/projection.h"
#include "store/changeset.h"
#include "store/snapshot.h"

#define TARGET_MAX_COUNT 5

/*
 * Checks targets as given and appends them in canonical form, one a line, without repeats.
 * is_member: they must lie outside our domains (no loops), and be at most TARGET_MAX_COUNT.
 * ERROR_INVALID with the reason; the text names a target by its place, never by its address.
 */
bool target_check_all(const struct action *action, const char *const *targets, size_t count,
                      bool is_member, struct buffer *ret_lines, struct error *error) MUST_CHECK;

/*
 * An operator gives a person targets; every alias of the person follows at once.
 * ERROR_INVALID: unknown person, or see target_check_all; ERROR_TEMPORARY: the cache.
 */
bool action_target_set(const struct action *action, const char *name, const char *const *targets,
                       size_t count, struct store_update_result *ret,
                       struct error *error) MUST_CHECK;

/* Takes all targets away; aliases become pending. Errors as above. */
bool action_target_clear(const struct action *action, const char *name,
                         struct store_update_result *ret, struct error *error) MUST_CHECK;

/*
 * Puts the person's row with these targets of the operator and all aliases that follow from it.
 * ERROR_INVALID: unknown person; else as projection_plan_person.
 */
bool target_plan_person(const struct planning *planning, const char *name, struct span lines,
                        struct error *error) MUST_CHECK;

/* What the person may do with an address of the person's own. */
enum target_step {
    TARGET_CHECK, /* nothing but whether it could be added: ERROR_INVALID says why not */
    TARGET_ADD,   /* it is proven; every alias of the person follows */
    TARGET_DROP,
};

/*
 * Puts the person's row with that address added to, or taken from, the person's own targets, and
 * all aliases that follow. One that is to be added must be a legal address outside all domains that
 * are ours, and at most TARGET_MAX_COUNT are the person's own; one that is there already changes
 * nothing. ERROR_INVALID with the reason, which does not show the address; errors also as
 * projection_plan_person.
 */
bool target_plan_own(const struct planning *planning, const char *name, const char *address,
                     enum target_step step, struct error *error) MUST_CHECK;

#endif
