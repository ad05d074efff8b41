/* An operator's word that a member may have a name that the rules refuse. */
#ifndef LPALIAS_ACTION_ALIAS_ALLOW_H
#define LPALIAS_ACTION_ALIAS_ALLOW_H

#include <stdbool.h>

#include "action/actor.h"
#include "base/error.h"
#include "store/changeset.h"

/*
 * From now on (or, is_allowed false, not any more) the member of that name may have it as an alias
 * though it is reserved, collides, or is that of an alias that was taken away. Who has it keeps it
 * when the word is withdrawn. ERROR_INVALID: no such member, a name that no mail can reach, or the
 * address is an alias or reserved by hand; ERROR_TEMPORARY: the cache, or a key is missing.
 */
bool action_alias_allow(const struct action *action, const char *domain, const char *local,
                        bool is_allowed, struct store_update_result *ret,
                        struct error *error) MUST_CHECK;

#endif
