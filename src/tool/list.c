#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/timestamp.h"
#include "report/record_json.h"
#include "tool/console.h"
#include "tool/json_output.h"
#include "tool/options.h"
#include "tool/table.h"
#include "tool/targets.h"
#include "tool/workspace.h"

/* Which aliases, and where they go. */
struct listing_of_aliases {
    const struct keyring *ring;
    const char *state; /* NULL: any */
    const char *kind;  /* NULL: any */
    bool is_shown;
    struct table table;
    json_t *json; /* NULL: a table */
};

static void add_row(struct listing_of_aliases *list, const char *address,
                    const struct alias_record *record, const struct targets *targets)
{
    char since[TIMESTAMP_TEXT_BYTES];
    CLEANUP(buffer_finish) struct buffer owner = {0};
    CLEANUP(buffer_finish) struct buffer shown = {0};
    buffer_append(&owner, record->owner.data, record->owner.length);
    targets_append(&shown, targets, list->is_shown);
    timestamp_format(record->since_s, since);
    since[strcspn(since, "T")] = '\0';
    table_add(&list->table, address);
    table_add(&list->table, alias_kind_name(record->kind));
    table_add(&list->table, alias_state_name(record->state));
    table_add(&list->table, record->reason != REASON_NONE ? alias_reason_name(record->reason) : "");
    table_add(&list->table, since);
    table_add(&list->table, buffer_text(&owner));
    table_add(&list->table, buffer_text(&shown));
}

static void add_json(struct listing_of_aliases *list, const char *address,
                     const struct alias_record *record, const struct targets *targets)
{
    json_t *object = json_from_alias(record);
    json_object_set_new(object, "address", json_from_span(span_of(address)));
    targets_set_json(object, targets, list->is_shown);
    json_array_append_new(list->json, object);
}

static bool add_alias(void *context, const char *domain, const char *local,
                      const struct alias_record *record)
{
    struct listing_of_aliases *list = context;
    if ((list->state != NULL && strcmp(list->state, alias_state_name(record->state)) != 0) ||
        (list->kind != NULL && strcmp(list->kind, alias_kind_name(record->kind)) != 0))
        return true;
    CLEANUP(buffer_finish) struct buffer address = {0};
    CLEANUP(targets_finish) struct targets targets;
    buffer_appendf(&address, "%s@%s", local, domain);
    targets_open_alias(list->ring, domain, local, record, &targets);
    if (list->json != NULL)
        add_json(list, buffer_text(&address), record, &targets);
    else
        add_row(list, buffer_text(&address), record, &targets);
    return true;
}

static enum exit_status list_aliases(struct workspace *work, struct listing_of_aliases *list,
                                     const char *domain)
{
    struct error error = {0};
    if (!workspace_take_on_owner(work))
        return work->status;
    workspace_try_keys(work);
    list->ring = work->ring;
    if (!workspace_begin_snapshot(work))
        return work->status;
    if (!snapshot_each_alias(work->snapshot, domain, add_alias, list, &error)) {
        console_complain("%s", error.text);
        return EXIT_FAILED;
    }
    if (list->json != NULL)
        json_print(json_incref(list->json));
    else
        table_print(&list->table);
    return EXIT_DONE;
}

static void list_finish(struct listing_of_aliases *list)
{
    table_finish(&list->table);
    json_decref(list->json);
}

static bool is_state(const char *name)
{
    for (int state = ALIAS_ACTIVE; state <= ALIAS_GONE; state++)
        if (strcmp(name, alias_state_name((enum alias_state)state)) == 0)
            return true;
    return false;
}

static bool is_kind(const char *name)
{
    for (int kind = ALIAS_MEMBER; kind <= ALIAS_STATIC; kind++)
        if (strcmp(name, alias_kind_name((enum alias_kind)kind)) == 0)
            return true;
    return false;
}

static enum exit_status run(const struct call *call)
{
    static const struct table_column columns[] = {
        {"ADDRESS"}, {"KIND"}, {"STATE"}, {"REASON"}, {"SINCE"}, {"OWNER"}, {"TARGETS"},
    };
    bool is_json = false;
    const char *domain_text = NULL;
    CLEANUP(memory_free_at) char *domain = NULL;
    CLEANUP(options_finish) struct options options = {0};
    CLEANUP(workspace_finish) struct workspace work = {0};
    CLEANUP(list_finish)
    struct listing_of_aliases list = {.table = {columns, ARRAY_LENGTH(columns)}};
    const struct option_row rows[] = {
        {'d', "domain", "D", "of this domain only", .value = &domain_text},
        {0, "state", "active|leaving|pending|refused|paused|gone", "in this state only",
         .value = &list.state},
        {0, "kind", "member|extra|static", "of this kind only", .value = &list.kind},
        {0, "json", .help = "print a JSON array", .flag = &is_json},
        {0, "show-targets", .help = "print the targets and not only their number",
         .flag = &list.is_shown},
    };
    if (!options_take(&options, call, rows, ARRAY_LENGTH(rows), 0, 0))
        return options.status;
    if (list.state != NULL && !is_state(list.state))
        return options_refuse(call, "there is no state \"%s\"", list.state);
    if (list.kind != NULL && !is_kind(list.kind))
        return options_refuse(call, "there is no kind \"%s\"", list.kind);
    if (is_json)
        list.json = json_array();
    if (!workspace_read_config(&work, call) ||
        (domain_text != NULL && !workspace_read_domain(&work, domain_text, &domain)))
        return work.status;
    return list_aliases(&work, &list, domain);
}

const struct command command_list = {
    .name = "list",
    .usage = "[--domain D] [--state S] [--kind K] [--json] [--show-targets]",
    .help = "list aliases",
    .run = run,
};
