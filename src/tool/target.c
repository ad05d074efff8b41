/* target set and target clear. */
#include "action/target.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/memory.h"
#include "tool/act.h"
#include "tool/console.h"
#include "tool/input.h"
#include "tool/json_output.h"
#include "tool/options.h"
#include "tool/workspace.h"

enum { STDIN_MAX_BYTES = 65536 };

static enum exit_status tell(const char *name, const struct store_update_result *result,
                             bool is_json)
{
    CLEANUP(buffer_finish) struct buffer shown = {0};
    if (is_json) {
        json_print(act_json("name", name, result));
        return EXIT_DONE;
    }
    console_append_visible(&shown, name);
    printf("%s: %s; generation %" PRIu64 "\n", buffer_text(&shown),
           result->changed ? "changed" : "nothing changed", result->generation);
    return EXIT_DONE;
}

static enum exit_status set_targets(const struct call *call, const char *text,
                                    const char *const *targets, size_t count, bool is_json)
{
    CLEANUP(workspace_finish) struct workspace work = {0};
    CLEANUP(memory_free_at) char *name = act_fold_name(text);
    struct store_update_result result;
    struct error error = {0};
    if (!act_open(&work, call) || !act_check_person(&work, name))
        return work.status;
    struct action action = workspace_action(&work);
    if (!action_target_set(&action, name, targets, count, &result, &error)) {
        console_complain("%s: %s", name, error.text);
        return EXIT_FAILED;
    }
    return tell(name, &result, is_json);
}

/* Targets from standard input, between blanks or lines. */
static enum exit_status set_from_stdin(const struct call *call, const char *name, bool is_json)
{
    CLEANUP(memory_free_at) char *text = NULL;
    CLEANUP(memory_free_at) const char **targets = NULL;
    size_t count;
    struct error error = {0};
    if (!input_read_words(STDIN_MAX_BYTES, &text, &targets, &count, &error)) {
        console_complain("%s", error.text);
        return EXIT_FAILED;
    }
    return set_targets(call, name, targets, count, is_json);
}

static enum exit_status run_set(const struct call *call)
{
    bool is_stdin = false;
    bool is_json = false;
    CLEANUP(options_finish) struct options options = {0};
    const struct option_row rows[] = {
        {0, "stdin",
         .help = "read the addresses from standard input, so that no process list "
                 "shows them",
         .flag = &is_stdin},
        {0, "json", .help = "print one JSON object", .flag = &is_json},
    };
    if (!options_take(&options, call, rows, ARRAY_LENGTH(rows), 1, SIZE_MAX))
        return options.status;
    if (is_stdin == (options.operand_count > 1))
        return options_refuse(call, "either --stdin or addresses");
    return is_stdin
               ? set_from_stdin(call, options.operands[0], is_json)
               : set_targets(call, options.operands[0], (const char *const *)options.operands + 1,
                             options.operand_count - 1, is_json);
}

static enum exit_status run_clear(const struct call *call)
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
    if (!action_target_clear(&action, name, &result, &error)) {
        console_complain("%s: %s", name, error.text);
        return EXIT_FAILED;
    }
    return tell(name, &result, is_json);
}

const struct command command_target_set = {
    .name = "target set",
    .usage = "NAME TARGET... | NAME --stdin [--json]",
    .help = "give a person targets in place of those there are",
    .run = run_set,
};

const struct command command_target_clear = {
    .name = "target clear",
    .usage = "NAME [--json]",
    .help = "take all targets of a person away",
    .run = run_clear,
};
