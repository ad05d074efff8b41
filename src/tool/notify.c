#include <inttypes.h>
#include <stdio.h>

#include "base/memory.h"
#include "base/timestamp.h"
#include "notify/letter.h"
#include "tool/console.h"
#include "tool/json_output.h"
#include "tool/notify_run.h"
#include "tool/options.h"
#include "tool/table.h"
#include "tool/workspace.h"

/* ---- what waits ---- */

struct listing_of_notices {
    struct table table;
    json_t *json;
};

static void add_span(struct table *table, struct span text)
{
    table_addf(table, "%.*s", (int)text.length, text.data != NULL ? text.data : "");
}

static void add_row(struct table *table, const struct outbox_record *notice)
{
    char time[TIMESTAMP_TEXT_BYTES];
    table_add(table, timestamp_format(notice->at_s, time));
    add_span(table, notice->kind);
    table_add(table, notice_audience_name(notice->audience));
    add_span(table, notice->domain);
    add_span(table, notice->subject);
    add_span(table, notice->reason);
    table_addf(table, "%" PRIu32, notice->attempts);
    table_add(table, notice->next_s != 0 ? timestamp_format(notice->next_s, time) : "");
    table_add(table, notice->is_overdue ? "overdue" : "");
}

static json_t *json_from_notice(uint64_t sequence, const struct outbox_record *notice)
{
    json_t *object = json_object();
    json_object_set_new(object, "sequence", json_integer((json_int_t)sequence));
    json_object_set_new(object, "at", json_from_time(notice->at_s));
    json_object_set_new(object, "kind", json_from_span(notice->kind));
    json_object_set_new(object, "audience", json_string(notice_audience_name(notice->audience)));
    json_object_set_new(object, "domain", json_from_optional(notice->domain));
    json_object_set_new(object, "name", json_from_optional(notice->subject));
    json_object_set_new(object, "reason", json_from_optional(notice->reason));
    json_object_set_new(object, "detail", json_from_optional(notice->detail));
    json_object_set_new(object, "attempts", json_integer(notice->attempts));
    json_object_set_new(object, "next", json_from_time(notice->next_s));
    json_object_set_new(object, "overdue", json_boolean(notice->is_overdue));
    return object;
}

static bool visit_notice(void *context, uint64_t sequence, const struct outbox_record *notice)
{
    struct listing_of_notices *listing = context;
    add_row(&listing->table, notice);
    json_array_append_new(listing->json, json_from_notice(sequence, notice));
    return true;
}

static enum exit_status list_notices(struct workspace *work, const struct call *call, bool is_json)
{
    static const struct table_column columns[] = {
        {"SINCE"},  {"KIND"},        {"FOR"},  {"DOMAIN"}, {"NAME"},
        {"REASON"}, {"TRIES", true}, {"NEXT"}, {""},
    };
    struct listing_of_notices listing = {{columns, ARRAY_LENGTH(columns)}, json_array()};
    struct error error = {0};
    if (!workspace_read_config(work, call) || !workspace_begin_snapshot(work)) {
        json_decref(listing.json);
        return work->status;
    }
    bool is_read = snapshot_each_notice(work->snapshot, visit_notice, &listing, &error);
    if (!is_read)
        console_complain("%s", error.text);
    else if (is_json)
        json_print(json_incref(listing.json));
    else
        table_print(&listing.table);
    json_decref(listing.json);
    table_finish(&listing.table);
    return is_read ? EXIT_DONE : EXIT_FAILED;
}

/* ---- handing over ---- */

static void print_json(const struct notify_run_result *result)
{
    const struct delivery_report *report = &result->report;
    json_t *object = json_object();
    json_object_set_new(object, "alarms", json_integer((json_int_t)result->alarm_count));
    json_object_set_new(object, "mails", json_integer((json_int_t)report->mails));
    json_object_set_new(object, "waiting", json_integer((json_int_t)report->waiting));
    json_object_set_new(object, "deferred", json_integer((json_int_t)report->deferred));
    json_object_set_new(object, "refused", json_integer((json_int_t)report->refused));
    json_object_set_new(object, "unopened", json_integer((json_int_t)report->unopened));
    json_object_set_new(object, "dropped", json_integer((json_int_t)report->dropped));
    json_object_set_new(object, "available", json_boolean(!report->is_unavailable));
    json_print(object);
}

static void print_result(const struct notify_run_result *result)
{
    const struct delivery_report *report = &result->report;
    printf("%zu mail(s) handed over, %zu notice(s) waiting", report->mails, report->waiting);
    if (report->deferred != 0)
        printf(", %zu put off", report->deferred);
    if (report->refused != 0)
        printf(", %zu refused", report->refused);
    if (report->dropped != 0)
        printf(", %zu given up", report->dropped);
    if (result->alarm_count != 0)
        printf("; %zu alarm(s)", result->alarm_count);
    putchar('\n');
}

static enum exit_status status_of(const struct delivery_report *report)
{
    if (report->is_unavailable || report->unopened != 0)
        return EXIT_FAILED;
    return report->refused != 0 || report->dropped != 0 ? EXIT_UNUSABLE : EXIT_DONE;
}

/* Without keys the admins and the operators can still be told. */
static bool open_all(struct workspace *work, const struct call *call)
{
    struct error error = {0};
    if (!workspace_read_config(work, call) || !workspace_open_cache(work, STORE_WRITE))
        return false;
    if (!keyring_read(work->config->key_file, &work->ring, &error))
        console_complain("%s; no person can be told", error.text);
    return true;
}

static enum exit_status hand_over(struct workspace *work, const struct call *call, bool is_json,
                                  bool is_quiet)
{
    struct notify_run_result result;
    if (!open_all(work, call))
        return work->status;
    if (!notify_run(work, INT64_MAX, !is_quiet, &result)) {
        if (work->status == EXIT_BUSY)
            console_complain("notices are being handed over by another process");
        return work->status;
    }
    if (is_json)
        print_json(&result);
    else if (!is_quiet)
        print_result(&result);
    return status_of(&result.report);
}

/* With the rights of a real run, which may read less than root. */
static enum exit_status send_test(struct workspace *work, const struct call *call,
                                  const char *recipient)
{
    if (!workspace_read_config(work, call) || !workspace_take_on_owner(work) ||
        !notify_send_test(work, recipient))
        return work->status;
    printf("the test mail is handed over to %s\n", work->config->notify.smtp);
    return EXIT_DONE;
}

static enum exit_status run(const struct call *call)
{
    bool is_json = false, is_quiet = false, is_list = false;
    const char *test_recipient = NULL;
    CLEANUP(options_finish) struct options options = {0};
    CLEANUP(workspace_finish) struct workspace work = {0};
    const struct option_row rows[] = {
        {'l', "list", .help = "say what waits, hand nothing over", .flag = &is_list},
        {0, "json", .help = "print JSON", .flag = &is_json},
        {'q', "quiet", .help = "say only what went wrong", .flag = &is_quiet},
        {0, "send-test", "ADDRESS", "send one test mail there and nothing else",
         .value = &test_recipient},
    };
    if (!options_take(&options, call, rows, ARRAY_LENGTH(rows), 0, 0))
        return options.status;
    if (test_recipient != NULL && (is_list || is_json || is_quiet))
        return options_refuse(call, "--send-test stands alone");
    if (test_recipient != NULL)
        return send_test(&work, call, test_recipient);
    return is_list ? list_notices(&work, call, is_json) : hand_over(&work, call, is_json, is_quiet);
}

const struct command command_notify = {
    .name = "notify",
    .usage = "[--list] [--json] [-q] | --send-test ADDRESS",
    .help = "look for alarms and hand over the notices that wait",
    .run = run,
};
