#include "action/update.h"

struct update {
    const struct action *action;
    action_plan *plan;
    void *context;
    struct notice_list *notices;
};

static bool plan_with_notices(void *context, struct snapshot *snapshot, struct changeset *changeset,
                              struct error *error)
{
    struct update *update = context;
    const struct planning planning = {
        .house = update->action->house,
        .ring = update->action->ring,
        .actor = update->action->actor,
        .now_s = update->action->now_s,
        .is_time_trusted = false,
        .snapshot = snapshot,
        .changeset = changeset,
        .notices = update->notices,
    };
    notice_list_clear(update->notices);
    return update->plan(update->context, &planning, error) &&
           notice_list_flush(update->notices, snapshot, changeset, error);
}

bool action_update(const struct action *action, action_plan *plan, void *context,
                   struct store_update_result *ret, struct error *error)
{
    struct notice_list *notices = notice_list_create(action->ring, action->now_s);
    struct update update = {action, plan, context, notices};
    bool is_done = store_update(action->store, plan_with_notices, &update, ret, error);
    notice_list_destroy(notices);
    return is_done;
}

bool action_preview(const struct action *action, action_plan *plan, void *context,
                    struct store_update_result *ret, struct error *error)
{
    struct notice_list *notices = notice_list_create(action->ring, action->now_s);
    struct update update = {action, plan, context, notices};
    bool is_planned = store_preview(action->store, plan_with_notices, &update, ret, error);
    notice_list_destroy(notices);
    return is_planned;
}

void action_event(const struct planning *planning, const char *act, const char *domain,
                  const char *subject, const char *detail)
{
    struct event_record event = {
        .at_s = planning->now_s,
        .actor = span_of(planning->actor),
        .act = span_of(act),
        .domain = span_of(domain),
        .subject = span_of(subject),
        .detail = span_of(detail),
    };
    changeset_event(planning->changeset, &event);
}
