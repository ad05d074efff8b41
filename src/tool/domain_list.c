#include <stdio.h>

#include "tool/console.h"
#include "tool/domain_census.h"
#include "tool/domain_standing.h"
#include "tool/json_output.h"
#include "tool/options.h"
#include "tool/table.h"
#include "tool/workspace.h"

static void add_row(struct table *table, const struct domain_standing *standing,
                    const struct domain_census *census)
{
    table_add(table, standing->name);
    table_add(table, standing->team);
    table_add(table, domain_standing_name(standing));
    table_add(table, domain_standing_proof(standing));
    table_addf(table, "%zu", census->states[ALIAS_ACTIVE]);
    table_addf(table, "%zu", census->states[ALIAS_PENDING]);
    table_addf(table, "%zu", census->statics);
}

static void add_json(json_t *list, const struct domain_standing *standing,
                     const struct domain_census *census)
{
    json_t *object = json_object();
    json_object_set_new(object, "domain", json_from_span(span_of(standing->name)));
    json_object_set_new(object, "team", json_from_span(span_of(standing->team)));
    json_object_set_new(object, "standing", json_string(domain_standing_name(standing)));
    json_object_set_new(object, "proof",
                        json_from_optional(span_of(domain_standing_proof(standing))));
    json_object_set_new(object, "proof_since", json_from_time(standing->proof_since_s));
    json_object_set_new(object, "active", json_integer((json_int_t)census->states[ALIAS_ACTIVE]));
    json_object_set_new(object, "pending", json_integer((json_int_t)census->states[ALIAS_PENDING]));
    json_object_set_new(object, "static", json_integer((json_int_t)census->statics));
    json_array_append_new(list, object);
}

/* Adds all domains to the table and to json. */
static bool add_all(const struct workspace *work, struct table *table, json_t *json,
                    struct error *error)
{
    CLEANUP(domain_standings_finish) struct domain_standings standings = {0};
    struct domain_census census;
    if (!domain_standings_read(work->config, work->snapshot, &standings, error))
        return false;
    for (size_t i = 0; i < standings.count; i++) {
        if (!domain_census_take(work->snapshot, standings.items[i].name, &census, error))
            return false;
        add_row(table, &standings.items[i], &census);
        add_json(json, &standings.items[i], &census);
    }
    return true;
}

static enum exit_status run(const struct call *call)
{
    static const struct table_column columns[] = {
        {"DOMAIN"},       {"TEAM"},          {"STATE"},        {"PROOF"},
        {"ACTIVE", true}, {"PENDING", true}, {"STATIC", true},
    };
    bool is_json = false;
    CLEANUP(options_finish) struct options options = {0};
    CLEANUP(workspace_finish) struct workspace work = {0};
    CLEANUP(table_finish) struct table table = {columns, ARRAY_LENGTH(columns)};
    const struct option_row rows[] = {
        {0, "json", .help = "print a JSON array", .flag = &is_json},
    };
    if (!options_take(&options, call, rows, ARRAY_LENGTH(rows), 0, 0))
        return options.status;
    if (!workspace_read_config(&work, call) || !workspace_begin_snapshot(&work))
        return work.status;
    struct error error = {0};
    json_t *json = json_array();
    bool is_read = add_all(&work, &table, json, &error);
    if (!is_read)
        console_complain("%s", error.text);
    else if (is_json)
        json_print(json_incref(json));
    else
        table_print(&table);
    json_decref(json);
    return is_read ? EXIT_DONE : EXIT_FAILED;
}

const struct command command_domain_list = {
    .name = "domain list",
    .usage = "[--json]",
    .help = "list the domains with their teams and how they stand",
    .run = run,
};
