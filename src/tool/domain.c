/* domain open, close and remove: what they ask before, and what they do to each domain named. */
#include "action/domain.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "tool/act.h"
#include "tool/console.h"
#include "tool/domain_census.h"
#include "tool/json_output.h"
#include "tool/options.h"
#include "tool/workspace.h"

/* What is done to a domain. */
struct domain_act {
    const char *participle;
    const char *question; /* asked on a terminal, with the domain; NULL: nothing is asked */
    bool (*apply)(const struct action *action, const char *domain, struct store_update_result *ret,
                  struct error *error);
};

static const struct domain_act opening = {
    "open",
    "Open %s? Unknown names are then refused for good (550).",
    action_domain_open,
};

static const struct domain_act closing = {
    "closed",
    NULL,
    action_domain_close,
};

static const struct domain_act removing = {
    "removed",
    "Remove %s with all its aliases? Postfix then takes no mail for it.",
    action_domain_remove,
};

static void print_census(const char *domain, const struct domain_record *row,
                         const struct domain_census *census)
{
    if (row->filled_s == 0)
        printf("%s: no refresh has filled it: its members are not known and would be refused\n",
               domain);
    printf("%s: %zu active, %zu pending, %zu static (unmatched), %zu other\n", domain,
           census->states[ALIAS_ACTIVE], census->states[ALIAS_PENDING], census->statics,
           census->total - census->states[ALIAS_ACTIVE] - census->states[ALIAS_PENDING] -
               census->statics);
}

/* One call of an act. */
struct domain_call {
    struct workspace work;
    const struct domain_act *act;
    bool is_yes;
    bool is_json;
    json_t *json; /* list, one object a domain, or NULL for text */
};

static void domain_call_finish(struct domain_call *call)
{
    json_decref(call->json);
    workspace_finish(&call->work);
}

/* Says what the domain holds; false: the cache does not have it. */
static bool look_at(struct workspace *work, const char *domain, bool is_told)
{
    struct domain_record row;
    struct domain_census census;
    struct error error = {0};
    if (!workspace_begin_snapshot(work))
        return false;
    enum store_result result = snapshot_domain(work->snapshot, domain, &row, &error);
    bool is_read =
        result == STORE_FOUND && domain_census_take(work->snapshot, domain, &census, &error);
    snapshot_end(work->snapshot);
    work->snapshot = NULL;
    if (result == STORE_ABSENT)
        return workspace_fail(work, EXIT_NOT_FOUND,
                              "%s is not in the cache; a refresh or an import brings it", domain);
    if (!is_read)
        return workspace_fail(work, EXIT_FAILED, "%s", error.text);
    if (is_told)
        print_census(domain, &row, &census);
    return true;
}

static bool is_agreed(const struct domain_act *act, const char *domain, bool is_yes)
{
    CLEANUP(buffer_finish) struct buffer question = {0};
    if (is_yes || act->question == NULL)
        return true;
    buffer_appendf(&question, act->question, domain);
    return console_ask(buffer_text(&question));
}

static bool apply_to(struct domain_call *call, const char *text)
{
    struct workspace *work = &call->work;
    const struct domain_act *act = call->act;
    CLEANUP(memory_free_at) char *domain = NULL;
    struct store_update_result result;
    struct error error = {0};
    if (!workspace_read_domain(work, text, &domain) ||
        !look_at(work, domain, act->question != NULL && call->json == NULL))
        return false;
    if (!is_agreed(act, domain, call->is_yes))
        return workspace_fail(work, EXIT_FAILED, "%s is left as it is", domain);
    struct action action = workspace_action(work);
    if (!act->apply(&action, domain, &result, &error))
        return workspace_fail(work, EXIT_FAILED, "%s", error.text);
    if (call->json != NULL) {
        json_array_append_new(call->json, act_json("domain", domain, &result));
        return true;
    }
    printf("%s is %s%s; generation %" PRIu64 "\n", domain, result.changed ? "" : "already ",
           act->participle, result.generation);
    return true;
}

/* All are tried; the first that fails decides the exit status. */
static enum exit_status apply_to_all(struct domain_call *call, const char *const *domains,
                                     size_t count)
{
    enum exit_status status = EXIT_DONE;
    if (!workspace_open_cache(&call->work, STORE_WRITE))
        return call->work.status;
    call->json = call->is_json ? json_array() : NULL;
    for (size_t i = 0; i < count; i++)
        if (!apply_to(call, domains[i]) && status == EXIT_DONE)
            status = call->work.status;
    if (call->json != NULL)
        json_print(json_incref(call->json));
    return status;
}

static enum exit_status refuse_unasked(const struct call *call)
{
    return options_refuse(call, "there is no terminal to ask on; say --yes");
}

static enum exit_status run_open(const struct call *call)
{
    bool is_all = false;
    CLEANUP(options_finish) struct options options = {0};
    CLEANUP(domain_call_finish) struct domain_call domains = {.act = &opening};
    const struct option_row rows[] = {
        {0, "all", .help = "all domains of the configuration", .flag = &is_all},
        {'y', "yes", .help = "do not ask", .flag = &domains.is_yes},
        {0, "json", .help = "print a JSON array", .flag = &domains.is_json},
    };
    if (!options_take(&options, call, rows, ARRAY_LENGTH(rows), 0, SIZE_MAX))
        return options.status;
    if (is_all == (options.operand_count != 0))
        return options_refuse(call, "either --all or the names of domains");
    if (!domains.is_yes && !console_is_interactive())
        return refuse_unasked(call);
    if (!workspace_read_config(&domains.work, call))
        return domains.work.status;
    size_t count = is_all ? domains.work.house->domain_count : options.operand_count;
    const char **names = memory_new(count, sizeof(*names));
    for (size_t i = 0; i < count; i++)
        names[i] = is_all ? domains.work.house->domains[i].name : options.operands[i];
    enum exit_status status = apply_to_all(&domains, names, count);
    free(names);
    return status;
}

static enum exit_status run_close(const struct call *call)
{
    CLEANUP(options_finish) struct options options = {0};
    CLEANUP(domain_call_finish) struct domain_call domains = {.act = &closing};
    const struct option_row rows[] = {
        {0, "json", .help = "print a JSON array", .flag = &domains.is_json},
    };
    if (!options_take(&options, call, rows, ARRAY_LENGTH(rows), 1, SIZE_MAX))
        return options.status;
    if (!workspace_read_config(&domains.work, call))
        return domains.work.status;
    return apply_to_all(&domains, (const char *const *)options.operands, options.operand_count);
}

static enum exit_status run_remove(const struct call *call)
{
    CLEANUP(options_finish) struct options options = {0};
    CLEANUP(domain_call_finish) struct domain_call domains = {.act = &removing};
    const struct option_row rows[] = {
        {'y', "yes", .help = "do not ask", .flag = &domains.is_yes},
        {0, "json", .help = "print a JSON array", .flag = &domains.is_json},
    };
    if (!options_take(&options, call, rows, ARRAY_LENGTH(rows), 1, SIZE_MAX))
        return options.status;
    if (!domains.is_yes && !console_is_interactive())
        return refuse_unasked(call);
    if (!workspace_read_config(&domains.work, call))
        return domains.work.status;
    return apply_to_all(&domains, (const char *const *)options.operands, options.operand_count);
}

const struct command command_domain_open = {
    .name = "domain open",
    .usage = "[--yes] [--json] DOMAIN... | --all",
    .help = "refuse unknown names of a domain from now on, as its aliases are complete",
    .run = run_open,
};

const struct command command_domain_close = {
    .name = "domain close",
    .usage = "[--json] DOMAIN...",
    .help = "put off mail for all names of a domain but its live aliases",
    .run = run_close,
};

const struct command command_domain_remove = {
    .name = "domain remove",
    .usage = "[--yes] [--json] DOMAIN...",
    .help = "forget a domain that is not in the configuration any more",
    .run = run_remove,
};
