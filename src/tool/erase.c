#include "action/erase.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/memory.h"
#include "tool/act.h"
#include "tool/console.h"
#include "tool/json_output.h"
#include "tool/options.h"

static enum exit_status tell(const char *name, const struct store_update_result *result,
                             bool is_json)
{
    if (is_json) {
        json_print(act_json("name", name, result));
        return EXIT_DONE;
    }
    CLEANUP(buffer_finish) struct buffer shown = {0};
    console_append_visible(&shown, name);
    printf("%s is erased; generation %" PRIu64 "\n"
           "Backups and exports made before still hold it. What Launchpad says of a member stays,\n"
           "and so do a ban and the names of aliases, so that they are nobody else's.\n",
           buffer_text(&shown), result->generation);
    return EXIT_DONE;
}

static bool is_agreed(const char *name)
{
    CLEANUP(buffer_finish) struct buffer question = {0};
    buffer_appendf(&question, "Erase %s? Targets, choices and history cannot be brought back.",
                   name);
    return console_ask(buffer_text(&question));
}

static enum exit_status run(const struct call *call)
{
    bool is_yes = false;
    bool is_json = false;
    CLEANUP(options_finish) struct options options = {0};
    CLEANUP(workspace_finish) struct workspace work = {0};
    CLEANUP(memory_free_at) char *name = NULL;
    struct store_update_result result;
    struct error error = {0};
    const struct option_row rows[] = {
        {'y', "yes", .help = "do not ask", .flag = &is_yes},
        {0, "json", .help = "print one JSON object", .flag = &is_json},
    };
    if (!options_take(&options, call, rows, ARRAY_LENGTH(rows), 1, 1))
        return options.status;
    if (!is_yes && !console_is_interactive())
        return options_refuse(call, "there is no terminal to ask on; say --yes");
    name = act_fold_name(options.operands[0]);
    if (!act_open(&work, call) || !act_check_person(&work, name))
        return work.status;
    if (!is_yes && !is_agreed(name)) {
        console_complain("%s is left as it is", name);
        return EXIT_FAILED;
    }
    struct action action = workspace_action(&work);
    if (!action_erase(&action, name, &result, &error))
        return act_fail(name, &error);
    return tell(name, &result, is_json);
}

const struct command command_erase = {
    .name = "erase",
    .usage = "[--yes] NAME [--json]",
    .help = "forget a person: targets, logins, choices, notices, undo, and whom events are about",
    .run = run,
};
