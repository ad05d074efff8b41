#include "action/self.h"

#include <string.h>

#include "action/alias_set.h"
#include "action/erase.h"
#include "action/login.h"
#include "action/pause.h"
#include "action/target.h"
#include "action/update.h"
#include "address/address.h"
#include "membership/identity.h"
#include "membership/notice.h"

/* Puts what is wanted of the person of that name. */
struct self_request;
typedef bool self_plan(const struct self_request *request, const struct planning *planning,
                       const char *name, struct error *error);

struct self_request {
    const char *identifier;
    self_plan *plan;
    bool is_for_banned; /* too */
    const char *address, *link;
    enum target_step step;
    bool is_paused;
    struct alias_request alias;
    enum extension_policy extension;
};

static bool plan_self(void *context, const struct planning *planning, struct error *error)
{
    const struct self_request *request = context;
    struct person_record person;
    CLEANUP(buffer_finish) struct buffer name = {0};
    enum store_result result =
        identity_of_login(planning->snapshot, request->identifier, &name, &person, error);
    if (result == STORE_TROUBLE)
        return false;
    if (result == STORE_ABSENT)
        return error_set(error, ERROR_INVALID, "the login is not known here (any more)");
    if (person.is_banned && !request->is_for_banned)
        return error_set(error, ERROR_INVALID, "the account is banned");
    return request->plan(request, planning, buffer_text(&name), error);
}

static bool apply(const struct action *action, struct self_request *request,
                  struct store_update_result *ret, struct error *error)
{
    struct action as_person = *action;
    as_person.actor = ACTOR_PERSON;
    return action_update(&as_person, plan_self, request, ret, error);
}

/* ---- targets ---- */

static bool plan_proof(const struct self_request *request, const struct planning *planning,
                       const char *name, struct error *error)
{
    CLEANUP(buffer_finish) struct buffer canonical = {0};
    if (!target_plan_own(planning, name, request->address, TARGET_CHECK, error) ||
        address_check_target(request->address, strlen(request->address), &canonical) != NULL)
        return false;
    changeset_begin_group(planning->changeset, false);
    action_event(planning, "target.ask", "", name, "");
    notice_put_proof_link(planning->changeset, planning->ring, planning->now_s, name,
                          buffer_text(&canonical), request->link);
    return true;
}

bool action_self_ask_proof(const struct action *action, const char *identifier, const char *address,
                           const char *link, struct store_update_result *ret, struct error *error)
{
    struct self_request request = {
        .identifier = identifier, .plan = plan_proof, .address = address, .link = link};
    return apply(action, &request, ret, error);
}

static bool plan_target(const struct self_request *request, const struct planning *planning,
                        const char *name, struct error *error)
{
    return target_plan_own(planning, name, request->address, request->step, error);
}

bool action_self_add_target(const struct action *action, const char *identifier,
                            const char *address, struct store_update_result *ret,
                            struct error *error)
{
    struct self_request request = {
        .identifier = identifier, .plan = plan_target, .address = address, .step = TARGET_ADD};
    return apply(action, &request, ret, error);
}

bool action_self_drop_target(const struct action *action, const char *identifier,
                             const char *address, struct store_update_result *ret,
                             struct error *error)
{
    struct self_request request = {
        .identifier = identifier, .plan = plan_target, .address = address, .step = TARGET_DROP};
    return apply(action, &request, ret, error);
}

/* ---- choices ---- */

static bool plan_pause(const struct self_request *request, const struct planning *planning,
                       const char *name, struct error *error)
{
    return pause_plan(planning, name, request->is_paused, error);
}

bool action_self_pause(const struct action *action, const char *identifier, bool is_paused,
                       struct store_update_result *ret, struct error *error)
{
    struct self_request request = {
        .identifier = identifier, .plan = plan_pause, .is_paused = is_paused};
    return apply(action, &request, ret, error);
}

static bool plan_extension(const struct self_request *request, const struct planning *planning,
                           const char *name, struct error *error)
{
    struct alias_record row;
    enum store_result result = snapshot_alias(planning->snapshot, request->alias.domain,
                                              span_of(request->alias.local), &row, error);
    if (result == STORE_TROUBLE)
        return false;
    if (result == STORE_ABSENT || !span_is_text(row.owner, name))
        return error_set(error, ERROR_INVALID, "the alias is none of the person's");
    return alias_set_plan_extension(planning, &request->alias, request->extension, error);
}

bool action_self_set_extension(const struct action *action, const char *identifier,
                               const char *domain, const char *local,
                               enum extension_policy extension, struct store_update_result *ret,
                               struct error *error)
{
    struct self_request request = {.identifier = identifier,
                                   .plan = plan_extension,
                                   .alias = {domain, local},
                                   .extension = extension};
    return apply(action, &request, ret, error);
}

/* ---- all of it ---- */

static bool plan_erasure(const struct self_request *request, const struct planning *planning,
                         const char *name, struct error *error)
{
    (void)request;
    return erase_plan(planning, name, error);
}

bool action_self_erase(const struct action *action, const char *identifier,
                       struct store_update_result *ret, struct error *error)
{
    struct self_request request = {
        .identifier = identifier, .plan = plan_erasure, .is_for_banned = true};
    return apply(action, &request, ret, error);
}
