#include "action/ban.h"

#include <string.h>

#include "action/person.h"
#include "action/update.h"

struct ban_request {
    const char *name;
    const char *reason;
};

static bool plan_ban(void *context, const struct planning *planning, struct error *error)
{
    const struct ban_request *request = context;
    struct person_record person = {.stamp.layout = RECORD_LAYOUT_VERSION};
    enum store_result result = snapshot_person(planning->snapshot, request->name, &person, error);
    if (result == STORE_TROUBLE)
        return false;
    if (person.is_banned && span_is_text(person.ban_reason, request->reason))
        return true;
    if (!person.is_banned)
        person.banned_s = planning->now_s;
    person.is_banned = true;
    person.ban_reason = span_of(request->reason);
    changeset_begin_group(planning->changeset, false);
    action_event(planning, "person.ban", "", request->name, request->reason);
    return projection_plan_person(planning, request->name, &person, error);
}

bool action_ban(const struct action *action, const char *name, const char *reason,
                struct store_update_result *ret, struct error *error)
{
    struct ban_request request = {name, reason};
    if (strlen(name) > PERSON_NAME_MAX_BYTES)
        return error_set(error, ERROR_INVALID, "the name is longer than %d bytes",
                         PERSON_NAME_MAX_BYTES);
    return action_update(action, plan_ban, &request, ret, error);
}

/* A row that says nothing but "banned", of somebody no listing has brought. */
static bool is_only_a_ban(const struct person_record *person)
{
    return person->date_created_us == 0 && person->sealed_targets.length == 0 &&
           person->login_identifier.length == 0;
}

static bool plan_unban(void *context, const struct planning *planning, struct error *error)
{
    const struct ban_request *request = context;
    struct person_record person;
    if (!person_find(planning, request->name, &person, error))
        return false;
    if (!person.is_banned)
        return true;
    changeset_begin_group(planning->changeset, false);
    action_event(planning, "person.unban", "", request->name, request->reason);
    if (is_only_a_ban(&person)) {
        changeset_delete_person(planning->changeset, request->name);
        return true;
    }
    person.is_banned = false;
    person.banned_s = 0;
    person.ban_reason = span_of("");
    return projection_plan_person(planning, request->name, &person, error);
}

bool action_unban(const struct action *action, const char *name, const char *reason,
                  struct store_update_result *ret, struct error *error)
{
    struct ban_request request = {name, reason};
    return action_update(action, plan_unban, &request, ret, error);
}
