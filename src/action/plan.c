#include "action/plan.h"

#include "action/update.h"

struct plan_request {
    const char *domain;
    uint64_t number;
    struct held_plan_result *result;
};

/* The plan of the domain; false with the error if there is none or it is another. */
static bool find_plan(const struct plan_request *request, struct snapshot *snapshot,
                      struct plan_record *ret, struct error *error)
{
    switch (snapshot_plan(snapshot, request->domain, ret, error)) {
    case STORE_TROUBLE:
        return false;
    case STORE_ABSENT:
        return error_set(error, ERROR_INVALID, "nothing of %s is held", request->domain);
    case STORE_FOUND:
        break;
    }
    return request->number == 0 || request->number == ret->stamp.generation ||
           error_set(error, ERROR_INVALID,
                     "a newer listing of %s has made another plan; look at it first",
                     request->domain);
}

/* *ret: the domain was held by a roll-back, and is not any more. */
static bool end_hold(const struct plan_request *request, const struct planning *planning, bool *ret,
                     struct error *error)
{
    struct domain_record row = {0};
    if (snapshot_domain(planning->snapshot, request->domain, &row, error) == STORE_TROUBLE)
        return false;
    *ret = row.is_held;
    if (!row.is_held)
        return true;
    row.is_held = false;
    row.hold_reason = (struct span){"", 0};
    changeset_begin_group(planning->changeset, false);
    changeset_put_domain(planning->changeset, request->domain, &row);
    action_event(planning, "domain.released", request->domain, "", "");
    return true;
}

/* What a listing says waits for the proof of the domain, released or not. */
static bool check_is_proven(const struct plan_request *request, const struct planning *planning,
                            struct error *error)
{
    const struct house_domain *house = house_find(planning->house, request->domain);
    struct domain_record row = {0};
    if (snapshot_domain(planning->snapshot, request->domain, &row, error) == STORE_TROUBLE)
        return false;
    return house == NULL || !house->wants_proof || row.proof == PROOF_SEEN ||
           error_set(error, ERROR_INVALID,
                     "%s is frozen until its TXT record has been seen (lpalias domain verify)",
                     request->domain);
}

static bool plan_release(void *context, const struct planning *planning, struct error *error)
{
    const struct plan_request *request = context;
    struct plan_record plan;
    bool was_held;
    buffer_finish(&request->result->skipped_names);
    *request->result = (struct held_plan_result){0};
    if (!end_hold(request, planning, &was_held, error))
        return false;
    if (!find_plan(request, planning->snapshot, &plan, error))
        /* A roll-back holds without a plan; its number is not asked for. */
        return was_held && error->kind == ERROR_INVALID && request->number == 0;
    return check_is_proven(request, planning, error) &&
           held_plan_release(planning, request->domain, &plan, request->result, error);
}

bool action_plan_release(const struct action *action, const char *domain, uint64_t number,
                         struct held_plan_result *ret_names, struct store_update_result *ret,
                         struct error *error)
{
    *ret_names = (struct held_plan_result){0};
    struct plan_request request = {domain, number, ret_names};
    return action_update(action, plan_release, &request, ret, error);
}

static bool plan_discard(void *context, const struct planning *planning, struct error *error)
{
    const struct plan_request *request = context;
    struct plan_record plan;
    if (!find_plan(request, planning->snapshot, &plan, error))
        return false;
    if ((plan.holds & PLAN_DISCARDED) != 0)
        return true;
    plan.holds |= PLAN_DISCARDED;
    changeset_begin_group(planning->changeset, false);
    changeset_put_plan(planning->changeset, request->domain, &plan);
    action_event(planning, "plan.discarded", request->domain, "", "");
    return true;
}

bool action_plan_discard(const struct action *action, const char *domain, uint64_t number,
                         struct store_update_result *ret, struct error *error)
{
    struct plan_request request = {domain, number, NULL};
    return action_update(action, plan_discard, &request, ret, error);
}
