#include "action/domain.h"

#include "action/update.h"

struct domain_request {
    const char *domain;
    bool open;
};

static bool find_row(const char *domain, struct snapshot *snapshot, struct domain_record *ret,
                     struct error *error)
{
    enum store_result result = snapshot_domain(snapshot, domain, ret, error);
    return result == STORE_FOUND ||
           (result == STORE_ABSENT &&
            error_set(error, ERROR_INVALID,
                      "the cache has no domain %s yet; a refresh or an import brings it", domain));
}

static bool plan_state(void *context, const struct planning *planning, struct error *error)
{
    const struct domain_request *request = context;
    struct domain_record row;
    if (!find_row(request->domain, planning->snapshot, &row, error))
        return false;
    if (!request->open && !row.is_open)
        return true;
    row.is_open = request->open;
    if (request->open)
        row.opened_generation = snapshot_generation(planning->snapshot) + 1;
    changeset_begin_group(planning->changeset, false);
    changeset_put_domain(planning->changeset, request->domain, &row);
    action_event(planning, request->open ? "domain.open" : "domain.close", request->domain, "", "");
    return true;
}

bool action_domain_open(const struct action *action, const char *domain,
                        struct store_update_result *ret, struct error *error)
{
    struct domain_request request = {domain, true};
    return action_update(action, plan_state, &request, ret, error);
}

bool action_domain_close(const struct action *action, const char *domain,
                         struct store_update_result *ret, struct error *error)
{
    struct domain_request request = {domain, false};
    return action_update(action, plan_state, &request, ret, error);
}

static bool delete_alias(void *context, const char *domain, const char *local,
                         const struct alias_record *record)
{
    (void)record;
    changeset_delete_alias(context, domain, local);
    return true;
}

static bool delete_membership(void *context, const char *domain, const char *name,
                              const struct membership_record *record)
{
    (void)record;
    changeset_delete_membership(context, domain, name);
    return true;
}

/*
 * One group, so that it is one piece however large: a domain half removed would answer NOTFOUND
 * for names whose neighbours still work.
 */
static bool plan_removal(void *context, const struct planning *planning, struct error *error)
{
    const struct domain_request *request = context;
    struct snapshot *snapshot = planning->snapshot;
    struct changeset *changeset = planning->changeset;
    struct domain_record row;
    if (!find_row(request->domain, planning->snapshot, &row, error))
        return false;
    changeset_begin_group(changeset, false);
    if (!snapshot_each_alias(snapshot, request->domain, delete_alias, changeset, error) ||
        !snapshot_each_membership(snapshot, request->domain, delete_membership, changeset, error))
        return false;
    /* Released, it would bring rows into a domain that is not there. */
    changeset_delete_plan(changeset, request->domain);
    changeset_delete_domain(changeset, request->domain);
    action_event(planning, "domain.remove", request->domain, "", "");
    return true;
}

bool action_domain_remove(const struct action *action, const char *domain,
                          struct store_update_result *ret, struct error *error)
{
    if (house_find(action->house, domain) != NULL)
        return error_set(error, ERROR_INVALID,
                         "%s still stands in the configuration; take it out there first", domain);
    struct domain_request request = {domain, false};
    return action_update(action, plan_removal, &request, ret, error);
}
