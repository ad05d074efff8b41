/* What an alias does with an extension. */
#ifndef LPALIAS_ACTION_ALIAS_SET_H
#define LPALIAS_ACTION_ALIAS_SET_H

#include <stdbool.h>

#include "action/actor.h"
#include "action/alias_row.h"
#include "base/error.h"
#include "store/changeset.h"
#include "store/record.h"

/* ERROR_INVALID: no such alias, or it is gone; ERROR_TEMPORARY: the cache, or a key is missing. */
bool action_alias_set_extension(const struct action *action, const char *domain, const char *local,
                                enum extension_policy extension, struct store_update_result *ret,
                                struct error *error) MUST_CHECK;

/* Puts what that changes. Errors as above. */
bool alias_set_plan_extension(const struct planning *planning, const struct alias_request *alias,
                              enum extension_policy extension, struct error *error) MUST_CHECK;

#endif
