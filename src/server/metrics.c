#include "server/metrics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/timestamp.h"
#include "server/exposition.h"
#include "store/census.h"

/* One domain, of the configuration or the cache. */
struct domain_facts {
    const char *name; /* borrowed */
    char *own_name;   /* what name borrows from unless the configuration has it, or NULL */
    bool is_configured, wants_proof;
    bool is_open, is_held, is_frozen;
    bool has_run;
    struct run_record run; /* zeroed unless has_run; its text is not used */
};

struct domain_list {
    struct domain_facts *items;
    size_t count, capacity;
    struct store_reader *reader;
};

struct metrics {
    struct loop *loop;
    struct store_reader *reader;
    struct census_taker *census;
    bool is_counting; /* the next step is on its way */
    int64_t started_s;
    struct reader_slots slots;
    int64_t oldest_reader_since_ms; /* it is seen at that transaction since; monotonic */
    uint64_t cleared_slots;
};

struct metrics *metrics_create(struct loop *loop, struct store_reader *reader)
{
    struct metrics *metrics = memory_new(1, sizeof(*metrics));
    metrics->loop = loop;
    metrics->reader = reader;
    metrics->census = census_taker_create(reader);
    metrics->started_s = timestamp_now_s();
    return metrics;
}

void metrics_destroy(struct metrics *metrics)
{
    if (metrics == NULL)
        return;
    census_taker_destroy(metrics->census);
    free(metrics);
}

/* ---- between lookups ---- */

static void count_on(void *context)
{
    struct metrics *metrics = context;
    struct error ignored; /* who watches the cache says it */
    metrics->is_counting =
        census_taker_go_on(metrics->census, METRICS_COUNT_ROWS, &ignored) == CENSUS_MORE;
    if (metrics->is_counting)
        loop_once(metrics->loop, METRICS_COUNT_PAUSE_MS, count_on, metrics);
}

static void look_at_slots(struct metrics *metrics)
{
    struct reader_slots now;
    if (!store_reader_look_at_slots(metrics->reader, &now))
        now = (struct reader_slots){0};
    if (now.oldest_process != metrics->slots.oldest_process ||
        now.oldest_transaction != metrics->slots.oldest_transaction)
        metrics->oldest_reader_since_ms = timestamp_monotonic_ms();
    metrics->cleared_slots += now.cleared;
    metrics->slots = now;
}

void metrics_tick(struct metrics *metrics)
{
    look_at_slots(metrics);
    if (!metrics->is_counting)
        count_on(metrics);
}

/* ---- lookups ---- */

static const char *const outcome_names[COUNTERS_OUTCOMES] = {
    [OUTCOME_FOUND] = "found",         [OUTCOME_ABSENT] = "absent",
    [OUTCOME_TEMPORARY] = "temporary", [OUTCOME_NO_MAP] = "no_map",
    [OUTCOME_NOT_ASKED] = "not_asked",
};

/* Only what can ever come is written, but that from the start: a rate needs the 0 before the 1. */
static bool can_come(unsigned protocol, unsigned map, unsigned outcome)
{
    if (map == COUNTERS_NO_MAP || outcome == OUTCOME_NO_MAP)
        return protocol == CONFIG_SOCKETMAP && map == COUNTERS_NO_MAP && outcome == OUTCOME_NO_MAP;
    if (protocol == CONFIG_POLICY && map != LOOKUP_MAP_ACCESS)
        return false;
    return outcome != OUTCOME_NOT_ASKED || protocol != CONFIG_SOCKETMAP;
}

static void append_lookup(struct buffer *out, const struct counters *counters, unsigned protocol,
                          unsigned map, unsigned outcome)
{
    const char *map_name =
        map == COUNTERS_NO_MAP ? "unknown" : lookup_map_name((enum lookup_map)map);
    const struct exposition_label labels[] = {
        {"protocol", counters_protocol_name((enum config_protocol)protocol)},
        {"map", map_name},
        {"outcome", outcome_names[outcome]}};
    if (can_come(protocol, map, outcome))
        exposition_sample(out, "lpalias_lookups_total", labels, ARRAY_LENGTH(labels),
                          (double)counters->lookups[protocol][map][outcome]);
}

static void append_lookups(struct buffer *out, const struct counters *counters)
{
    exposition_begin(out, "lpalias_lookups_total", EXPOSITION_COUNTER,
                     "Requests answered, by protocol, map and what came of them.");
    for (unsigned protocol = 0; protocol < COUNTERS_PROTOCOLS; protocol++)
        for (unsigned map = 0; map <= COUNTERS_NO_MAP; map++)
            for (unsigned outcome = 0; outcome < COUNTERS_OUTCOMES; outcome++)
                append_lookup(out, counters, protocol, map, outcome);
    exposition_single(out, "lpalias_unsendable_replies_total", EXPOSITION_COUNTER,
                      "Answers that the protocol cannot carry; TEMP or DUNNO was said instead.",
                      (double)counters->unsendable_replies);
}

static void append_latency(struct buffer *out, const struct counters *counters)
{
    static const int64_t bounds_us[] = COUNTERS_LATENCY_BOUNDS_US;
    uint64_t sum = 0;
    exposition_begin(out, "lpalias_lookup_duration_seconds", EXPOSITION_HISTOGRAM,
                     "From a whole request read to its reply written into the output.");
    for (size_t i = 0; i < COUNTERS_LATENCY_BUCKETS; i++) {
        char bound[32] = "+Inf";
        if (i < ARRAY_LENGTH(bounds_us))
            snprintf(bound, sizeof(bound), "%.15g", (double)bounds_us[i] / 1e6);
        sum += counters->latency[i];
        exposition_sample(out, "lpalias_lookup_duration_seconds_bucket",
                          &(struct exposition_label){"le", bound}, 1, (double)sum);
    }
    exposition_sample(out, "lpalias_lookup_duration_seconds_sum", NULL, 0,
                      (double)counters->latency_sum_ns / 1e9);
    exposition_sample(out, "lpalias_lookup_duration_seconds_count", NULL, 0, (double)sum);
}

/* ---- connections ---- */

static void append_listeners(struct buffer *out, const struct metrics_facts *facts,
                             const char *name, const char *help,
                             uint64_t (*value)(const struct metrics_listener *))
{
    exposition_begin(out, name, EXPOSITION_COUNTER, help);
    for (size_t i = 0; i < facts->listener_count; i++) {
        const struct exposition_label labels[] = {{"listener", facts->listeners[i].name},
                                                  {"protocol", facts->listeners[i].protocol}};
        exposition_sample(out, name, labels, ARRAY_LENGTH(labels),
                          (double)value(&facts->listeners[i]));
    }
}

static uint64_t accepted(const struct metrics_listener *listener)
{
    return listener->accepted;
}

static uint64_t accept_failures(const struct metrics_listener *listener)
{
    return listener->accept_failures;
}

static void append_part(struct buffer *out, const char *name, const char *label, const char *value,
                        uint64_t count)
{
    exposition_sample(out, name, &(struct exposition_label){label, value}, 1, (double)count);
}

static void append_connections(struct buffer *out, const struct metrics_facts *facts)
{
    const struct connection_counts *counts = &facts->connections;
    append_listeners(out, facts, "lpalias_connections_accepted_total",
                     "Connections taken, by listener.", accepted);
    append_listeners(out, facts, "lpalias_accept_failures_total",
                     "Times that no connection could be taken, for lack of descriptors or memory.",
                     accept_failures);
    exposition_single(out, "lpalias_connections", EXPOSITION_GAUGE,
                      "Connections of Postfix that are open.", facts->connection_count);
    exposition_single(out, "lpalias_connections_limit", EXPOSITION_GAUGE,
                      "Connections that can be open at a time.", facts->connection_limit);
    exposition_begin(
        out, "lpalias_connections_evicted_total", EXPOSITION_COUNTER,
        "Connections dropped for new ones, the longest idle first: at the limit, or for "
        "lack of descriptors.");
    append_part(out, "lpalias_connections_evicted_total", "reason", "limit", counts->evicted);
    append_part(out, "lpalias_connections_evicted_total", "reason", "descriptors",
                counts->evicted_for_descriptors);
    exposition_begin(out, "lpalias_connections_stalled_total", EXPOSITION_COUNTER,
                     "Connections closed because a request did not end, or replies were not taken, "
                     "in time.");
    append_part(out, "lpalias_connections_stalled_total", "waited_for", "request",
                counts->stalled_requests);
    append_part(out, "lpalias_connections_stalled_total", "waited_for", "reader",
                counts->stalled_replies);
    exposition_single(out, "lpalias_connections_timed_out_total", EXPOSITION_COUNTER,
                      "Connections closed because their peer did nothing for too long.",
                      (double)counts->timed_out);
    exposition_single(out, "lpalias_connections_bad_total", EXPOSITION_COUNTER,
                      "Connections closed because of bytes that are not the protocol.",
                      (double)counts->bad);
}

/* ---- the process ---- */

static void append_process(struct buffer *out, const struct metrics *metrics,
                           const struct counters *counters)
{
    exposition_begin(out, "lpalias_build_info", EXPOSITION_GAUGE, "The version that runs.");
    exposition_sample(out, "lpalias_build_info",
                      &(struct exposition_label){"version", LPALIAS_VERSION}, 1, 1);
    exposition_single(out, "process_start_time_seconds", EXPOSITION_GAUGE,
                      "When the process started, in seconds since 1970.",
                      (double)metrics->started_s);
    exposition_single(out, "lpalias_reloads_total", EXPOSITION_COUNTER,
                      "Times that a configuration was read again and taken.",
                      (double)counters->reloads);
    exposition_single(out, "lpalias_refused_reloads_total", EXPOSITION_COUNTER,
                      "Times that a configuration was read again and refused as a whole.",
                      (double)counters->refused_reloads);
    exposition_single(out, "lpalias_last_reload_refused", EXPOSITION_GAUGE,
                      "1 while the configuration in use is not the one of the last reload.",
                      counters->is_last_reload_refused);
}

/* ---- the cache as a whole ---- */

static void append_health(struct buffer *out, enum cache_health health)
{
    static const struct {
        enum cache_health health;
        const char *name;
    } states[] = {
        {CACHE_FINE, "well"},
        {CACHE_DISTRUSTED, "distrusted"},
        {CACHE_TROUBLED, "unreadable"},
    };
    exposition_begin(out, "lpalias_cache_health", EXPOSITION_GAUGE,
                     "1 for how the cache is: well, distrusted (an older or another one than "
                     "before) or unreadable (it or the key file).");
    for (size_t i = 0; i < ARRAY_LENGTH(states); i++)
        exposition_sample(out, "lpalias_cache_health",
                          &(struct exposition_label){"state", states[i].name}, 1,
                          states[i].health == health);
}

static void append_cache(struct buffer *out, const struct metrics *metrics,
                         const struct metrics_facts *facts, bool is_awake)
{
    append_health(out, facts->cache_health);
    exposition_single(out, "lpalias_cache_limit_bytes", EXPOSITION_GAUGE,
                      "The size that the cache can never pass (cache-limit).",
                      (double)facts->config->cache_limit_bytes);
    exposition_begin(out, "lpalias_cache_used_bytes", EXPOSITION_GAUGE,
                     "Bytes of the cache in use; absent while it cannot be read.");
    if (is_awake)
        exposition_sample(out, "lpalias_cache_used_bytes", NULL, 0,
                          (double)snapshot_used_bytes(store_reader_snapshot(metrics->reader)));
    exposition_begin(out, "lpalias_cache_generation", EXPOSITION_GAUGE,
                     "Generation that is served; absent while the cache cannot be read.");
    if (is_awake)
        exposition_sample(out, "lpalias_cache_generation", NULL, 0,
                          (double)store_reader_generation(metrics->reader));
}

static void append_readers(struct buffer *out, const struct metrics *metrics)
{
    double age_s = metrics->slots.oldest_process == 0
                       ? 0
                       : (double)(timestamp_monotonic_ms() - metrics->oldest_reader_since_ms) / 1e3;
    exposition_single(out, "lpalias_cache_readers", EXPOSITION_GAUGE,
                      "Other processes that were reading the cache at the last look.",
                      metrics->slots.readers);
    exposition_single(out, "lpalias_cache_oldest_reader_age_seconds", EXPOSITION_GAUGE,
                      "How long the one that reads the oldest generation has been seen doing so; "
                      "the cache grows meanwhile.",
                      age_s);
    exposition_single(out, "lpalias_cache_stale_readers_total", EXPOSITION_COUNTER,
                      "Readers cleared away that had ended without saying so.",
                      (double)metrics->cleared_slots);
}

/* ---- domains ---- */

static struct domain_facts *add_domain(struct domain_list *list)
{
    list->items = memory_grow(list->items, list->count, &list->capacity, sizeof(*list->items));
    struct domain_facts *domain = &list->items[list->count++];
    *domain = (struct domain_facts){0};
    return domain;
}

static struct domain_facts *find_domain(struct domain_list *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i].name, name) == 0)
            return &list->items[i];
    return NULL;
}

static bool note_domain(void *context, const char *name, const struct domain_record *record)
{
    struct domain_list *list = context;
    struct domain_facts *domain = find_domain(list, name);
    if (domain == NULL) {
        domain = add_domain(list);
        domain->name = domain->own_name = memory_copy_text(name);
    }
    domain->is_open = domain->is_configured && store_reader_is_open(list->reader, record);
    domain->is_held = record->is_held;
    domain->is_frozen = domain->wants_proof && record->proof == PROOF_LOST;
    return true;
}

static bool note_plan_and_run(struct snapshot *snapshot, struct domain_facts *domain)
{
    struct plan_record plan;
    enum store_result found = snapshot_plan(snapshot, domain->name, &plan, NULL);
    domain->is_held |= found == STORE_FOUND && (plan.holds & PLAN_DISCARDED) == 0;
    enum store_result ran = snapshot_run(snapshot, domain->name, &domain->run, NULL);
    domain->has_run = ran == STORE_FOUND;
    if (!domain->has_run)
        domain->run = (struct run_record){0};
    return found != STORE_TROUBLE && ran != STORE_TROUBLE;
}

/* False: the cache cannot be read, and the list says nothing. */
static bool read_domains(struct metrics *metrics, const struct config *config,
                         struct domain_list *list)
{
    list->reader = metrics->reader;
    for (size_t i = 0; i < config->domain_count; i++) {
        struct domain_facts *domain = add_domain(list);
        domain->name = config->domains[i].name;
        domain->is_configured = true;
        domain->wants_proof = config->domains[i].proof != NULL;
    }
    bool is_read = store_reader_each_domain(metrics->reader, note_domain, list, NULL);
    for (size_t i = 0; i < list->count && is_read; i++)
        is_read = note_plan_and_run(store_reader_snapshot(metrics->reader), &list->items[i]);
    return is_read;
}

static void domain_list_finish(struct domain_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i].own_name);
    free(list->items);
    *list = (struct domain_list){0};
}

static double configured(const struct domain_facts *domain)
{
    return domain->is_configured;
}

static double is_open(const struct domain_facts *domain)
{
    return domain->is_open;
}

static double held(const struct domain_facts *domain)
{
    return domain->is_held;
}

static double frozen(const struct domain_facts *domain)
{
    return domain->is_frozen;
}

static double attempt_s(const struct domain_facts *domain)
{
    return (double)domain->run.attempt_s;
}

static double success_s(const struct domain_facts *domain)
{
    return (double)domain->run.success_s;
}

static double duration_s(const struct domain_facts *domain)
{
    return (double)domain->run.duration_ms / 1e3;
}

static double requests(const struct domain_facts *domain)
{
    return domain->run.requests;
}

static double retries(const struct domain_facts *domain)
{
    return domain->run.retries;
}

static const struct {
    const char *name, *help;
    double (*value)(const struct domain_facts *domain);
} domain_gauges[] = {
    {"lpalias_domain_configured", "1 if the configuration names the domain; the cache has it too.",
     configured},
    {"lpalias_domain_open", "1 if names of the domain that nobody has are refused, 0 if TEMP.",
     is_open},
    {"lpalias_domain_held", "1 if a change of the domain waits for an operator.", held},
    {"lpalias_domain_frozen", "1 if the domain's proof in the DNS is lost, so nothing is fetched.",
     frozen},
    {"lpalias_refresh_last_attempt_timestamp_seconds",
     "When a refresh of the domain began last; 0: never.", attempt_s},
    {"lpalias_refresh_last_success_timestamp_seconds",
     "When a listing of the domain's team was last applied; 0: never.", success_s},
    {"lpalias_refresh_last_duration_seconds", "How long the last refresh of the domain took.",
     duration_s},
    {"lpalias_refresh_last_requests", "Requests to Launchpad of the domain's last refresh.",
     requests},
    {"lpalias_refresh_last_retries", "Of them, those that repeated one that had failed.", retries},
};

static void append_outcomes(struct buffer *out, const struct domain_list *list)
{
    exposition_begin(out, "lpalias_refresh_last_outcome", EXPOSITION_GAUGE,
                     "1 for how the domain's last refresh ended; all 0: there was none.");
    for (size_t i = 0; i < list->count; i++)
        for (int outcome = RUN_APPLIED; outcome <= RUN_FAILED; outcome++) {
            const struct domain_facts *domain = &list->items[i];
            const struct exposition_label labels[] = {
                {"domain", domain->name}, {"outcome", run_outcome_name((enum run_outcome)outcome)}};
            exposition_sample(out, "lpalias_refresh_last_outcome", labels, ARRAY_LENGTH(labels),
                              domain->has_run && (int)domain->run.outcome == outcome);
        }
}

static void append_domains(struct buffer *out, const struct domain_list *list,
                           const struct config *config)
{
    for (size_t gauge = 0; gauge < ARRAY_LENGTH(domain_gauges); gauge++) {
        exposition_begin(out, domain_gauges[gauge].name, EXPOSITION_GAUGE,
                         domain_gauges[gauge].help);
        for (size_t i = 0; i < list->count; i++)
            exposition_sample(out, domain_gauges[gauge].name,
                              &(struct exposition_label){"domain", list->items[i].name}, 1,
                              domain_gauges[gauge].value(&list->items[i]));
    }
    append_outcomes(out, list);
    exposition_single(out, "lpalias_refresh_stale_after_seconds", EXPOSITION_GAUGE,
                      "Age at which a domain's last good listing is too old (stale-after).",
                      (double)config->refresh.stale_after_ms / 1e3);
}

/* ---- what was counted ---- */

static void append_aliases(struct buffer *out, const struct census_domain *domain)
{
    for (int kind = ALIAS_MEMBER; kind <= ALIAS_STATIC; kind++)
        for (int state = ALIAS_ACTIVE; state <= ALIAS_GONE; state++) {
            const struct exposition_label labels[] = {
                {"domain", domain->name},
                {"kind", alias_kind_name((enum alias_kind)kind)},
                {"state", alias_state_name((enum alias_state)state)}};
            exposition_sample(out, "lpalias_domain_aliases", labels, ARRAY_LENGTH(labels),
                              (double)domain->aliases[kind][state]);
        }
}

static void append_census(struct buffer *out, const struct census *census)
{
    exposition_begin(out, "lpalias_cache_counted_generation", EXPOSITION_GAUGE,
                     "Generation that aliases and notices were counted in; absent before.");
    if (census->is_made)
        exposition_sample(out, "lpalias_cache_counted_generation", NULL, 0,
                          (double)census->generation);
    exposition_begin(out, "lpalias_domain_aliases", EXPOSITION_GAUGE,
                     "Aliases by domain, kind and state.");
    for (size_t i = 0; i < census->domain_count; i++)
        append_aliases(out, &census->domains[i]);
    exposition_begin(out, "lpalias_outbox_notices", EXPOSITION_GAUGE,
                     "Notices that wait to be handed over.");
    if (census->is_made)
        exposition_sample(out, "lpalias_outbox_notices", NULL, 0, (double)census->notices);
    exposition_begin(out, "lpalias_outbox_overdue_notices", EXPOSITION_GAUGE,
                     "Of them, those that wait for more than five days.");
    if (census->is_made)
        exposition_sample(out, "lpalias_outbox_overdue_notices", NULL, 0,
                          (double)census->overdue_notices);
    exposition_begin(out, "lpalias_outbox_oldest_timestamp_seconds", EXPOSITION_GAUGE,
                     "When the oldest of them was written; absent if none waits.");
    if (census->oldest_notice_s != 0)
        exposition_sample(out, "lpalias_outbox_oldest_timestamp_seconds", NULL, 0,
                          (double)census->oldest_notice_s);
}

void metrics_append(struct metrics *metrics, const struct metrics_facts *facts, struct buffer *out)
{
    struct domain_list domains = {0};
    bool is_awake = store_reader_wake(metrics->reader, NULL);
    append_process(out, metrics, facts->counters);
    append_lookups(out, facts->counters);
    append_latency(out, facts->counters);
    append_connections(out, facts);
    append_cache(out, metrics, facts, is_awake);
    append_readers(out, metrics);
    if (is_awake && read_domains(metrics, facts->config, &domains))
        append_domains(out, &domains, facts->config);
    domain_list_finish(&domains);
    append_census(out, census_taker_result(metrics->census));
    if (!metrics->is_counting)
        count_on(metrics);
}
