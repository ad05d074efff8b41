/* alias remove, allow and set: acts on one alias that is there. */
#include "action/alias_allow.h"
#include "action/alias_remove.h"
#include "action/alias_set.h"
#include "tool/act.h"
#include "tool/extension_option.h"
#include "tool/options.h"

static enum exit_status run_remove(const struct call *call)
{
    bool is_json = false;
    struct address address;
    CLEANUP(options_finish) struct options options = {0};
    CLEANUP(workspace_finish) struct workspace work = {0};
    struct store_update_result result;
    struct error error = {0};
    const struct option_row rows[] = {
        {0, "json", .help = "print one JSON object", .flag = &is_json},
    };
    if (!options_take(&options, call, rows, ARRAY_LENGTH(rows), 1, 1))
        return options.status;
    const char *text = options.operands[0];
    if (!act_read_address(&work, text, &address) || !act_open(&work, call) ||
        !act_check_alias(&work, &address))
        return work.status;
    struct action action = workspace_action(&work);
    if (!action_alias_remove(&action, address.domain, address.local, &result, &error))
        return act_fail(text, &error);
    return act_tell_alias(&work, &address, "removed", &result, is_json);
}

static enum exit_status run_allow(const struct call *call)
{
    bool is_json = false;
    bool is_withdrawn = false;
    struct address address;
    CLEANUP(options_finish) struct options options = {0};
    CLEANUP(workspace_finish) struct workspace work = {0};
    struct store_update_result result;
    struct error error = {0};
    const struct option_row rows[] = {
        {0, "withdraw", .help = "not any more; who has the name keeps it", .flag = &is_withdrawn},
        {0, "json", .help = "print one JSON object", .flag = &is_json},
    };
    if (!options_take(&options, call, rows, ARRAY_LENGTH(rows), 1, 1))
        return options.status;
    const char *text = options.operands[0];
    if (!act_read_address(&work, text, &address) || !act_open(&work, call))
        return work.status;
    struct action action = workspace_action(&work);
    if (!action_alias_allow(&action, address.domain, address.local, !is_withdrawn, &result, &error))
        return act_fail(text, &error);
    return act_tell_alias(&work, &address, is_withdrawn ? "not allowed any more" : "allowed",
                          &result, is_json);
}

static enum exit_status run_set(const struct call *call)
{
    bool is_json = false;
    const char *policy = NULL;
    enum extension_policy extension;
    struct address address;
    CLEANUP(options_finish) struct options options = {0};
    CLEANUP(workspace_finish) struct workspace work = {0};
    struct store_update_result result;
    struct error error = {0};
    const struct option_row rows[] = {
        {0, "extension", EXTENSION_OPTION_CHOICES, EXTENSION_OPTION_HELP, .value = &policy},
        {0, "json", .help = "print one JSON object", .flag = &is_json},
    };
    if (!options_take(&options, call, rows, ARRAY_LENGTH(rows), 1, 1))
        return options.status;
    if (policy == NULL)
        return options_refuse(call, "--extension is missing");
    if (!extension_option_read(policy, &extension))
        return options_refuse(call, "there is no policy \"%s\"", policy);
    const char *text = options.operands[0];
    if (!act_read_address(&work, text, &address) || !act_open(&work, call) ||
        !act_check_alias(&work, &address))
        return work.status;
    struct action action = workspace_action(&work);
    if (!action_alias_set_extension(&action, address.domain, address.local, extension, &result,
                                    &error))
        return act_fail(text, &error);
    return act_tell_alias(&work, &address, "set", &result, is_json);
}

const struct command command_alias_remove = {
    .name = "alias remove",
    .usage = "ADDRESS [--json]",
    .help = "take an extra or static alias away for good, or lift a reservation",
    .run = run_remove,
};

const struct command command_alias_allow = {
    .name = "alias allow",
    .usage = "ADDRESS [--withdraw] [--json]",
    .help = "let the member of that name have it though it is reserved, taken away or collides",
    .run = run_allow,
};

const struct command command_alias_set = {
    .name = "alias set",
    .usage = "ADDRESS --extension " EXTENSION_OPTION_CHOICES " [--json]",
    .help = "say what an alias does with what stands behind a delimiter",
    .run = run_set,
};
