#include <stdio.h>
#include <string.h>

#include "action/key.h"
#include "tool/console.h"
#include "tool/json_output.h"
#include "tool/options.h"
#include "tool/stopwatch.h"
#include "tool/table.h"
#include "tool/workspace.h"

static const char *part_of(const struct key_census *census, size_t index)
{
    if (!census->keys[index].is_in_ring)
        return "missing";
    return index == 0 ? "seals" : "opens";
}

static void print_table(const struct key_census *census)
{
    static const struct table_column columns[] = {
        {"KEY", true},    {"USE", false}, {"ALIAS", true},    {"PERSON", true},
        {"OUTBOX", true}, {"UNDO", true}, {"UNOPENED", true},
    };
    struct table table = {.columns = columns, .column_count = ARRAY_LENGTH(columns)};
    for (size_t i = 0; i < census->count; i++) {
        const struct key_use *use = &census->keys[i];
        table_addf(&table, "%u", (unsigned)use->id);
        table_add(&table, part_of(census, i));
        for (size_t place = 0; place < SEALED_PLACE_COUNT; place++)
            table_addf(&table, "%zu", use->values[place]);
        table_addf(&table, "%zu", use->unopened);
    }
    table_print(&table);
    table_finish(&table);
}

static void print_json(const struct key_census *census)
{
    json_t *keys = json_array();
    for (size_t i = 0; i < census->count; i++) {
        const struct key_use *use = &census->keys[i];
        json_t *key = json_object();
        json_object_set_new(key, "id", json_integer(use->id));
        json_object_set_new(key, "in_key_file", json_boolean(use->is_in_ring));
        json_object_set_new(key, "seals", json_boolean(i == 0));
        for (enum sealed_place place = 0; place < SEALED_PLACE_COUNT; place++)
            json_object_set_new(key, sealed_place_name(place),
                                json_integer((json_int_t)use->values[place]));
        json_object_set_new(key, "unopened", json_integer((json_int_t)use->unopened));
        json_array_append_new(keys, key);
    }
    json_t *whole = json_object();
    json_object_set_new(whole, "keys", keys);
    json_object_set_new(whole, "malformed", json_integer((json_int_t)census->malformed));
    json_object_set_new(whole, "unopened", json_integer((json_int_t)census->unopened));
    json_print(whole);
}

/* On standard error, each with its reason. */
static void complain(struct key_census *census, const char *key_file)
{
    char *rest = NULL;
    size_t told = 0;
    for (size_t i = 0; i < census->count; i++) {
        const struct key_use *use = &census->keys[i];
        if (!use->is_in_ring)
            console_complain("key %u is not in %s: %zu values cannot be opened", (unsigned)use->id,
                             key_file, use->unopened);
        else if (use->unopened != 0)
            console_complain("%zu values of key %u do not open: they are damaged, or it is another "
                             "key of that number",
                             use->unopened, (unsigned)use->id);
    }
    if (census->malformed != 0)
        console_complain("%zu values are not sealed values at all", census->malformed);
    buffer_text(&census->unopened_names);
    for (char *line = strtok_r(census->unopened_names.data, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest), told++)
        console_remark("  %s", line);
    if (told < census->unopened)
        console_remark("  and %zu more", census->unopened - told);
}

static enum exit_status check(struct workspace *work, bool is_json)
{
    struct key_census census = {0};
    struct error error = {0};
    enum exit_status status = EXIT_DONE;
    struct stopwatch watch;
    stopwatch_begin(&watch, "opening all values");
    bool is_taken = key_census_take(work->snapshot, work->ring, true, &census, &error);
    stopwatch_end(&watch);
    if (!is_taken) {
        console_complain("%s", error.text);
        status = EXIT_FAILED;
    } else {
        if (is_json)
            print_json(&census);
        else
            print_table(&census);
        if (census.unopened != 0) {
            complain(&census, work->config->key_file);
            status = EXIT_FAILED;
        }
    }
    key_census_finish(&census);
    return status;
}

static enum exit_status run(const struct call *call)
{
    bool is_json = false;
    CLEANUP(options_finish) struct options options = {0};
    CLEANUP(workspace_finish) struct workspace work = {0};
    const struct option_row rows[] = {
        {0, "json", .help = "one JSON value", .flag = &is_json},
    };
    if (!options_take(&options, call, rows, ARRAY_LENGTH(rows), 0, 0))
        return options.status;
    if (!workspace_read_config(&work, call) || !workspace_read_keys(&work) ||
        !workspace_begin_snapshot(&work))
        return work.status;
    return check(&work, is_json);
}

const struct command command_key_check = {
    .name = "key check",
    .usage = "[--json]",
    .help = "open every sealed value and count by key what it seals",
    .run = run,
};
