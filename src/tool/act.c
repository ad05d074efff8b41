#include "tool/act.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "report/record_json.h"
#include "tool/console.h"
#include "tool/json_output.h"
#include "tool/table.h"

bool act_open(struct workspace *work, const struct call *call)
{
    return workspace_read_config(work, call) && workspace_open_cache(work, STORE_WRITE) &&
           workspace_read_keys(work);
}

char *act_fold_name(const char *text)
{
    char *name = memory_copy_text(text);
    text_lower_ascii(name, strlen(name));
    return name;
}

static void end_snapshot(struct workspace *work)
{
    snapshot_end(work->snapshot);
    work->snapshot = NULL;
}

bool act_check_person(struct workspace *work, const char *name)
{
    struct person_record person;
    struct error error = {0};
    if (!workspace_begin_snapshot(work))
        return false;
    enum store_result result = snapshot_person(work->snapshot, name, &person, &error);
    end_snapshot(work);
    if (result == STORE_ABSENT)
        return workspace_fail(work, EXIT_NOT_FOUND, "%s: nobody of that name is known", name);
    return result == STORE_FOUND || workspace_fail(work, EXIT_FAILED, "%s", error.text);
}

bool act_read_address(struct workspace *work, const char *text, struct address *ret)
{
    return address_parse(text, strlen(text), ret) == ADDRESS_FULL ||
           workspace_fail(work, EXIT_USAGE, "%s: not an address that can be an alias", text);
}

bool act_check_alias(struct workspace *work, const struct address *address)
{
    struct alias_record row;
    struct error error = {0};
    if (!workspace_begin_snapshot(work))
        return false;
    enum store_result result =
        snapshot_alias(work->snapshot, address->domain,
                       (struct span){address->local, address->local_length}, &row, &error);
    end_snapshot(work);
    if (result == STORE_ABSENT)
        return workspace_fail(work, EXIT_NOT_FOUND, "%s@%s: no such alias", address->local,
                              address->domain);
    return result == STORE_FOUND || workspace_fail(work, EXIT_FAILED, "%s", error.text);
}

enum exit_status act_fail(const char *subject, const struct error *error)
{
    console_complain("%s: %s", subject, error->text);
    return EXIT_FAILED;
}

/* ---- what became of it ---- */

struct outcome {
    struct snapshot *snapshot;
    const char *name;
    struct table table;
    json_t *json; /* list, or NULL for the table */
    struct error error;
    bool is_fine;
};

static bool add_alias(struct outcome *outcome, const char *domain, const char *local)
{
    struct alias_record row;
    enum store_result result =
        snapshot_alias(outcome->snapshot, domain, span_of(local), &row, &outcome->error);
    if (result != STORE_FOUND)
        return result == STORE_ABSENT;
    CLEANUP(buffer_finish) struct buffer address = {0};
    buffer_appendf(&address, "%s@%s", local, domain);
    if (outcome->json != NULL) {
        json_t *object = json_from_alias(&row);
        json_object_set_new(object, "address", json_from_span(span_of(buffer_text(&address))));
        json_array_append_new(outcome->json, object);
        return true;
    }
    table_add(&outcome->table, buffer_text(&address));
    table_add(&outcome->table, alias_state_name(row.state));
    table_add(&outcome->table, row.reason != REASON_NONE ? alias_reason_name(row.reason) : "");
    return true;
}

static bool add_extras(struct outcome *outcome, const char *domain, struct span extras)
{
    CLEANUP(memory_free_at) char *text = memory_copy_bytes(extras.data, extras.length);
    char *rest = NULL;
    bool is_fine = true;
    for (char *local = text != NULL ? strtok_r(text, "\n", &rest) : NULL; local != NULL && is_fine;
         local = strtok_r(NULL, "\n", &rest))
        is_fine = add_alias(outcome, domain, local);
    return is_fine;
}

static bool add_domain(void *context, const char *domain, const struct domain_record *row)
{
    struct outcome *outcome = context;
    struct membership_record membership;
    (void)row;
    enum store_result result =
        snapshot_membership(outcome->snapshot, domain, outcome->name, &membership, &outcome->error);
    outcome->is_fine = result == STORE_ABSENT ||
                       (result == STORE_FOUND && add_alias(outcome, domain, outcome->name) &&
                        add_extras(outcome, domain, membership.extras));
    return outcome->is_fine;
}

static const struct table_column outcome_columns[] = {{"ADDRESS"}, {"STATE"}, {"REASON"}};

static void outcome_finish(struct outcome *outcome)
{
    table_finish(&outcome->table);
    json_decref(outcome->json);
}

json_t *act_json(const char *key, const char *subject, const struct store_update_result *result)
{
    json_t *object = json_object();
    json_object_set_new(object, key, json_from_span(span_of(subject)));
    json_object_set_new(object, "changed", json_boolean(result->changed));
    json_object_set_new(object, "generation", json_integer((json_int_t)result->generation));
    return object;
}

static void print_outcome(const struct outcome *outcome, const char *key, const char *subject,
                          const char *participle, const struct store_update_result *result)
{
    CLEANUP(buffer_finish) struct buffer shown = {0};
    if (outcome->json != NULL) {
        json_t *object = act_json(key, subject, result);
        json_object_set(object, "aliases", outcome->json);
        json_print(object);
        return;
    }
    console_append_visible(&shown, subject);
    printf("%s is %s%s; generation %" PRIu64 "\n", buffer_text(&shown),
           result->changed ? "" : "already ", participle, result->generation);
    if (outcome->table.cell_count != 0)
        table_print(&outcome->table);
}

enum exit_status act_tell_person(struct workspace *work, const char *name, const char *participle,
                                 const struct store_update_result *result, bool is_json)
{
    if (!workspace_begin_snapshot(work))
        return work->status;
    CLEANUP(outcome_finish)
    struct outcome outcome = {.snapshot = work->snapshot,
                              .name = name,
                              .table = {outcome_columns, ARRAY_LENGTH(outcome_columns)},
                              .json = is_json ? json_array() : NULL,
                              .is_fine = true};
    if (!snapshot_each_domain(work->snapshot, add_domain, &outcome, &outcome.error) ||
        !outcome.is_fine)
        return act_fail(name, &outcome.error);
    print_outcome(&outcome, "name", name, participle, result);
    return EXIT_DONE;
}

enum exit_status act_tell_alias(struct workspace *work, const struct address *address,
                                const char *participle, const struct store_update_result *result,
                                bool is_json)
{
    if (!workspace_begin_snapshot(work))
        return work->status;
    CLEANUP(buffer_finish) struct buffer subject = {0};
    CLEANUP(outcome_finish)
    struct outcome outcome = {.snapshot = work->snapshot,
                              .table = {outcome_columns, ARRAY_LENGTH(outcome_columns)},
                              .json = is_json ? json_array() : NULL};
    buffer_appendf(&subject, "%s@%s", address->local, address->domain);
    if (!add_alias(&outcome, address->domain, address->local))
        return act_fail(buffer_text(&subject), &outcome.error);
    print_outcome(&outcome, "address", buffer_text(&subject), participle, result);
    return EXIT_DONE;
}
