#include "action/reserve.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "action/alias_row.h"
#include "address/reserved.h"
#include "base/memory.h"
#include "base/timestamp.h"
#include "tool/act.h"
#include "tool/console.h"
#include "tool/json_output.h"
#include "tool/options.h"
#include "tool/table.h"

/* One name that is reserved by hand. */
struct by_hand {
    char *domain, *local;
    char *reason; /* of the last event that says so, or NULL */
    int64_t since_s;
};

/* All names that are reserved. */
struct reserved_list {
    const char *domain; /* of this one only, or NULL */
    struct by_hand *rows;
    size_t count, capacity;
    struct table table;
    json_t *json; /* NULL: a table */
};

static void list_finish(struct reserved_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->rows[i].domain);
        free(list->rows[i].local);
        free(list->rows[i].reason);
    }
    free(list->rows);
    table_finish(&list->table);
    json_decref(list->json);
}

static bool note_row(void *context, const char *domain, const char *local,
                     const struct alias_record *row)
{
    struct reserved_list *list = context;
    if (!alias_is_reservation(row))
        return true;
    list->rows = memory_grow(list->rows, list->count, &list->capacity, sizeof(*list->rows));
    list->rows[list->count++] =
        (struct by_hand){memory_copy_text(domain), memory_copy_text(local), NULL, row->since_s};
    return true;
}

static bool note_reason(void *context, uint64_t sequence, const struct event_record *event)
{
    struct reserved_list *list = context;
    (void)sequence;
    if (!span_is_text(event->act, "alias.reserve"))
        return true;
    for (size_t i = 0; i < list->count; i++) {
        struct by_hand *row = &list->rows[i];
        if (!span_is_text(event->domain, row->domain) || !span_is_text(event->subject, row->local))
            continue;
        free(row->reason);
        row->reason = memory_copy_bytes(event->detail.data, event->detail.length);
    }
    return true;
}

static void add(struct reserved_list *list, const char *name, const char *domain,
                const char *source, int64_t since_s, const char *reason)
{
    char since[TIMESTAMP_TEXT_BYTES] = "";
    if (list->json != NULL) {
        json_t *object = json_object();
        json_object_set_new(object, "name", json_from_span(span_of(name)));
        json_object_set_new(object, "domain", json_from_optional(span_of(domain)));
        json_object_set_new(object, "source", json_string(source));
        json_object_set_new(object, "since", json_from_time(since_s));
        json_object_set_new(object, "reason", json_from_optional(span_of(reason)));
        json_array_append_new(list->json, object);
        return;
    }
    if (since_s != 0)
        timestamp_format(since_s, since);
    table_add(&list->table, name);
    table_add(&list->table, *domain != '\0' ? domain : "all");
    table_add(&list->table, source);
    table_add(&list->table, since);
    table_add(&list->table, reason);
}

static void add_all(struct reserved_list *list, const struct house *house)
{
    for (size_t i = 0; i < list->count; i++)
        add(list, list->rows[i].local, list->rows[i].domain, "by hand", list->rows[i].since_s,
            list->rows[i].reason != NULL ? list->rows[i].reason : "");
    for (size_t i = 0; i < house->domain_count; i++) {
        const struct house_domain *domain = &house->domains[i];
        if (list->domain != NULL && strcmp(list->domain, domain->name) != 0)
            continue;
        for (size_t name = 0; name < domain->reserved_count; name++)
            add(list, domain->reserved[name], domain->name, "configured", 0, "");
    }
    for (size_t i = 0; i < address_reserved_name_count; i++)
        add(list, address_reserved_names[i], "", "shipped", 0, "");
}

static enum exit_status run_list(const struct call *call, const char *domain_text, bool is_json)
{
    static const struct table_column columns[] = {
        {"NAME"}, {"DOMAIN"}, {"SOURCE"}, {"SINCE"}, {"REASON"}};
    CLEANUP(workspace_finish) struct workspace work = {0};
    CLEANUP(memory_free_at) char *domain = NULL;
    CLEANUP(list_finish)
    struct reserved_list list = {.table = {columns, ARRAY_LENGTH(columns)},
                                 .json = is_json ? json_array() : NULL};
    struct error error = {0};
    if (!workspace_read_config(&work, call) ||
        (domain_text != NULL && !workspace_read_domain(&work, domain_text, &domain)) ||
        !workspace_begin_snapshot(&work))
        return work.status;
    list.domain = domain;
    if (!snapshot_each_alias(work.snapshot, domain, note_row, &list, &error) ||
        (list.count != 0 && !snapshot_each_event(work.snapshot, note_reason, &list, &error))) {
        console_complain("%s", error.text);
        return EXIT_FAILED;
    }
    add_all(&list, work.house);
    if (is_json)
        json_print(json_incref(list.json));
    else
        table_print(&list.table);
    return EXIT_DONE;
}

static enum exit_status reserve(const struct call *call, const char *text, const char *reason,
                                bool is_json)
{
    CLEANUP(workspace_finish) struct workspace work = {0};
    struct address address;
    struct store_update_result result;
    struct error error = {0};
    if (!act_read_address(&work, text, &address) || !act_open(&work, call))
        return work.status;
    struct action action = workspace_action(&work);
    if (!action_reserve(&action, address.domain, address.local, reason, &result, &error))
        return act_fail(text, &error);
    return act_tell_alias(&work, &address, "reserved", &result, is_json);
}

static enum exit_status run(const struct call *call)
{
    const char *reason = NULL;
    const char *domain = NULL;
    bool is_list = false;
    bool is_json = false;
    CLEANUP(options_finish) struct options options = {0};
    const struct option_row rows[] = {
        {'r', "reason", "TEXT", "why, for the other admins", .value = &reason},
        {'l', "list", .help = "list all reserved names: by hand, configured and shipped",
         .flag = &is_list},
        {'d', "domain", "D", "list those of this domain only", .value = &domain},
        {0, "json", .help = "print a JSON object, with --list an array", .flag = &is_json},
    };
    if (!options_take(&options, call, rows, ARRAY_LENGTH(rows), 0, 1))
        return options.status;
    if (is_list == (options.operand_count != 0))
        return options_refuse(call, "either an address or --list");
    if (is_list ? reason != NULL : domain != NULL)
        return options_refuse(call, "--reason goes with an address, --domain with --list");
    return is_list ? run_list(call, domain, is_json)
                   : reserve(call, options.operands[0], reason != NULL ? reason : "", is_json);
}

const struct command command_reserve = {
    .name = "reserve",
    .usage = "ADDRESS [--reason TEXT] [--json] | --list [--domain D] [--json]",
    .help = "keep a name of a domain for nobody; alias remove lifts that",
    .run = run,
};
