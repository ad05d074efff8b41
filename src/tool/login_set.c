/* login set. */
#include "action/login_name.h"

#include <string.h>

#include "base/memory.h"
#include "tool/act.h"
#include "tool/options.h"

#define DEFAULT_WORD "default"

static enum exit_status run(const struct call *call)
{
    bool is_json = false;
    CLEANUP(options_finish) struct options options = {0};
    CLEANUP(workspace_finish) struct workspace work = {0};
    CLEANUP(memory_free_at) char *name = NULL;
    CLEANUP(buffer_finish) struct buffer participle = {0};
    struct store_update_result result;
    struct error error = {0};
    const struct option_row rows[] = {
        {0, "json", .help = "print one JSON object", .flag = &is_json},
    };
    if (!options_take(&options, call, rows, ARRAY_LENGTH(rows), 2, 2))
        return options.status;
    const char *login = strcmp(options.operands[1], DEFAULT_WORD) != 0 ? options.operands[1] : "";
    if (*options.operands[1] == '\0')
        return options_refuse(call, "the login is empty");
    name = act_fold_name(options.operands[0]);
    if (!act_open(&work, call) || !act_check_person(&work, name))
        return work.status;
    struct action action = workspace_action(&work);
    if (!action_login_name_set(&action, name, login, &result, &error))
        return act_fail(name, &error);
    buffer_appendf(&participle, "allowed to send as login %s", *login != '\0' ? login : name);
    return act_tell_person(&work, name, buffer_text(&participle), &result, is_json);
}

const struct command command_login_set = {
    .name = "login set",
    .usage = "NAME LOGIN|default [--json]",
    .help = "say which login of the mail server may send as the aliases of a person",
    .run = run,
};
