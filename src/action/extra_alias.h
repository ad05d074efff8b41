/* Further aliases of members, made by an operator. */
#ifndef LPALIAS_ACTION_EXTRA_ALIAS_H
#define LPALIAS_ACTION_EXTRA_ALIAS_H

#include <stdbool.h>

#include "action/actor.h"
#include "base/error.h"
#include "store/changeset.h"
#include "store/record.h"

struct extra_alias {
    const char *domain, *local;
    const char *name; /* whose it is to be */
    enum extension_policy extension;
    bool may_be_reserved; /* a name of the lists of reserved names will do */
};

/*
 * Gives it to the person; it follows the rules, targets and choices of the person from now on. One
 * that the person had before can be given again. ERROR_INVALID: the person is no member there, has
 * MEMBERSHIP_MAX_EXTRAS already, or the name is a role, reserved, a member's, another's, was
 * another's, or is an extension of such a name; ERROR_TEMPORARY: the cache, or a key is missing.
 */
bool action_add_extra_alias(const struct action *action, const struct extra_alias *alias,
                            struct store_update_result *ret, struct error *error) MUST_CHECK;

#endif
