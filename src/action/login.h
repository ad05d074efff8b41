/* A person has logged in. */
#ifndef LPALIAS_ACTION_LOGIN_H
#define LPALIAS_ACTION_LOGIN_H

#include <stdbool.h>

#include "action/actor.h"
#include "base/error.h"
#include "membership/login_plan.h"
#include "store/changeset.h"

/* Who acts where a person acts, in the audit log; who it is says the subject. */
#define ACTOR_PERSON "person"

/*
 * Does at once what the login changes; what came of it is in request. The actor is ACTOR_PERSON,
 * whatever action says. Errors as login_plan.
 */
bool action_login(const struct action *action, struct login_request *request,
                  struct store_update_result *ret, struct error *error) MUST_CHECK;

#endif
