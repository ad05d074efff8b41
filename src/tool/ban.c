/* ban and unban. */
#include "action/ban.h"

#include "base/memory.h"
#include "launchpad/page.h"
#include "tool/act.h"
#include "tool/options.h"

static bool check_name(struct workspace *work, const char *name)
{
    return page_is_name(name) || workspace_fail(work, EXIT_USAGE, "%s: not a Launchpad name", name);
}

static enum exit_status ban(const struct call *call, const char *text, const char *reason,
                            bool is_json)
{
    CLEANUP(workspace_finish) struct workspace work = {0};
    CLEANUP(memory_free_at) char *name = act_fold_name(text);
    struct store_update_result result;
    struct error error = {0};
    if (!check_name(&work, name) || !act_open(&work, call))
        return work.status;
    struct action action = workspace_action(&work);
    if (!action_ban(&action, name, reason, &result, &error))
        return act_fail(name, &error);
    return act_tell_person(&work, name, "banned", &result, is_json);
}

static enum exit_status unban(const struct call *call, const char *text, const char *reason,
                              bool is_json)
{
    CLEANUP(workspace_finish) struct workspace work = {0};
    CLEANUP(memory_free_at) char *name = act_fold_name(text);
    struct store_update_result result;
    struct error error = {0};
    if (!act_open(&work, call) || !act_check_person(&work, name))
        return work.status;
    struct action action = workspace_action(&work);
    if (!action_unban(&action, name, reason, &result, &error))
        return act_fail(name, &error);
    return act_tell_person(&work, name, "not banned any more", &result, is_json);
}

static enum exit_status run_ban(const struct call *call)
{
    const char *reason = NULL;
    bool is_json = false;
    CLEANUP(options_finish) struct options options = {0};
    const struct option_row rows[] = {
        {'r', "reason", "TEXT", "why, for the other admins", .value = &reason},
        {0, "json", .help = "print one JSON object", .flag = &is_json},
    };
    if (!options_take(&options, call, rows, ARRAY_LENGTH(rows), 1, 1))
        return options.status;
    if (reason == NULL || *reason == '\0')
        return options_refuse(call, "--reason is missing");
    return ban(call, options.operands[0], reason, is_json);
}

static enum exit_status run_unban(const struct call *call)
{
    const char *reason = "";
    bool is_json = false;
    CLEANUP(options_finish) struct options options = {0};
    const struct option_row rows[] = {
        {'r', "reason", "TEXT", "why, for the other admins", .value = &reason},
        {0, "json", .help = "print one JSON object", .flag = &is_json},
    };
    if (!options_take(&options, call, rows, ARRAY_LENGTH(rows), 1, 1))
        return options.status;
    return unban(call, options.operands[0], reason, is_json);
}

const struct command command_ban = {
    .name = "ban",
    .usage = "NAME --reason TEXT [--json]",
    .help = "refuse all aliases of an account at once, also ahead of its first membership",
    .run = run_ban,
};

const struct command command_unban = {
    .name = "unban",
    .usage = "NAME [--reason TEXT] [--json]",
    .help = "let the rules decide again about the aliases of an account",
    .run = run_unban,
};
