#include <inttypes.h>
#include <stdio.h>

#include "action/upgrade.h"
#include "tool/console.h"
#include "tool/json_output.h"
#include "tool/options.h"
#include "tool/stopwatch.h"
#include "tool/workspace.h"

static void print_json(const struct upgrade_result *result)
{
    json_t *object = json_object();
    json_object_set_new(object, "layout", json_integer(RECORD_LAYOUT_VERSION));
    json_object_set_new(object, "layout_before", json_integer(result->layout));
    json_object_set_new(object, "records", json_integer((json_int_t)result->records));
    json_object_set_new(object, "unopened", json_integer((json_int_t)result->unopened));
    json_object_set_new(object, "went_back", json_boolean(result->went_back));
    json_object_set_new(object, "generation", json_integer((json_int_t)result->generation));
    json_print(object);
}

static void print_text(const struct upgrade_result *result)
{
    if (result->layout == RECORD_LAYOUT_VERSION) {
        printf("the cache has layout %d already\n", RECORD_LAYOUT_VERSION);
        return;
    }
    printf("the cache has layout %d now, it had layout %u: %zu records; generation %" PRIu64 "\n",
           RECORD_LAYOUT_VERSION, result->layout, result->records, result->generation);
    if (result->went_back)
        printf("it was older than what was written last, so all domains are closed\n");
}

static enum exit_status run(const struct call *call)
{
    bool is_json = false;
    CLEANUP(options_finish) struct options options = {0};
    CLEANUP(workspace_finish) struct workspace work = {0};
    struct upgrade_result result;
    struct error error = {0};
    const struct option_row rows[] = {
        {0, "json", .help = "one JSON value", .flag = &is_json},
    };
    if (!options_take(&options, call, rows, ARRAY_LENGTH(rows), 0, 0))
        return options.status;
    if (!workspace_read_config(&work, call) || !workspace_read_keys(&work) ||
        !workspace_open_cache(&work, STORE_UPGRADE))
        return work.status;
    const struct action action = workspace_action(&work);
    struct stopwatch watch;
    stopwatch_begin(&watch, "converting the cache");
    bool is_done = action_cache_upgrade(&action, &result, &error);
    stopwatch_end(&watch);
    if (!is_done) {
        console_complain("%s; the cache is as it was", error.text);
        return EXIT_FAILED;
    }
    if (is_json)
        print_json(&result);
    else
        print_text(&result);
    if (result.unopened != 0)
        console_complain("the targets of %zu people do not open, as before; see lpalias key check",
                         result.unopened);
    return EXIT_DONE;
}

const struct command command_cache_upgrade = {
    .name = "cache upgrade",
    .usage = "[--json]",
    .help = "convert a cache of the release before, which is read but not written to",
    .run = run,
};
