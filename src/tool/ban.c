/* ban and unban. */
#include "action/ban.h"

#include "base/memory.h"
#include "launchpad/page.h"
#include "tool/act.h"
#include "tool/options.h"

/* What is done to an account. */
struct ban_act {
    const char *participle;
    bool is_of_known; /* else of any name that Launchpad may have, also ahead of time */
    bool needs_reason;
    bool (*apply)(const struct action *action, const char *name, const char *reason,
                  struct store_update_result *ret, struct error *error);
};

static bool check_name(struct workspace *work, const struct ban_act *act, const char *name)
{
    return act->is_of_known
               ? act_check_person(work, name)
               : page_is_name(name) ||
                     workspace_fail(work, EXIT_USAGE, "%s: not a Launchpad name", name);
}

static enum exit_status apply(const struct call *call, const struct ban_act *act, const char *text,
                              const char *reason, bool is_json)
{
    CLEANUP(workspace_finish) struct workspace work = {0};
    CLEANUP(memory_free_at) char *name = act_fold_name(text);
    struct store_update_result result;
    struct error error = {0};
    if (!act_open(&work, call) || !check_name(&work, act, name))
        return work.status;
    struct action action = workspace_action(&work);
    if (!act->apply(&action, name, reason, &result, &error))
        return act_fail(name, &error);
    return act_tell_person(&work, name, act->participle, &result, is_json);
}

static enum exit_status run(const struct call *call, const struct ban_act *act)
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
    if (act->needs_reason && *reason == '\0')
        return options_refuse(call, "--reason is missing");
    return apply(call, act, options.operands[0], reason, is_json);
}

static enum exit_status run_ban(const struct call *call)
{
    static const struct ban_act act = {"banned", false, true, action_ban};
    return run(call, &act);
}

static enum exit_status run_unban(const struct call *call)
{
    static const struct ban_act act = {"not banned any more", true, false, action_unban};
    return run(call, &act);
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
