/* pause and resume. */
#include "action/pause.h"

#include "base/memory.h"
#include "tool/act.h"
#include "tool/options.h"

typedef bool pause_act(const struct action *action, const char *name,
                       struct store_update_result *ret, struct error *error);

static enum exit_status run(const struct call *call, pause_act *act, const char *participle)
{
    bool is_json = false;
    CLEANUP(options_finish) struct options options = {0};
    CLEANUP(workspace_finish) struct workspace work = {0};
    CLEANUP(memory_free_at) char *name = NULL;
    struct store_update_result result;
    struct error error = {0};
    const struct option_row rows[] = {
        {0, "json", .help = "print one JSON object", .flag = &is_json},
    };
    if (!options_take(&options, call, rows, ARRAY_LENGTH(rows), 1, 1))
        return options.status;
    name = act_fold_name(options.operands[0]);
    if (!act_open(&work, call) || !act_check_person(&work, name))
        return work.status;
    struct action action = workspace_action(&work);
    if (!act(&action, name, &result, &error))
        return act_fail(name, &error);
    return act_tell_person(&work, name, participle, &result, is_json);
}

static enum exit_status run_pause(const struct call *call)
{
    return run(call, action_pause, "paused");
}

static enum exit_status run_resume(const struct call *call)
{
    return run(call, action_resume, "not paused any more");
}

const struct command command_pause = {
    .name = "pause",
    .usage = "NAME [--json]",
    .help = "deliver to no alias of a person until resumed",
    .run = run_pause,
};

const struct command command_resume = {
    .name = "resume",
    .usage = "NAME [--json]",
    .help = "end a pause",
    .run = run_resume,
};
