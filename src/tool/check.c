#include <stdio.h>

#include "tool/notify_run.h"
#include "tool/options.h"
#include "tool/workspace.h"

static enum exit_status run(const struct call *call)
{
    bool is_keys = false;
    CLEANUP(options_finish) struct options options = {0};
    CLEANUP(workspace_finish) struct workspace work = {0};
    const struct option_row rows[] = {
        {0, "keys", .help = "print all keys with type, default and meaning; no file is read",
         .flag = &is_keys},
    };
    if (!options_take(&options, call, rows, ARRAY_LENGTH(rows), 0, 0))
        return options.status;
    if (is_keys) {
        config_print_keys(stdout);
        return EXIT_DONE;
    }
    if (!workspace_read_config(&work, call))
        return work.status;
    if (!notify_check_templates(work.config))
        return EXIT_CONFIG;
    printf("%s: fine, %zu domain(s), %zu listener(s)\n", work.config->file,
           work.config->domain_count, work.config->server.listener_count);
    return EXIT_DONE;
}

const struct command command_check = {
    .name = "check",
    .usage = "[--keys]",
    .help = "check the configuration file and the texts of notices",
    .run = run,
};
