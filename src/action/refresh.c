#include "action/refresh.h"

#include <stdlib.h>
#include <string.h>

#include "action/update.h"
#include "base/memory.h"
#include "membership/forget.h"

/*
 * What the last run row of a domain says about success. One that cannot be read is written anew, as
 * if there had been none: the error of the refresh has told of it.
 */
static int64_t last_success_s(struct snapshot *snapshot, const char *domain)
{
    struct run_record before;
    struct error ignored;
    if (snapshot_run(snapshot, domain, &before, &ignored) != STORE_FOUND)
        return 0;
    return before.success_s;
}

static struct store_run_row run_row(const struct action *action,
                                    const struct refresh_domain *domain, struct snapshot *snapshot)
{
    const struct listing *listing = domain->listing;
    return (struct store_run_row){
        .domain = domain->domain,
        .record =
            {
                .outcome = domain->outcome,
                .attempt_s = action->now_s,
                .success_s = domain->outcome == RUN_APPLIED
                                 ? action->now_s
                                 : last_success_s(snapshot, domain->domain),
                .duration_ms = listing->duration_ms,
                .requests = listing->requests,
                .retries = listing->retries,
                .error = span_of(domain->reason),
            },
    };
}

static bool note_runs(const struct action *action, const struct refresh_request *request,
                      struct error *error)
{
    struct snapshot *snapshot = NULL;
    if (!snapshot_begin(action->store, &snapshot, error))
        return false;
    struct store_run_row *rows = memory_new(request->domain_count, sizeof(*rows));
    for (size_t i = 0; i < request->domain_count; i++)
        rows[i] = run_row(action, &request->domains[i], snapshot);
    snapshot_end(snapshot);
    bool is_noted = store_note_runs(action->store, rows, request->domain_count, error);
    free(rows);
    return is_noted;
}

/* The listings were fine, the cache was not. */
static void mark_failed(struct refresh_request *request, const char *why)
{
    for (size_t i = 0; i < request->domain_count; i++) {
        struct refresh_domain *domain = &request->domains[i];
        if (domain->outcome == RUN_UNUSABLE || domain->outcome == RUN_HELD)
            continue;
        domain->outcome = RUN_FAILED;
        size_t length = strnlen(why, sizeof(domain->reason) - 1);
        memcpy(domain->reason, why, length);
        domain->reason[length] = '\0';
    }
}

static bool plan_forgetting(void *context, const struct planning *planning, struct error *error)
{
    (void)context;
    return forget_gone(planning, error);
}

/* Also of those whom an earlier refresh left gone, if that one ended before it came to this. */
static bool forget_who_is_gone(const struct action *action, struct store_update_result *ret,
                               struct error *error)
{
    struct store_update_result forgotten;
    if (!action_update(action, plan_forgetting, NULL, &forgotten, error))
        return false;
    ret->changed = ret->changed || forgotten.changed;
    ret->records += forgotten.records;
    ret->generation = forgotten.generation;
    return true;
}

bool action_refresh(const struct action *action, struct refresh_request *request, bool is_dry,
                    struct store_update_result *ret, struct error *error)
{
    struct action as_refresh = *action;
    as_refresh.actor = "refresh";
    if (is_dry)
        return action_preview(&as_refresh, refresh_plan, request, ret, error);
    if (action_update(&as_refresh, refresh_plan, request, ret, error))
        return note_runs(action, request, error) && forget_who_is_gone(&as_refresh, ret, error);
    struct error unnoted;
    mark_failed(request, error->text);
    /* The first error is the one to tell; that the cache takes no run row either adds nothing. */
    bool is_noted = note_runs(action, request, &unnoted);
    (void)is_noted;
    return false;
}
