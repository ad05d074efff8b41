#include "action/login.h"

#include "action/update.h"

bool action_login(const struct action *action, struct login_request *request,
                  struct store_update_result *ret, struct error *error)
{
    struct action as_person = *action;
    as_person.actor = ACTOR_PERSON;
    return action_update(&as_person, login_plan, request, ret, error);
}
