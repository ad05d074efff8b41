/* plan show, release and discard: what a refresh did not dare to do by itself. */
#include "action/plan.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "base/timestamp.h"
#include "report/record_json.h"
#include "tool/console.h"
#include "tool/json_output.h"
#include "tool/options.h"
#include "tool/stopwatch.h"
#include "tool/table.h"
#include "tool/workspace.h"

/* ---- show ---- */

/* What is shown of the plans that are walked over. */
struct plan_view {
    const char *domain; /* only this one, with its names; NULL: all */
    bool is_json;
    json_t *plans;
    struct table table;
};

static void append_holds(struct buffer *out, unsigned holds)
{
    static const struct {
        unsigned bit;
        const char *word;
    } words[] = {
        {PLAN_HOLDS_ALL, "everything"},
        {PLAN_HOLDS_LOSSES, "losses"},
        {PLAN_HOLDS_ADDITIONS, "additions"},
        {PLAN_DISCARDED, "discarded"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++)
        if ((holds & words[i].bit) != 0)
            buffer_appendf(out, "%s%s", out->length != 0 ? ", " : "", words[i].word);
}

/* "none" for a name without an alias. */
static const char *state_word(enum alias_state state)
{
    return state != 0 ? alias_state_name(state) : "none";
}

static json_t *json_from_row(const struct plan_row *row)
{
    json_t *object = json_object();
    json_object_set_new(object, "name", json_from_span(row->name));
    json_object_set_new(object, "in_listing", json_boolean(row->is_seen));
    json_object_set_new(object, "before",
                        row->before != 0 ? json_string(alias_state_name(row->before))
                                         : json_null());
    json_object_set_new(object, "after", json_string(state_word(row->after)));
    json_object_set_new(object, "reason", json_from_reason(row->reason));
    return object;
}

static void add_json(struct plan_view *view, const char *domain, const struct plan_record *plan)
{
    CLEANUP(buffer_finish) struct buffer holds = {0};
    json_t *rows = json_array();
    struct span rest = plan->rows;
    struct plan_row row;
    while (plan_row_take(&rest, &row))
        json_array_append_new(rows, json_from_row(&row));
    append_holds(&holds, plan->holds);
    json_t *object = json_object();
    json_object_set_new(object, "domain", json_from_span(span_of(domain)));
    json_object_set_new(object, "number", json_integer((json_int_t)plan->stamp.generation));
    json_object_set_new(object, "holds", json_string(buffer_text(&holds)));
    json_object_set_new(object, "discarded", json_boolean((plan->holds & PLAN_DISCARDED) != 0));
    json_object_set_new(object, "made", json_from_time(plan->made_s));
    json_object_set_new(object, "team", json_from_span(plan->team));
    json_object_set_new(object, "losses", json_integer(plan->losses));
    json_object_set_new(object, "additions", json_integer(plan->additions));
    json_object_set_new(object, "reason", json_from_span(plan->reason));
    json_object_set_new(object, "names", rows);
    json_array_append_new(view->plans, object);
}

static void print_names(const struct plan_record *plan)
{
    static const struct table_column columns[] = {
        {"NAME"}, {"LISTED"}, {"BEFORE"}, {"AFTER"}, {"REASON"}};
    CLEANUP(table_finish) struct table table = {columns, ARRAY_LENGTH(columns)};
    struct span rest = plan->rows;
    struct plan_row row;
    while (plan_row_take(&rest, &row)) {
        CLEANUP(memory_free_at) char *name = memory_copy_bytes(row.name.data, row.name.length);
        table_add(&table, name);
        table_add(&table, row.is_seen ? "yes" : "no");
        table_add(&table, state_word(row.before));
        table_add(&table, state_word(row.after));
        table_add(&table, row.reason != REASON_NONE ? alias_reason_name(row.reason) : "");
    }
    putchar('\n');
    table_print(&table);
}

static void print_plan(const char *domain, const struct plan_record *plan)
{
    CLEANUP(buffer_finish) struct buffer holds = {0};
    CLEANUP(memory_free_at) char *team = memory_copy_bytes(plan->team.data, plan->team.length);
    CLEANUP(memory_free_at)
    char *reason = memory_copy_bytes(plan->reason.data, plan->reason.length);
    char number[24], made[TIMESTAMP_TEXT_BYTES];
    append_holds(&holds, plan->holds);
    snprintf(number, sizeof(number), "%" PRIu64, plan->stamp.generation);
    console_print_field("domain", domain);
    console_print_field("number", number);
    console_print_field("team", team);
    console_print_field("made", timestamp_format(plan->made_s, made));
    console_print_field("holds", buffer_text(&holds));
    console_print_field("reason", reason);
    print_names(plan);
}

static bool visit_plan(void *context, const char *domain, const struct plan_record *plan)
{
    struct plan_view *view = context;
    char made[TIMESTAMP_TEXT_BYTES];
    if (view->domain != NULL && strcmp(view->domain, domain) != 0)
        return true;
    add_json(view, domain, plan);
    if (view->is_json)
        return true;
    if (view->domain != NULL) {
        print_plan(domain, plan);
        return true;
    }
    CLEANUP(buffer_finish) struct buffer holds = {0};
    append_holds(&holds, plan->holds);
    table_add(&view->table, domain);
    table_addf(&view->table, "%" PRIu64, plan->stamp.generation);
    table_add(&view->table, buffer_text(&holds));
    table_addf(&view->table, "%u", plan->losses);
    table_addf(&view->table, "%u", plan->additions);
    table_add(&view->table, timestamp_format(plan->made_s, made));
    return true;
}

/* A roll-back holds a domain as a whole; there is no plan of it. */
static bool visit_domain(void *context, const char *domain, const struct domain_record *row)
{
    struct plan_view *view = context;
    if (!row->is_held || (view->domain != NULL && strcmp(view->domain, domain) != 0))
        return true;
    json_t *object = json_object();
    json_object_set_new(object, "domain", json_from_span(span_of(domain)));
    json_object_set_new(object, "number", json_null());
    json_object_set_new(object, "holds", json_string("roll-back"));
    json_object_set_new(object, "reason", json_from_span(row->hold_reason));
    json_object_set_new(object, "names", json_array());
    json_array_append_new(view->plans, object);
    if (view->is_json)
        return true;
    if (view->domain != NULL) {
        CLEANUP(memory_free_at)
        char *reason = memory_copy_bytes(row->hold_reason.data, row->hold_reason.length);
        console_print_field("domain", domain);
        console_print_field("holds", "roll-back");
        console_print_field("reason", reason);
        return true;
    }
    static const char *const cells[] = {"", "roll-back", "", "", ""};
    table_add(&view->table, domain);
    for (size_t i = 0; i < ARRAY_LENGTH(cells); i++)
        table_add(&view->table, cells[i]);
    return true;
}

static void view_finish(struct plan_view *view)
{
    table_finish(&view->table);
    json_decref(view->plans);
}

static enum exit_status show(struct workspace *work, const char *domain, bool is_json)
{
    static const struct table_column columns[] = {
        {"DOMAIN"}, {"NUMBER", true}, {"HOLDS"}, {"LOSSES", true}, {"ADDITIONS", true}, {"MADE"},
    };
    CLEANUP(view_finish)
    struct plan_view view = {.domain = domain,
                             .is_json = is_json,
                             .plans = json_array(),
                             .table = {columns, ARRAY_LENGTH(columns)}};
    struct error error = {0};
    if (!snapshot_each_domain(work->snapshot, visit_domain, &view, &error) ||
        !snapshot_each_plan(work->snapshot, visit_plan, &view, &error)) {
        console_complain("%s", error.text);
        return EXIT_FAILED;
    }
    bool is_some = json_array_size(view.plans) != 0;
    if (is_json)
        json_print(json_incref(view.plans));
    else if (!is_some)
        console_complain("nothing is held%s%s", domain != NULL ? " of " : "",
                         domain != NULL ? domain : "");
    else if (domain == NULL)
        table_print(&view.table);
    return is_some || domain == NULL ? EXIT_DONE : EXIT_NOT_FOUND;
}

static enum exit_status run_show(const struct call *call)
{
    bool is_json = false;
    CLEANUP(options_finish) struct options options = {0};
    CLEANUP(workspace_finish) struct workspace work = {0};
    CLEANUP(memory_free_at) char *domain = NULL;
    const struct option_row rows[] = {
        {0, "json", .help = "print a JSON array", .flag = &is_json},
    };
    if (!options_take(&options, call, rows, ARRAY_LENGTH(rows), 0, 1))
        return options.status;
    if (!workspace_read_config(&work, call) ||
        (options.operand_count == 1 &&
         !workspace_read_domain(&work, options.operands[0], &domain)) ||
        !workspace_begin_snapshot(&work))
        return work.status;
    return show(&work, domain, is_json);
}

/* ---- release and discard ---- */

/* How release and discard were called. */
struct decision {
    struct options options;
    struct workspace work;
    char *domain;
    uint64_t number;
    bool is_json;
};

static void decision_finish(struct decision *decision)
{
    free(decision->domain);
    workspace_finish(&decision->work);
    options_finish(&decision->options);
}

static bool read_decision(struct decision *decision, const struct call *call,
                          enum exit_status *ret_status)
{
    const char *number = NULL;
    const struct option_row rows[] = {
        {'n', "number", "N", "only if the plan still has this number", .value = &number},
        {0, "json", .help = "print one JSON object", .flag = &decision->is_json},
    };
    if (!options_take(&decision->options, call, rows, ARRAY_LENGTH(rows), 1, 1)) {
        *ret_status = decision->options.status;
        return false;
    }
    if (number != NULL && !text_parse_number(number, 1, INT64_MAX, &decision->number)) {
        *ret_status = options_refuse(call, "%s is no number of a plan", number);
        return false;
    }
    bool is_ready =
        workspace_read_config(&decision->work, call) &&
        workspace_read_domain(&decision->work, decision->options.operands[0], &decision->domain) &&
        workspace_open_cache(&decision->work, STORE_WRITE) && workspace_read_keys(&decision->work);
    *ret_status = decision->work.status;
    return is_ready;
}

/* Whether something of the domain waits, be it another plan than the one that was meant. */
static bool is_something_held(const struct decision *decision)
{
    struct snapshot *snapshot;
    struct domain_record row = {0};
    struct plan_record plan;
    struct error ignored;
    if (!snapshot_begin(decision->work.store, &snapshot, &ignored))
        return false;
    bool is_held =
        snapshot_plan(snapshot, decision->domain, &plan, &ignored) == STORE_FOUND ||
        (snapshot_domain(snapshot, decision->domain, &row, &ignored) == STORE_FOUND && row.is_held);
    snapshot_end(snapshot);
    return is_held;
}

static enum exit_status fail(const struct decision *decision, const struct error *error)
{
    console_complain("%s", error->text);
    if (error->kind != ERROR_INVALID)
        return EXIT_FAILED;
    return is_something_held(decision) ? EXIT_HELD : EXIT_NOT_FOUND;
}

/* names stand one a line; they were changed since, or their targets do not open. */
static void print_released(const struct decision *decision, const struct held_plan_result *released,
                           const char *names, const struct store_update_result *result)
{
    CLEANUP(memory_free_at) char *copy = memory_copy_text(names);
    char *rest = NULL;
    printf("%s: released; %zu names applied, %zu skipped; generation %" PRIu64 "\n",
           decision->domain, released->applied, released->skipped, result->generation);
    for (char *name = strtok_r(copy, "\n", &rest); name != NULL; name = strtok_r(NULL, "\n", &rest))
        console_print_field("skipped", name);
}

static json_t *json_from_decision(const struct decision *decision,
                                  const struct store_update_result *result)
{
    json_t *object = json_object();
    json_object_set_new(object, "domain", json_from_span(span_of(decision->domain)));
    json_object_set_new(object, "generation", json_integer((json_int_t)result->generation));
    return object;
}

static void print_released_json(const struct decision *decision,
                                const struct held_plan_result *released, const char *names,
                                const struct store_update_result *result)
{
    json_t *object = json_from_decision(decision, result);
    json_object_set_new(object, "applied", json_integer((json_int_t)released->applied));
    json_object_set_new(object, "skipped", json_from_lines(span_of(names)));
    json_print(object);
}

static enum exit_status run_release(const struct call *call)
{
    CLEANUP(decision_finish) struct decision decision = {0};
    enum exit_status status;
    struct held_plan_result names;
    struct store_update_result result;
    struct error error = {0};
    if (!read_decision(&decision, call, &status))
        return status;
    struct action action = workspace_action(&decision.work);
    struct stopwatch watch;
    stopwatch_begin(&watch, "applying");
    bool is_done =
        action_plan_release(&action, decision.domain, decision.number, &names, &result, &error);
    stopwatch_end(&watch);
    if (is_done)
        (decision.is_json ? print_released_json : print_released)(
            &decision, &names, buffer_text(&names.skipped_names), &result);
    buffer_finish(&names.skipped_names);
    return is_done ? EXIT_DONE : fail(&decision, &error);
}

static enum exit_status run_discard(const struct call *call)
{
    CLEANUP(decision_finish) struct decision decision = {0};
    enum exit_status status;
    struct store_update_result result;
    struct error error = {0};
    if (!read_decision(&decision, call, &status))
        return status;
    struct action action = workspace_action(&decision.work);
    if (!action_plan_discard(&action, decision.domain, decision.number, &result, &error))
        return fail(&decision, &error);
    if (decision.is_json)
        json_print(json_from_decision(&decision, &result));
    else
        printf("%s: discarded until its listing says another thing; generation %" PRIu64 "\n",
               decision.domain, result.generation);
    return EXIT_DONE;
}

const struct command command_plan_show = {
    .name = "plan show",
    .usage = "[DOMAIN] [--json]",
    .help = "show what a refresh holds back, with all names if a domain is given",
    .run = run_show,
};

const struct command command_plan_release = {
    .name = "plan release",
    .usage = "DOMAIN [--number N] [--json]",
    .help = "apply what is held of a domain, and let refreshes touch it again after a roll-back",
    .run = run_release,
};

const struct command command_plan_discard = {
    .name = "plan discard",
    .usage = "DOMAIN [--number N] [--json]",
    .help = "do not apply what is held of a domain while its listing stays the same",
    .run = run_discard,
};
