#include "action/erase.h"

#include "action/alias_remove.h"
#include "action/update.h"
#include "membership/forget.h"

/* An erasure under way. */
struct erasure {
    struct planning planning; /* without notices and names */
    const char *name;
    struct person_record person; /* as it is to be */
    bool is_known_to_launchpad;  /* some listing has brought the name: a membership row stands */
    bool is_fine;
    struct error *error;
};

/* What the rules make of somebody who was never live and has no target. */
static bool erase_in_domain(void *context, const char *domain, const struct domain_record *row)
{
    struct erasure *erasure = context;
    struct membership_record membership;
    struct projection_result result;
    (void)row;
    enum store_result has_row = snapshot_membership(erasure->planning.snapshot, domain,
                                                    erasure->name, &membership, erasure->error);
    erasure->is_fine = has_row != STORE_TROUBLE;
    if (has_row != STORE_FOUND)
        return erasure->is_fine;
    erasure->is_known_to_launchpad = true;
    /* A row of somebody else of the same name has nothing to be erased, and waits for a listing. */
    if (membership.date_created_us != erasure->person.date_created_us)
        return true;
    membership.extras = span_of("");
    membership.extension = EXTENSION_APPEND;
    membership.live_since_s = 0;
    erasure->is_fine =
        projection_plan_membership(&erasure->planning, domain, erasure->name, &erasure->person,
                                   &membership, NULL, &result, erasure->error);
    return erasure->is_fine;
}

/* Their names stay known, and not any more whose they were. */
static bool erase_extra(void *context, const char *domain, const char *local,
                        const struct alias_record *record)
{
    struct erasure *erasure = context;
    if (record->kind == ALIAS_EXTRA && span_is_text(record->owner, erasure->name))
        alias_put_tombstone(&erasure->planning, domain, local, record, "");
    return true;
}

bool erase_plan(const struct planning *planning, const char *name, struct error *error)
{
    struct person_record person;
    struct erasure erasure = {.planning = *planning, .name = name, .is_fine = true, .error = error};
    erasure.planning.notices = NULL;
    erasure.planning.names_nobody = true;
    switch (snapshot_person(planning->snapshot, erasure.name, &person, error)) {
    case STORE_TROUBLE:
        return false;
    case STORE_ABSENT:
        return error_set(error, ERROR_INVALID, "nobody of the name %s is known", erasure.name);
    case STORE_FOUND:
        break;
    }
    erasure.person = (struct person_record){
        .date_created_us = person.date_created_us,
        .is_banned = person.is_banned,
        .banned_s = person.banned_s,
    };
    changeset_begin_group(planning->changeset, false);
    if (!snapshot_each_domain(planning->snapshot, erase_in_domain, &erasure, error) ||
        !erasure.is_fine ||
        !snapshot_each_alias(planning->snapshot, NULL, erase_extra, &erasure, error))
        return false;
    if (erasure.is_known_to_launchpad || person.is_banned)
        changeset_put_person(planning->changeset, erasure.name, &erasure.person);
    else
        changeset_delete_person(planning->changeset, erasure.name);
    action_event(planning, "person.erase", "", EVENT_ERASED_SUBJECT, "");
    const char *const names[] = {erasure.name};
    return forget_traces(planning, names, ARRAY_LENGTH(names), FORGET_PERSON, error);
}

static bool plan_erasure(void *context, const struct planning *planning, struct error *error)
{
    return erase_plan(planning, context, error);
}

bool action_erase(const struct action *action, const char *name, struct store_update_result *ret,
                  struct error *error)
{
    return action_update(action, plan_erasure, (void *)name, ret, error);
}
