#include "portal/domains_api.h"

#include <string.h>

#include "portal/alias_count.h"
#include "portal/answer.h"
#include "portal/cache.h"
#include "portal/call.h"
#include "portal/status.h"
#include "report/json_value.h"

/* One domain with all that is said of it; rows that are not there are zeroed. */
struct domain_view {
    const char *name;
    const struct config_domain *config; /* NULL: not configured any more */
    struct domain_record row;
    struct run_record run;
    struct plan_record plan;
    bool has_run, has_plan;
    struct alias_count counts;
};

static bool read_view(struct call *call, const struct alias_counts *counts, const char *name,
                      struct domain_view *ret, struct error *error)
{
    struct snapshot *snapshot = call->snapshot;
    *ret = (struct domain_view){
        .name = name,
        .config = config_find_domain(call->portal->config, name),
        .counts = alias_counts_of(counts, name),
    };
    enum store_result row = snapshot_domain(snapshot, name, &ret->row, error);
    enum store_result run = snapshot_run(snapshot, name, &ret->run, error);
    enum store_result plan = snapshot_plan(snapshot, name, &ret->plan, error);
    ret->has_run = run == STORE_FOUND;
    ret->has_plan = plan == STORE_FOUND;
    return row != STORE_TROUBLE && run != STORE_TROUBLE && plan != STORE_TROUBLE;
}

static json_t *json_from_states(const struct alias_count *counts)
{
    json_t *states = json_object();
    for (int state = ALIAS_ACTIVE; state <= ALIAS_GONE; state++)
        json_object_set_new(states, alias_state_name((enum alias_state)state),
                            json_integer((json_int_t)counts->states[state]));
    return states;
}

static json_t *json_from_plan(const struct domain_view *view)
{
    const struct plan_record *plan = &view->plan;
    if (!view->has_plan)
        return json_null();
    return json_pack("{s:I,s:I,s:o,s:b}", "losses", (json_int_t)plan->losses, "additions",
                     (json_int_t)plan->additions, "made", json_from_time(plan->made_s), "discarded",
                     (plan->holds & PLAN_DISCARDED) != 0);
}

static json_t *json_from_view(const struct domain_view *view, bool is_trusted)
{
    const struct domain_record *row = &view->row;
    bool is_frozen =
        view->config != NULL && view->config->proof != NULL && row->proof != PROOF_SEEN;
    json_t *object = json_object();
    json_object_set_new(object, "domain", json_from_span(span_of(view->name)));
    json_object_set_new(
        object, "team",
        json_from_span(view->config != NULL ? span_of(view->config->team) : row->team));
    json_object_set_new(object, "is_open", json_boolean(row->is_open && is_trusted));
    json_object_set_new(object, "is_held", json_boolean(row->is_held));
    json_object_set_new(object, "hold_reason", json_from_optional(row->hold_reason));
    json_object_set_new(object, "is_frozen", json_boolean(is_frozen));
    json_object_set_new(object, "states", json_from_states(&view->counts));
    json_object_set_new(object, "static", json_integer((json_int_t)view->counts.statics));
    json_object_set_new(object, "last_success", json_from_time(view->run.success_s));
    json_object_set_new(object, "last_attempt", json_from_time(view->run.attempt_s));
    json_object_set_new(object, "outcome",
                        view->has_run ? json_string(run_outcome_name(view->run.outcome))
                                      : json_null());
    json_object_set_new(object, "error", json_from_optional(view->run.error));
    json_object_set_new(object, "plan", json_from_plan(view));
    return object;
}

void domains_api_list(struct call *call)
{
    struct error error = {0};
    struct domain_view view;
    json_t *list = json_array();
    struct alias_counts *counts = status_counts(call->portal->status);
    bool is_trusted = snapshot_is_trusted(call->snapshot);
    bool is_read = alias_counts_take(counts, call->portal->cache, call->snapshot, &error);
    for (size_t i = 0; i < call->rights.domain_count && is_read; i++) {
        is_read = read_view(call, counts, call->rights.domains[i], &view, &error);
        if (is_read)
            json_array_append_new(list, json_from_view(&view, is_trusted));
    }
    if (is_read) {
        answer_json(call, 200, json_pack("{s:o}", "domains", list));
        return;
    }
    json_decref(list);
    answer_trouble(call, &error);
}
