#include "portal/plans_api.h"

#include "action/plan.h"
#include "portal/admin_act.h"
#include "portal/answer.h"
#include "portal/call.h"
#include "portal/json_body.h"
#include "report/json_value.h"

#define ROWS_MAX 1000 /* in one answer; nobody reads more in a browser */

/* The domain of the path and its plan. False: the call was refused. */
static bool find_plan(struct call *call, const char **ret_domain, struct plan_record *ret)
{
    struct error error = {0};
    const char *domain = call_parameter(call, 0);
    enum store_result found = STORE_ABSENT;
    if (admin_rights_have(&call->rights, domain))
        found = snapshot_plan(call->snapshot, domain, ret, &error);
    *ret_domain = domain;
    if (found == STORE_ABSENT)
        answer_refusal(call, REFUSAL_NOT_FOUND, 0);
    else if (found == STORE_TROUBLE)
        answer_trouble(call, &error);
    return found == STORE_FOUND;
}

static json_t *json_from_row(const struct plan_row *row)
{
    return json_pack("{s:o,s:o,s:s,s:o}", "name", json_from_span(row->name), "before",
                     row->before != 0 ? json_string(alias_state_name(row->before)) : json_null(),
                     "after", row->after != 0 ? alias_state_name(row->after) : "none", "reason",
                     json_from_reason(row->reason));
}

static json_t *json_from_plan(const char *domain, const struct plan_record *plan)
{
    json_t *rows = json_array();
    json_int_t more = 0;
    struct span rest = plan->rows;
    struct plan_row row;
    while (plan_row_take(&rest, &row)) {
        if (json_array_size(rows) < ROWS_MAX)
            json_array_append_new(rows, json_from_row(&row));
        else
            more++;
    }
    json_t *object = json_object();
    json_object_set_new(object, "domain", json_from_span(span_of(domain)));
    json_object_set_new(object, "team", json_from_span(plan->team));
    json_object_set_new(object, "reason", json_from_span(plan->reason));
    json_object_set_new(object, "made", json_from_time(plan->made_s));
    json_object_set_new(object, "listing", json_from_time(plan->listing_s));
    json_object_set_new(object, "number", json_integer((json_int_t)plan->stamp.generation));
    json_object_set_new(object, "losses", json_integer(plan->losses));
    json_object_set_new(object, "additions", json_integer(plan->additions));
    json_object_set_new(object, "discarded", json_boolean((plan->holds & PLAN_DISCARDED) != 0));
    json_object_set_new(object, "rows", rows);
    json_object_set_new(object, "more", json_integer(more));
    return object;
}

void plans_api_show(struct call *call)
{
    const char *domain;
    struct plan_record plan;
    if (find_plan(call, &domain, &plan))
        answer_json(call, 200, json_from_plan(domain, &plan));
}

/* False: the call was refused. */
static bool read_number(struct call *call, uint64_t *ret)
{
    json_int_t number = 0;
    json_t *body = json_body_read(call);
    if (body == NULL)
        return false;
    bool is_fine = json_unpack(body, "{s:I!}", "number", &number) == 0 && number > 0;
    json_decref(body);
    *ret = (uint64_t)number;
    if (!is_fine)
        answer_refusal(call, REFUSAL_BAD_REQUEST, 0);
    return is_fine;
}

/* What the admin saw; whether it still is that one says the act. False: the call was refused. */
static bool read_plan(struct call *call, const char **ret_domain, uint64_t *ret_number)
{
    struct plan_record plan;
    return read_number(call, ret_number) && find_plan(call, ret_domain, &plan);
}

/* False: the call was refused, as what a listing says waits for the proof of the domain. */
static bool is_proven(struct call *call, const char *domain)
{
    struct error error = {0};
    struct domain_record row = {0};
    const struct config_domain *config = config_find_domain(call->portal->config, domain);
    if (snapshot_domain(call->snapshot, domain, &row, &error) == STORE_TROUBLE) {
        answer_trouble(call, &error);
        return false;
    }
    if (config == NULL || config->proof == NULL || row.proof == PROOF_SEEN)
        return true;
    answer_refusal(call, REFUSAL_FROZEN, 0);
    return false;
}

void plans_api_release(struct call *call)
{
    const char *domain;
    uint64_t number;
    struct admin_act act;
    struct error error = {0};
    struct held_plan_result names;
    struct store_update_result result;
    if (!read_plan(call, &domain, &number) || !is_proven(call, domain))
        return;
    if (admin_act_begin(call, &act)) {
        bool is_done = action_plan_release(&act.action, domain, number, &names, &result, &error);
        buffer_finish(&names.skipped_names);
        admin_act_answer(call, is_done, &error);
    }
    admin_act_finish(&act);
}

void plans_api_discard(struct call *call)
{
    const char *domain;
    uint64_t number;
    struct admin_act act;
    struct error error = {0};
    struct store_update_result result;
    if (!read_plan(call, &domain, &number))
        return;
    if (admin_act_begin(call, &act))
        admin_act_answer(call, action_plan_discard(&act.action, domain, number, &result, &error),
                         &error);
    admin_act_finish(&act);
}
