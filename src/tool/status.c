#include <inttypes.h>
#include <stdio.h>

#include "base/memory.h"
#include "base/timestamp.h"
#include "tool/console.h"
#include "tool/domain_census.h"
#include "tool/domain_standing.h"
#include "tool/json_output.h"
#include "tool/options.h"
#include "tool/refresh_report.h"
#include "tool/table.h"
#include "tool/workspace.h"

/* One domain with all that is said of it. */
struct domain_status {
    const struct domain_standing *standing;
    struct domain_census census;
    bool has_run;
    struct run_record run; /* zeroed unless has_run */
    int64_t now_s;
};

static bool read_status(struct snapshot *snapshot, const struct domain_standing *standing,
                        struct domain_status *ret, struct error *error)
{
    *ret = (struct domain_status){.standing = standing, .now_s = timestamp_now_s()};
    enum store_result result = snapshot_run(snapshot, standing->name, &ret->run, error);
    ret->has_run = result == STORE_FOUND;
    if (!ret->has_run)
        ret->run = (struct run_record){0};
    return result != STORE_TROUBLE &&
           domain_census_take(snapshot, standing->name, &ret->census, error);
}

/* No refresh looks at a domain that is not configured; one that none has looked at is no use. */
static enum exit_status status_of(const struct domain_status *domain)
{
    if (!domain->standing->is_configured)
        return EXIT_DONE;
    return domain->has_run ? exit_status_of_outcome(domain->run.outcome) : EXIT_UNUSABLE;
}

/* ---- for people ---- */

static void add_time(struct table *table, int64_t at_s)
{
    char text[TIMESTAMP_TEXT_BYTES];
    table_add(table, at_s != 0 ? timestamp_format(at_s, text) : "");
}

static void add_row(struct table *table, const struct domain_status *domain)
{
    char age[32];
    table_add(table, domain->standing->name);
    table_add(table, domain->standing->team);
    table_add(table, domain_standing_name(domain->standing));
    table_add(table, domain_standing_proof(domain->standing));
    for (int state = ALIAS_ACTIVE; state <= ALIAS_GONE; state++)
        table_addf(table, "%zu", domain->census.states[state]);
    table_addf(table, "%zu", domain->census.statics);
    add_time(table, domain->run.attempt_s);
    add_time(table, domain->run.success_s);
    table_add(table, domain->run.success_s != 0
                         ? timestamp_format_age(domain->now_s - domain->run.success_s, age)
                         : "");
    table_add(table, domain->has_run ? run_outcome_name(domain->run.outcome) : "");
}

static void print_error(const struct domain_status *domain)
{
    CLEANUP(buffer_finish) struct buffer text = {0};
    CLEANUP(buffer_finish) struct buffer line = {0};
    if (domain->run.error.length == 0)
        return;
    buffer_append(&text, domain->run.error.data, domain->run.error.length);
    console_append_visible(&line, buffer_text(&text));
    printf("%s: %s\n", domain->standing->name, buffer_text(&line));
}

static void print_status(const struct workspace *work, const struct domain_status *domains,
                         size_t count)
{
    static const struct table_column columns[] = {
        {"DOMAIN"},        {"TEAM"},          {"STATE"},         {"PROOF"},        {"ACTIVE", true},
        {"LEAVING", true}, {"PENDING", true}, {"REFUSED", true}, {"PAUSED", true}, {"GONE", true},
        {"STATIC", true},  {"LAST ATTEMPT"},  {"LAST SUCCESS"},  {"AGE"},          {"OUTCOME"},
    };
    char id[33];
    CLEANUP(table_finish) struct table table = {columns, ARRAY_LENGTH(columns)};
    printf("cache       %s\nid          %s\ngeneration  %" PRIu64 "\nused        %" PRIu64
           " bytes\n\n",
           work->config->cache, snapshot_cache_id(work->snapshot, id),
           snapshot_generation(work->snapshot), snapshot_used_bytes(work->snapshot));
    for (size_t i = 0; i < count; i++)
        add_row(&table, &domains[i]);
    table_print(&table);
    for (size_t i = 0; i < count; i++)
        print_error(&domains[i]);
}

/* ---- as JSON ---- */

static json_t *json_from_domain(const struct domain_status *domain)
{
    json_t *states = json_object();
    for (int state = ALIAS_ACTIVE; state <= ALIAS_GONE; state++)
        json_object_set_new(states, alias_state_name((enum alias_state)state),
                            json_integer((json_int_t)domain->census.states[state]));
    const struct run_record *run = &domain->run;
    json_t *object = json_object();
    json_object_set_new(object, "domain", json_from_span(span_of(domain->standing->name)));
    json_object_set_new(object, "team", json_from_span(span_of(domain->standing->team)));
    json_object_set_new(object, "standing", json_string(domain_standing_name(domain->standing)));
    json_object_set_new(object, "proof",
                        json_from_optional(span_of(domain_standing_proof(domain->standing))));
    json_object_set_new(object, "proof_since", json_from_time(domain->standing->proof_since_s));
    json_object_set_new(object, "states", states);
    json_object_set_new(object, "static", json_integer((json_int_t)domain->census.statics));
    json_object_set_new(object, "last_attempt", json_from_time(run->attempt_s));
    json_object_set_new(object, "last_success", json_from_time(run->success_s));
    json_object_set_new(object, "success_age_s",
                        run->success_s != 0 ? json_integer(domain->now_s - run->success_s)
                                            : json_null());
    json_object_set_new(object, "outcome",
                        domain->has_run ? json_string(run_outcome_name(run->outcome))
                                        : json_null());
    json_object_set_new(object, "error", json_from_optional(run->error));
    json_object_set_new(object, "requests", json_integer(run->requests));
    json_object_set_new(object, "retries", json_integer(run->retries));
    json_object_set_new(object, "duration_ms", json_integer(run->duration_ms));
    return object;
}

static void print_json(const struct workspace *work, const struct domain_status *domains,
                       size_t count)
{
    char id[33];
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_from_domain(&domains[i]));
    json_t *object = json_object();
    json_object_set_new(object, "cache", json_from_span(span_of(work->config->cache)));
    json_object_set_new(object, "id", json_string(snapshot_cache_id(work->snapshot, id)));
    json_object_set_new(object, "generation",
                        json_integer((json_int_t)snapshot_generation(work->snapshot)));
    json_object_set_new(object, "used_bytes",
                        json_integer((json_int_t)snapshot_used_bytes(work->snapshot)));
    json_object_set_new(object, "domains", list);
    json_print(object);
}

static enum exit_status print_all(struct workspace *work, bool is_json)
{
    struct error error = {0};
    CLEANUP(domain_standings_finish) struct domain_standings standings = {0};
    CLEANUP(memory_free_at) struct domain_status *domains = NULL;
    enum exit_status status = EXIT_DONE;
    bool is_read = domain_standings_read(work->config, work->snapshot, &standings, &error);
    domains = memory_new(standings.count, sizeof(*domains));
    for (size_t i = 0; i < standings.count && is_read; i++) {
        is_read = read_status(work->snapshot, &standings.items[i], &domains[i], &error);
        status = exit_status_worse(status, status_of(&domains[i]));
    }
    if (!is_read) {
        console_complain("%s", error.text);
        return EXIT_FAILED;
    }
    if (is_json)
        print_json(work, domains, standings.count);
    else
        print_status(work, domains, standings.count);
    return status;
}

static enum exit_status run(const struct call *call)
{
    bool is_json = false;
    CLEANUP(options_finish) struct options options = {0};
    CLEANUP(workspace_finish) struct workspace work = {0};
    const struct option_row rows[] = {
        {0, "json", .help = "print one JSON object", .flag = &is_json},
    };
    if (!options_take(&options, call, rows, ARRAY_LENGTH(rows), 0, 0))
        return options.status;
    if (!workspace_read_config(&work, call) || !workspace_begin_snapshot(&work))
        return work.status;
    return print_all(&work, is_json);
}

const struct command command_status = {
    .name = "status",
    .usage = "[--json]",
    .help = "say how the cache and the last refreshes are; exit status as refresh",
    .run = run,
};
