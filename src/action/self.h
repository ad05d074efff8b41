/*
 * What a person may do to what is the person's own, after a login. Who it is says the claimed
 * identifier, not the name: names change hands (docs/architecture.md "What a login does").
 *
 * Of all of them: the actor is ACTOR_PERSON, whatever action says. ERROR_INVALID: the identifier is
 * nobody's (any more), the account is banned, or what is said below; the text names no address.
 * ERROR_TEMPORARY: the cache, or a key is missing.
 */
#ifndef LPALIAS_ACTION_SELF_H
#define LPALIAS_ACTION_SELF_H

#include <stdbool.h>

#include "action/actor.h"
#include "base/error.h"
#include "store/changeset.h"
#include "store/record.h"

/*
 * Mails link to address, which is to be proven: whoever follows it has read that mail. link is the
 * caller's, with a secret in it, and what it proves is the caller's to remember for
 * OUTBOX_LINK_LIFE_S; the cache knows nothing of it but the mail that waits. ERROR_INVALID also:
 * the address could not be added, see target_plan_own, or is in use already.
 */
bool action_self_ask_proof(const struct action *action, const char *identifier, const char *address,
                           const char *link, struct store_update_result *ret,
                           struct error *error) MUST_CHECK;

/* The address is proven (by its link, or vouched for by the login). See target_plan_own. */
bool action_self_add_target(const struct action *action, const char *identifier,
                            const char *address, struct store_update_result *ret,
                            struct error *error) MUST_CHECK;

/* Takes away an address that the person has added, in canonical form as it was shown. */
bool action_self_drop_target(const struct action *action, const char *identifier,
                             const char *address, struct store_update_result *ret,
                             struct error *error) MUST_CHECK;

/* See action_pause, action_resume. */
bool action_self_pause(const struct action *action, const char *identifier, bool is_paused,
                       struct store_update_result *ret, struct error *error) MUST_CHECK;

/* Of an alias that is the person's; see action_alias_set_extension. */
bool action_self_set_extension(const struct action *action, const char *identifier,
                               const char *domain, const char *local,
                               enum extension_policy extension, struct store_update_result *ret,
                               struct error *error) MUST_CHECK;

/* See action_erase; also of a banned account, whose ban stays. The login is not known afterwards.
 */
bool action_self_erase(const struct action *action, const char *identifier,
                       struct store_update_result *ret, struct error *error) MUST_CHECK;

#endif
