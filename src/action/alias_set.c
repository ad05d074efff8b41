#include "action/alias_set.h"

#include "action/alias_row.h"
#include "action/person.h"
#include "action/update.h"

/* Of a member's own alias it stands in the membership, and the row follows. */
static bool plan_own(const struct planning *planning, const struct alias_request *alias,
                     enum extension_policy extension, struct error *error)
{
    struct membership_record membership;
    struct person_record person;
    struct projection_result result;
    enum store_result has_row =
        snapshot_membership(planning->snapshot, alias->domain, alias->local, &membership, error);
    if (has_row == STORE_TROUBLE || !person_find(planning, alias->local, &person, error))
        return false;
    if (has_row == STORE_ABSENT)
        return error_set(error, ERROR_INVALID, "%s has no member of that name", alias->domain);
    membership.extension = extension;
    return projection_plan_membership(planning, alias->domain, alias->local, &person, &membership,
                                      NULL, &result, error);
}

bool alias_set_plan_extension(const struct planning *planning, const struct alias_request *alias,
                              enum extension_policy extension, struct error *error)
{
    struct alias_record row;
    if (!alias_find(planning, alias, &row, error))
        return false;
    if (row.state == ALIAS_GONE || alias_is_reservation(&row))
        return error_set(error, ERROR_INVALID, "nobody has it: it is gone or reserved");
    if (row.extension == extension)
        return true;
    changeset_begin_group(planning->changeset, false);
    action_event(planning, "alias.extension", alias->domain, alias->local,
                 extension_policy_name(extension));
    if (row.kind == ALIAS_MEMBER)
        return plan_own(planning, alias, extension, error);
    row.extension = extension;
    changeset_put_alias(planning->changeset, alias->domain, alias->local, &row);
    return true;
}

struct extension_request {
    struct alias_request alias;
    enum extension_policy extension;
};

static bool plan_extension(void *context, const struct planning *planning, struct error *error)
{
    const struct extension_request *request = context;
    return alias_set_plan_extension(planning, &request->alias, request->extension, error);
}

bool action_alias_set_extension(const struct action *action, const char *domain, const char *local,
                                enum extension_policy extension, struct store_update_result *ret,
                                struct error *error)
{
    struct extension_request request = {{domain, local}, extension};
    return action_update(action, plan_extension, &request, ret, error);
}
