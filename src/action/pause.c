#include "action/pause.h"

#include "action/person.h"
#include "action/update.h"

bool pause_plan(const struct planning *planning, const char *name, bool is_paused,
                struct error *error)
{
    struct person_record person;
    if (!person_find(planning, name, &person, error))
        return false;
    if (person.is_paused == is_paused)
        return true;
    person.is_paused = is_paused;
    person.paused_s = is_paused ? planning->now_s : 0;
    changeset_begin_group(planning->changeset, false);
    action_event(planning, is_paused ? "person.pause" : "person.resume", "", name, "");
    return projection_plan_person(planning, name, &person, error);
}

struct pause_request {
    const char *name;
    bool is_paused; /* afterwards */
};

static bool plan_pause(void *context, const struct planning *planning, struct error *error)
{
    const struct pause_request *request = context;
    return pause_plan(planning, request->name, request->is_paused, error);
}

bool action_pause(const struct action *action, const char *name, struct store_update_result *ret,
                  struct error *error)
{
    struct pause_request request = {name, true};
    return action_update(action, plan_pause, &request, ret, error);
}

bool action_resume(const struct action *action, const char *name, struct store_update_result *ret,
                   struct error *error)
{
    struct pause_request request = {name, false};
    return action_update(action, plan_pause, &request, ret, error);
}
