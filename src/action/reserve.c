#include "action/reserve.h"

#include "action/alias_row.h"
#include "action/update.h"

struct reserve_request {
    struct alias_request alias;
    const char *reason;
};

/* A member who was live and lacks targets now has the address still: see the rule table. */
static bool was_live(const struct planning *planning, const struct alias_request *alias, bool *ret,
                     struct error *error)
{
    struct membership_record membership;
    enum store_result result =
        snapshot_membership(planning->snapshot, alias->domain, alias->local, &membership, error);
    *ret = result == STORE_FOUND && membership.live_since_s != 0;
    return result != STORE_TROUBLE;
}

static bool check_row(const struct planning *planning, const struct alias_request *alias,
                      const struct alias_record *row, struct error *error)
{
    bool is_held = false;
    if (row->kind != ALIAS_MEMBER && row->state == ALIAS_GONE)
        return error_set(error, ERROR_INVALID, "it is nobody's already: the alias was taken away");
    if (!was_live(planning, alias, &is_held, error))
        return false;
    is_held = row->kind != ALIAS_MEMBER || row->state == ALIAS_ACTIVE ||
              row->state == ALIAS_LEAVING || row->state == ALIAS_PAUSED ||
              (row->state == ALIAS_PENDING && is_held);
    return !is_held || error_set(error, ERROR_INVALID, "somebody has it: it is %s",
                                 alias_state_name(row->state));
}

static bool plan_reservation(void *context, const struct planning *planning, struct error *error)
{
    const struct reserve_request *request = context;
    const struct alias_request *alias = &request->alias;
    struct alias_record row;
    enum store_result result =
        snapshot_alias(planning->snapshot, alias->domain, span_of(alias->local), &row, error);
    if (result == STORE_TROUBLE)
        return false;
    if (result == STORE_FOUND && alias_is_reservation(&row))
        return true;
    if ((result == STORE_FOUND && !check_row(planning, alias, &row, error)) ||
        !alias_check_name(planning, alias, error) ||
        !alias_ensure_domain(planning, alias->domain, error))
        return false;
    row = (struct alias_record){
        .kind = ALIAS_STATIC,
        .state = ALIAS_REFUSED,
        .reason = REASON_RESERVED,
        .extension = EXTENSION_DROP,
        .since_s = planning->now_s,
    };
    changeset_begin_group(planning->changeset, false);
    changeset_put_alias(planning->changeset, alias->domain, alias->local, &row);
    action_event(planning, "alias.reserve", alias->domain, alias->local, request->reason);
    return true;
}

bool action_reserve(const struct action *action, const char *domain, const char *local,
                    const char *reason, struct store_update_result *ret, struct error *error)
{
    struct reserve_request request = {{domain, local}, reason};
    return action_update(action, plan_reservation, &request, ret, error);
}
