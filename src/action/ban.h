/* Banning an account: all its aliases are refused at once, without grace, in every domain. */
#ifndef LPALIAS_ACTION_BAN_H
#define LPALIAS_ACTION_BAN_H

#include <stdbool.h>

#include "action/actor.h"
#include "base/error.h"
#include "store/changeset.h"

/*
 * The ban is tied to the account and not to its name: it holds for who bears the name now, or is
 * seen first under it when nobody is known yet. reason: text for admins. ERROR_INVALID: the name is
 * too long, a sealed value is broken; ERROR_TEMPORARY: the cache, or a key is missing.
 */
bool action_ban(const struct action *action, const char *name, const char *reason,
                struct store_update_result *ret, struct error *error) MUST_CHECK;

/*
 * The person goes on by the rules as one who was never live, with the targets of before. Somebody
 * who was banned ahead of being known is unknown again. reason: text for the audit log, may be "".
 * ERROR_INVALID also: nobody of that name is known.
 */
bool action_unban(const struct action *action, const char *name, const char *reason,
                  struct store_update_result *ret, struct error *error) MUST_CHECK;

#endif
