/* rollback: takes back what one refresh did to one domain, and holds the domain. */
#include "action/rollback.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "base/timestamp.h"
#include "tool/console.h"
#include "tool/json_output.h"
#include "tool/options.h"
#include "tool/stopwatch.h"
#include "tool/table.h"
#include "tool/workspace.h"

/* One roll-back as it was called for. */
struct rollback_call {
    struct options options;
    struct workspace work;
    bool is_yes, is_dry, is_json;
    char *domain;
    uint64_t generation; /* 0: the last */
    struct rollback_result result;
    struct store_update_result update;
};

static void rollback_call_finish(struct rollback_call *rollback)
{
    rollback_result_finish(&rollback->result);
    free(rollback->domain);
    workspace_finish(&rollback->work);
    options_finish(&rollback->options);
}

static json_t *json_from_state(enum alias_state state)
{
    return state != 0 ? json_string(alias_state_name(state)) : json_null();
}

static json_t *json_from_entry(const struct rollback_entry *entry)
{
    json_t *object = json_object();
    json_object_set_new(object, "name", json_from_span(span_of(entry->name)));
    json_object_set_new(object, "before", json_from_state(entry->now));
    json_object_set_new(object, "after", json_from_state(entry->then));
    if (entry->skipped_because != NULL)
        json_object_set_new(object, "reason", json_string(entry->skipped_because));
    return object;
}

static void print_json(const struct rollback_call *rollback)
{
    const struct rollback_result *result = &rollback->result;
    json_t *restored = json_array();
    json_t *skipped = json_array();
    for (size_t i = 0; i < result->count; i++)
        json_array_append_new(result->entries[i].skipped_because != NULL ? skipped : restored,
                              json_from_entry(&result->entries[i]));
    json_t *object = json_object();
    json_object_set_new(object, "domain", json_from_span(span_of(rollback->domain)));
    json_object_set_new(object, "dry_run", json_boolean(rollback->is_dry));
    json_object_set_new(object, "refresh_generation", json_integer((json_int_t)result->generation));
    json_object_set_new(object, "refreshed", json_from_time(result->refresh_s));
    json_object_set_new(object, "generation",
                        json_integer((json_int_t)rollback->update.generation));
    json_object_set_new(object, "already", json_integer((json_int_t)result->already));
    json_object_set_new(object, "restored", restored);
    json_object_set_new(object, "skipped", skipped);
    json_print(object);
}

/* All names, or only those that are skipped. */
static void print_names(const struct rollback_result *result, bool is_all)
{
    static const struct table_column columns[] = {{"NAME"}, {"NOW"}, {"THEN"}, {"SKIPPED BECAUSE"}};
    CLEANUP(table_finish) struct table table = {columns, ARRAY_LENGTH(columns)};
    for (size_t i = 0; i < result->count; i++) {
        const struct rollback_entry *entry = &result->entries[i];
        if (!is_all && entry->skipped_because == NULL)
            continue;
        table_add(&table, entry->name);
        table_add(&table, entry->now != 0 ? alias_state_name(entry->now) : "none");
        table_add(&table, entry->then != 0 ? alias_state_name(entry->then) : "none");
        table_add(&table, entry->skipped_because != NULL ? entry->skipped_because : "");
    }
    if (table.cell_count == 0)
        return;
    putchar('\n');
    table_print(&table);
}

static void print_result(const struct rollback_call *rollback)
{
    char at[TIMESTAMP_TEXT_BYTES];
    const struct rollback_result *result = &rollback->result;
    printf("%s: the refresh of generation %" PRIu64 " (%s): %zu names %s back, %zu skipped",
           rollback->domain, result->generation, timestamp_format(result->refresh_s, at),
           result->restored, rollback->is_dry ? "would go" : "went", result->skipped);
    if (result->already != 0)
        printf(", %zu are as before already", result->already);
    if (rollback->update.changed && !rollback->is_dry)
        printf("; generation %" PRIu64 "\n%s is held: no refresh changes it until lpalias plan "
               "release %s",
               rollback->update.generation, rollback->domain, rollback->domain);
    putchar('\n');
    print_names(result, rollback->is_dry);
}

static bool apply(struct rollback_call *rollback, uint64_t generation, bool is_dry)
{
    struct error error = {0};
    struct action action = workspace_action(&rollback->work);
    struct stopwatch watch;
    stopwatch_begin(&watch, "rolling back");
    bool is_done = action_rollback(&action, rollback->domain, generation, is_dry, &rollback->result,
                                   &rollback->update, &error);
    stopwatch_end(&watch);
    return is_done || workspace_fail(&rollback->work,
                                     error.kind == ERROR_INVALID ? EXIT_NOT_FOUND : EXIT_FAILED,
                                     "%s", error.text);
}

/* What was agreed to is what is done: the refresh that was shown, also if another comes between. */
static bool ask(struct rollback_call *rollback)
{
    CLEANUP(buffer_finish) struct buffer question = {0};
    char at[TIMESTAMP_TEXT_BYTES];
    if (rollback->is_yes)
        return true;
    if (!apply(rollback, rollback->generation, true))
        return false;
    rollback->generation = rollback->result.generation;
    buffer_appendf(&question,
                   "Roll %s back to before generation %" PRIu64
                   " (%s)? %zu names go back, %zu were changed since and stay.",
                   rollback->domain, rollback->generation,
                   timestamp_format(rollback->result.refresh_s, at), rollback->result.restored,
                   rollback->result.skipped);
    return console_ask(buffer_text(&question)) ||
           workspace_fail(&rollback->work, EXIT_FAILED, "%s is left as it is", rollback->domain);
}

static bool read_call(struct rollback_call *rollback, const struct call *call)
{
    struct workspace *work = &rollback->work;
    const char *number =
        rollback->options.operand_count == 2 ? rollback->options.operands[1] : NULL;
    if (number != NULL && !text_parse_number(number, 1, INT64_MAX, &rollback->generation)) {
        work->status = options_refuse(call, "%s is no number of a generation", number);
        return false;
    }
    if (!rollback->is_yes && !rollback->is_dry && !console_is_interactive()) {
        work->status = options_refuse(call, "there is no terminal to ask on; say --yes");
        return false;
    }
    return workspace_read_config(work, call) &&
           workspace_read_domain(work, rollback->options.operands[0], &rollback->domain) &&
           workspace_open_cache(work, rollback->is_dry ? STORE_READ : STORE_WRITE) &&
           workspace_read_keys(work);
}

static enum exit_status run(const struct call *call)
{
    CLEANUP(rollback_call_finish) struct rollback_call rollback = {0};
    const struct option_row rows[] = {
        {'n', "dry-run", .help = "write nothing, list what would change", .flag = &rollback.is_dry},
        {'y', "yes", .help = "do not ask", .flag = &rollback.is_yes},
        {0, "json", .help = "print one JSON object", .flag = &rollback.is_json},
    };
    if (!options_take(&rollback.options, call, rows, ARRAY_LENGTH(rows), 1, 2))
        return rollback.options.status;
    if (!read_call(&rollback, call) || (!rollback.is_dry && !ask(&rollback)) ||
        !apply(&rollback, rollback.generation, rollback.is_dry))
        return rollback.work.status;
    if (rollback.is_json)
        print_json(&rollback);
    else
        print_result(&rollback);
    return EXIT_DONE;
}

const struct command command_rollback = {
    .name = "rollback",
    .usage = "DOMAIN [GENERATION] [--yes] [--dry-run] [--json]",
    .help = "take back what a refresh (the last one that changed an alias) did to a domain",
    .run = run,
};
