#include "action/extra_alias.h"
#include "action/static_alias.h"
#include "base/memory.h"
#include "tool/act.h"
#include "tool/console.h"
#include "tool/extension_option.h"
#include "tool/input.h"
#include "tool/options.h"

enum { STDIN_MAX_BYTES = 65536 };

/* As it was called. */
struct addition {
    const char *text; /* the address */
    const char *name; /* whose it is to be; NULL: a static alias */
    struct option_values targets;
    const char *policy;
    bool is_stdin, may_be_reserved, is_json;
    enum extension_policy extension;
};

static void addition_finish(struct addition *addition)
{
    option_values_finish(&addition->targets);
}

static enum exit_status add_extra(const struct call *call, const struct addition *addition)
{
    CLEANUP(workspace_finish) struct workspace work = {0};
    CLEANUP(memory_free_at) char *name = act_fold_name(addition->name);
    struct address address;
    struct store_update_result result;
    struct error error = {0};
    if (!act_read_address(&work, addition->text, &address) || !act_open(&work, call) ||
        !act_check_person(&work, name))
        return work.status;
    struct action action = workspace_action(&work);
    const struct extra_alias alias = {
        .domain = address.domain,
        .local = address.local,
        .name = name,
        .extension = addition->extension,
        .may_be_reserved = addition->may_be_reserved,
    };
    if (!action_add_extra_alias(&action, &alias, &result, &error))
        return act_fail(addition->text, &error);
    return act_tell_alias(&work, &address, "there", &result, addition->is_json);
}

static enum exit_status put_static(const struct call *call, const struct addition *addition,
                                   const char *const *targets, size_t count)
{
    CLEANUP(workspace_finish) struct workspace work = {0};
    struct address address;
    struct store_update_result result;
    struct error error = {0};
    if (!workspace_read_config(&work, call) || !act_read_address(&work, addition->text, &address) ||
        !workspace_take_on_owner(&work) || !workspace_read_keys(&work) ||
        !workspace_make_cache(&work))
        return work.status;
    struct action action = workspace_action(&work);
    const struct static_alias alias = {
        .domain = address.domain,
        .local = address.local,
        .targets = targets,
        .target_count = count,
        .extension = addition->extension,
    };
    if (!action_put_static_alias(&action, &alias, &result, &error))
        return act_fail(addition->text, &error);
    return act_tell_alias(&work, &address, "there", &result, addition->is_json);
}

static enum exit_status put_static_from_stdin(const struct call *call,
                                              const struct addition *addition)
{
    CLEANUP(memory_free_at) char *text = NULL;
    CLEANUP(memory_free_at) const char **words = NULL;
    size_t count;
    struct error error = {0};
    if (!input_read_words(STDIN_MAX_BYTES, &text, &words, &count, &error)) {
        console_complain("%s", error.text);
        return EXIT_FAILED;
    }
    return put_static(call, addition, words, count);
}

/* EXIT_DONE if the options make sense together. */
static enum exit_status check_use(const struct call *call, struct addition *addition)
{
    bool has_targets = addition->targets.count != 0 || addition->is_stdin;
    if ((addition->name != NULL) == has_targets)
        return options_refuse(call, "either --for, or --target or --stdin");
    if (addition->targets.count != 0 && addition->is_stdin)
        return options_refuse(call, "either --target or --stdin");
    if (addition->name == NULL && addition->may_be_reserved)
        return options_refuse(call, "--allow-reserved is for an extra alias");
    addition->extension = addition->name != NULL ? EXTENSION_APPEND : EXTENSION_DROP;
    if (addition->policy != NULL && !extension_option_read(addition->policy, &addition->extension))
        return options_refuse(call, "there is no policy \"%s\"", addition->policy);
    return EXIT_DONE;
}

static enum exit_status run(const struct call *call)
{
    CLEANUP(options_finish) struct options options = {0};
    CLEANUP(addition_finish) struct addition addition = {0};
    const struct option_row rows[] = {
        {0, "for", "NAME", "an extra alias of this member", .value = &addition.name},
        {'t', "target", "ADDRESS", "a static alias with this target; may be given several times",
         .values = &addition.targets},
        {0, "stdin",
         .help = "read the targets of a static alias from standard input, so that no process list "
                 "shows them",
         .flag = &addition.is_stdin},
        {0, "extension", EXTENSION_OPTION_CHOICES,
         EXTENSION_OPTION_HELP " (extra: append, static: drop)", .value = &addition.policy},
        {0, "allow-reserved", .help = "an extra alias may be a reserved name",
         .flag = &addition.may_be_reserved},
        {0, "json", .help = "print one JSON object", .flag = &addition.is_json},
    };
    if (!options_take(&options, call, rows, ARRAY_LENGTH(rows), 1, 1))
        return options.status;
    enum exit_status use = check_use(call, &addition);
    if (use != EXIT_DONE)
        return use;
    addition.text = options.operands[0];
    if (addition.name != NULL)
        return add_extra(call, &addition);
    return addition.is_stdin
               ? put_static_from_stdin(call, &addition)
               : put_static(call, &addition, addition.targets.items, addition.targets.count);
}

const struct command command_alias_add = {
    .name = "alias add",
    .usage =
        "ADDRESS --for NAME [--allow-reserved] | --target T... | --stdin [--extension P] [--json]",
    .help = "make an extra alias of a member, or a static alias of the house",
    .run = run,
};
