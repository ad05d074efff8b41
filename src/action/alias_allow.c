#include "action/alias_allow.h"

#include <string.h>

#include "action/alias_row.h"
#include "action/person.h"
#include "action/update.h"
#include "address/address.h"

struct allow_request {
    struct alias_request alias;
    bool is_allowed;
};

/* What no word of an operator's can give to a member. */
static bool check_is_possible(const struct planning *planning, const struct alias_request *alias,
                              struct error *error)
{
    struct alias_record row;
    if (!address_is_legal_local(alias->local, strlen(alias->local)))
        return error_set(error, ERROR_INVALID, "no mail can reach it: it is no legal local part");
    if (house_is_role(house_find(planning->house, alias->domain), alias->local))
        return error_set(error, ERROR_INVALID, "it is a role address, set in the configuration");
    enum store_result result =
        snapshot_alias(planning->snapshot, alias->domain, span_of(alias->local), &row, error);
    if (result != STORE_FOUND || row.kind == ALIAS_MEMBER || row.state == ALIAS_GONE)
        return result != STORE_TROUBLE;
    return error_set(error, ERROR_INVALID,
                     alias_is_reservation(&row)
                         ? "it was reserved by hand: alias remove lifts that"
                         : "it is a static or extra alias: alias remove takes that away");
}

static bool plan_allowance(void *context, const struct planning *planning, struct error *error)
{
    const struct allow_request *request = context;
    const struct alias_request *alias = &request->alias;
    struct membership_record membership;
    struct person_record person;
    struct projection_result result;
    enum store_result has_row =
        snapshot_membership(planning->snapshot, alias->domain, alias->local, &membership, error);
    if (has_row == STORE_TROUBLE)
        return false;
    if (has_row == STORE_ABSENT)
        return error_set(error, ERROR_INVALID, "%s has no member of that name", alias->domain);
    if (membership.is_name_allowed == request->is_allowed)
        return true;
    if (!person_find(planning, alias->local, &person, error) ||
        (request->is_allowed && !check_is_possible(planning, alias, error)))
        return false;
    membership.is_name_allowed = request->is_allowed;
    changeset_begin_group(planning->changeset, false);
    action_event(planning, request->is_allowed ? "alias.allow" : "alias.disallow", alias->domain,
                 alias->local, "");
    return projection_plan_membership(planning, alias->domain, alias->local, &person, &membership,
                                      NULL, &result, error);
}

bool action_alias_allow(const struct action *action, const char *domain, const char *local,
                        bool is_allowed, struct store_update_result *ret, struct error *error)
{
    struct allow_request request = {{domain, local}, is_allowed};
    return action_update(action, plan_allowance, &request, ret, error);
}
