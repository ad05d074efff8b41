#include <stdio.h>

#include "tool/json_output.h"
#include "tool/notify_run.h"
#include "tool/options.h"
#include "tool/workspace.h"

static void print_json(const struct config *config)
{
    json_t *object = json_object();
    json_object_set_new(object, "file", json_from_span(span_of(config->file)));
    json_object_set_new(object, "domains", json_integer((json_int_t)config->domain_count));
    json_object_set_new(object, "listeners",
                        json_integer((json_int_t)config->server.listener_count));
    json_print(object);
}

static enum exit_status run(const struct call *call)
{
    bool is_keys = false, is_json = false;
    CLEANUP(options_finish) struct options options = {0};
    CLEANUP(workspace_finish) struct workspace work = {0};
    const struct option_row rows[] = {
        {0, "keys", .help = "print all keys with type, default and meaning; no file is read",
         .flag = &is_keys},
        {0, "json", .help = "print one JSON object", .flag = &is_json},
    };
    if (!options_take(&options, call, rows, ARRAY_LENGTH(rows), 0, 0))
        return options.status;
    if (is_keys && is_json)
        return options_refuse(call, "either --keys or --json");
    if (is_keys) {
        config_print_keys(stdout);
        return EXIT_DONE;
    }
    if (!workspace_read_config(&work, call))
        return work.status;
    if (!notify_check_templates(work.config))
        return EXIT_CONFIG;
    if (is_json)
        print_json(work.config);
    else
        printf("%s: fine, %zu domain(s), %zu listener(s)\n", work.config->file,
               work.config->domain_count, work.config->server.listener_count);
    return EXIT_DONE;
}

const struct command command_check = {
    .name = "check",
    .usage = "[--keys | --json]",
    .help = "check the configuration file and the texts of notices",
    .run = run,
};
