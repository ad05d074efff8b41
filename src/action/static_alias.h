/* Static aliases: the operator's, touched by no refresh. */
#ifndef LPALIAS_ACTION_STATIC_ALIAS_H
#define LPALIAS_ACTION_STATIC_ALIAS_H

#include <stdbool.h>
#include <stddef.h>

#include "action/actor.h"
#include "base/error.h"
#include "store/changeset.h"
#include "store/record.h"

/* Enough for any list that still fits a tcp_table reply; a longer one wants a mailing list. */
#define STATIC_TARGET_MAX_COUNT 50

struct static_alias {
    const char *domain, *local;
    const char *const *targets; /* may be addresses of ours */
    size_t target_count;
    enum extension_policy extension;
};

/*
 * Makes it, or gives one that is there these targets. A name that is gone may become one.
 * ERROR_INVALID: a wrong target, a name that is a role, reserved by hand, a member's, or an
 * extension of a known name, or it would lead back to itself; ERROR_TEMPORARY: the cache, or a key
 * is missing.
 */
bool action_put_static_alias(const struct action *action, const struct static_alias *alias,
                             struct store_update_result *ret, struct error *error) MUST_CHECK;

#endif
