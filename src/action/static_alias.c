#include "action/static_alias.h"

#include <string.h>

#include "action/alias_row.h"
#include "action/target.h"
#include "action/update.h"
#include "membership/loop.h"

struct static_request {
    const struct static_alias *alias;
    struct span lines; /* its targets in canonical form */
};

/* May a static alias take the place of that row? */
static bool check_row(const struct alias_record *row, struct error *error)
{
    if (alias_is_reservation(row))
        return error_set(error, ERROR_INVALID, "it was reserved by hand: alias remove lifts that");
    return row->kind == ALIAS_STATIC || row->state == ALIAS_GONE ||
           error_set(error, ERROR_INVALID, "it is an alias of %.*s", (int)row->owner.length,
                     row->owner.data);
}

static bool check_new_name(const struct planning *planning, const struct static_alias *alias,
                           struct error *error)
{
    struct membership_record membership;
    const struct alias_request request = {alias->domain, alias->local};
    enum store_result result =
        snapshot_membership(planning->snapshot, alias->domain, alias->local, &membership, error);
    if (result == STORE_TROUBLE)
        return false;
    if (result == STORE_FOUND)
        return error_set(error, ERROR_INVALID, "it is the name of a member");
    return alias_check_name(planning, &request, error);
}

static bool check_ends(const struct planning *planning, const struct static_request *request,
                       struct error *error)
{
    const struct static_alias *alias = request->alias;
    const struct loop_alias planned = {alias->domain, alias->local, alias->extension,
                                       request->lines};
    const struct loop_scene scene = {planning->snapshot, planning->house, planning->ring, &planned,
                                     1};
    enum loop_end end;
    if (!loop_follow(&scene, alias->domain, alias->local, &end, error))
        return false;
    return end != LOOP_END_LOOP ||
           error_set(error, ERROR_INVALID, "a target of it leads back: mail would go in circles");
}

static bool is_same(const struct planning *planning, const struct static_request *request,
                    const struct alias_record *row)
{
    const struct static_alias *alias = request->alias;
    CLEANUP(buffer_finish) struct buffer plain = {0};
    return row->kind == ALIAS_STATIC && row->state == ALIAS_ACTIVE &&
           row->extension == alias->extension &&
           keyring_unseal_alias(planning->ring, alias->domain, span_of(alias->local),
                                row->sealed_targets, &plain) == UNSEAL_DONE &&
           plain.length == request->lines.length &&
           memcmp(plain.data, request->lines.data, plain.length) == 0;
}

static void put_static(const struct planning *planning, const struct static_request *request,
                       const struct alias_record *before)
{
    const struct static_alias *alias = request->alias;
    CLEANUP(buffer_finish) struct buffer sealed = {0};
    keyring_seal_alias(planning->ring, alias->domain, span_of(alias->local), request->lines,
                       &sealed);
    bool is_new = before == NULL || before->kind != ALIAS_STATIC || before->state != ALIAS_ACTIVE;
    const struct alias_record row = {
        .kind = ALIAS_STATIC,
        .state = ALIAS_ACTIVE,
        .extension = alias->extension,
        .since_s = is_new ? planning->now_s : before->since_s,
        .sealed_targets = {sealed.data, sealed.length},
    };
    changeset_begin_group(planning->changeset, before == NULL);
    changeset_put_alias(planning->changeset, alias->domain, alias->local, &row);
    action_event(planning, "alias.static", alias->domain, alias->local, "");
}

static bool plan_static(void *context, const struct planning *planning, struct error *error)
{
    const struct static_request *request = context;
    const struct static_alias *alias = request->alias;
    struct alias_record row;
    enum store_result result =
        snapshot_alias(planning->snapshot, alias->domain, span_of(alias->local), &row, error);
    if (result == STORE_TROUBLE || !alias_ensure_domain(planning, alias->domain, error))
        return false;
    if (result == STORE_FOUND ? !check_row(&row, error) : !check_new_name(planning, alias, error))
        return false;
    if (result == STORE_FOUND && is_same(planning, request, &row))
        return true;
    if (!check_ends(planning, request, error))
        return false;
    put_static(planning, request, result == STORE_FOUND ? &row : NULL);
    return true;
}

bool action_put_static_alias(const struct action *action, const struct static_alias *alias,
                             struct store_update_result *ret, struct error *error)
{
    CLEANUP(buffer_finish) struct buffer lines = {0};
    if (alias->target_count > STATIC_TARGET_MAX_COUNT)
        return error_set(error, ERROR_INVALID, "more than %d targets", STATIC_TARGET_MAX_COUNT);
    if (!target_check_all(action, alias->targets, alias->target_count, false, &lines, error))
        return false;
    struct static_request request = {alias, {lines.data, lines.length}};
    return action_update(action, plan_static, &request, ret, error);
}
