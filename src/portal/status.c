#include "portal/status.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/timestamp.h"
#include "portal/answer.h"
#include "portal/cache.h"
#include "portal/call.h"
#include "portal/chart.h"
#include "portal/lookup_probe.h"
#include "portal/lookup_rate.h"
#include "report/json_value.h"

#define FRESH_MS    5000
#define TROUBLE_MS  1000 /* so long nothing is tried again that could not be told */
#define LONG_AGO_MS (INT64_MIN / 2)

struct status {
    struct portal *portal;
    struct alias_counts counts;
    struct lookup_probe *probe;
    struct lookup_rate *lookup_rate;
    char *text;      /* the last answer; NULL: nothing could be told */
    int64_t made_ms; /* when */
    struct call **waiting;
    size_t waiting_count, waiting_capacity;
};

struct status *status_create(struct portal *portal)
{
    struct status *status = memory_new(1, sizeof(*status));
    status->portal = portal;
    status->made_ms = LONG_AGO_MS;
    status->probe = lookup_probe_create(portal->loop, portal->config);
    status->lookup_rate = lookup_rate_create(portal->loop, portal->config);
    return status;
}

void status_destroy(struct status *status)
{
    if (status == NULL)
        return;
    for (size_t i = 0; i < status->waiting_count; i++)
        call_free(status->waiting[i]);
    free(status->waiting);
    lookup_probe_destroy(status->probe);
    lookup_rate_destroy(status->lookup_rate);
    alias_counts_finish(&status->counts);
    free(status->text);
    free(status);
}

struct alias_counts *status_counts(struct status *status)
{
    return &status->counts;
}

/* ---- samples ---- */

static void note_sample(void *context, int64_t lookups_per_minute)
{
    struct status *status = context;
    struct portal *portal = status->portal;
    struct snapshot *snapshot = NULL;
    struct error error = {0};
    size_t live = 0;
    bool is_read = cache_begin(portal->cache, &snapshot, &error) &&
                   alias_counts_take(&status->counts, portal->cache, snapshot, &error);
    for (size_t i = 0; i < status->counts.count && is_read; i++)
        live += status->counts.domains[i].live;
    if (!is_read ||
        !chart_note(portal->state, snapshot, live, lookups_per_minute, timestamp_now_s(), &error))
        log_warning("no sample for the charts: %s", error.text);
    else
        status->made_ms = LONG_AGO_MS; /* who asks next sees it */
    snapshot_end(snapshot);
}

static void begin_sample(void *context)
{
    struct status *status = context;
    lookup_rate_ask(status->lookup_rate, note_sample, status);
}

void status_begin_samples(struct status *status)
{
    begin_sample(status);
    loop_every(status->portal->loop, (int64_t)CHART_PERIOD_S * 1000, begin_sample, status);
}

/* ---- the answer ---- */

struct domain_walk {
    struct status *status;
    struct snapshot *snapshot;
    int64_t now_s;
    json_t *domains;
    struct error *error;
    bool is_fine;
};

static bool add_domain(void *context, const char *domain, const struct domain_record *row)
{
    struct domain_walk *walk = context;
    struct run_record run = {0};
    enum store_result found = snapshot_run(walk->snapshot, domain, &run, walk->error);
    walk->is_fine = found != STORE_TROUBLE;
    if (!walk->is_fine)
        return false;
    int64_t success_s = found == STORE_FOUND ? run.success_s : 0;
    int64_t age_s = walk->now_s > success_s ? walk->now_s - success_s : 0;
    bool is_open = row->is_open && snapshot_is_trusted(walk->snapshot);
    json_array_append_new(
        walk->domains,
        json_pack("{s:o,s:I,s:b,s:o,s:o}", "domain", json_from_span(span_of(domain)), "live",
                  (json_int_t)alias_counts_of(&walk->status->counts, domain).live, "is_open",
                  is_open, "last_success", json_from_time(success_s), "age_seconds",
                  success_s != 0 ? json_integer(age_s) : json_null()));
    return true;
}

/* A new reference; NULL: cannot tell. */
static json_t *read_domains(struct status *status, struct snapshot *snapshot, int64_t now_s,
                            struct error *error)
{
    struct domain_walk walk = {status, snapshot, now_s, json_array(), error, true};
    if (alias_counts_take(&status->counts, status->portal->cache, snapshot, error) &&
        snapshot_each_domain(snapshot, add_domain, &walk, error) && walk.is_fine)
        return walk.domains;
    json_decref(walk.domains);
    return NULL;
}

/* A new reference; NULL: cannot tell. */
static json_t *make(struct status *status, enum probe_answer said, struct error *error)
{
    struct snapshot *snapshot;
    int64_t now_s = timestamp_now_s();
    json_t *object = NULL;
    if (!cache_begin(status->portal->cache, &snapshot, error))
        return NULL;
    json_t *domains = read_domains(status, snapshot, now_s, error);
    json_t *samples = domains != NULL ? chart_samples(status->portal->state, now_s, error) : NULL;
    if (samples != NULL)
        object =
            json_pack("{s:I,s:o,s:s,s:O,s:O}", "generation",
                      (json_int_t)snapshot_generation(snapshot), "time", json_from_time(now_s),
                      "server", probe_answer_name(said), "domains", domains, "samples", samples);
    snapshot_end(snapshot);
    json_decref(domains);
    json_decref(samples);
    return object;
}

static bool is_fresh(const struct status *status)
{
    int64_t age_ms = timestamp_monotonic_ms() - status->made_ms;
    return age_ms < (status->text != NULL ? FRESH_MS : TROUBLE_MS);
}

static void answer(const struct status *status, struct call *call)
{
    if (status->text != NULL)
        answer_json_text(call, span_of(status->text));
    else
        answer_refusal(call, REFUSAL_UNAVAILABLE, 0);
}

static void on_probe(void *context, enum probe_answer said)
{
    struct status *status = context;
    struct error error = {0};
    json_t *object = make(status, said, &error);
    free(status->text);
    status->text = object != NULL ? json_dumps(object, JSON_COMPACT) : NULL;
    status->made_ms = timestamp_monotonic_ms();
    json_decref(object);
    if (status->text == NULL)
        log_error("status: %s", error.text);
    for (size_t i = 0; i < status->waiting_count; i++)
        answer(status, status->waiting[i]);
    status->waiting_count = 0;
}

static bool note_open(void *context, const char *domain, const struct domain_record *row)
{
    char **open = context;
    if (row->is_open && *open == NULL)
        *open = memory_copy_text(domain);
    return *open == NULL;
}

/* One that lpaliasd should take for open, or NULL; caller frees. */
static char *find_open_domain(struct status *status)
{
    char *domain = NULL;
    struct snapshot *snapshot = NULL;
    struct error ignored;
    bool is_read = cache_begin(status->portal->cache, &snapshot, &ignored) &&
                   snapshot_is_trusted(snapshot) &&
                   snapshot_each_domain(snapshot, note_open, &domain, &ignored);
    (void)is_read; /* what is made then says so */
    snapshot_end(snapshot);
    return domain;
}

void status_show(struct call *call)
{
    struct status *status = call->portal->status;
    if (is_fresh(status)) {
        answer(status, call);
        return;
    }
    status->waiting = memory_grow(status->waiting, status->waiting_count, &status->waiting_capacity,
                                  sizeof(*status->waiting));
    status->waiting[status->waiting_count++] = call;
    if (status->waiting_count > 1)
        return;
    CLEANUP(memory_free_at) char *domain = find_open_domain(status);
    lookup_probe_ask(status->probe, domain, on_probe, status);
}
