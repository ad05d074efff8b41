/* history: the audit log, newest last. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "base/timestamp.h"
#include "tool/console.h"
#include "tool/json_output.h"
#include "tool/options.h"
#include "tool/stopwatch.h"
#include "tool/table.h"
#include "tool/workspace.h"

/* Which events, and the last so many of them. */
struct history {
    char *domain; /* NULL: any, as of all texts */
    const char *name, *actor, *act_prefix;
    int64_t since_s, until_s;
    uint64_t limit;   /* 0: none */
    uint64_t matched; /* in the first walk, all that match; in the second, those so far */
    bool is_counting;
    json_t *json; /* NULL: a table */
    struct table table;
};

static void history_finish(struct history *history)
{
    free(history->domain);
    json_decref(history->json);
    table_finish(&history->table);
}

static bool is_text(struct span span, const char *text)
{
    return text == NULL || span_is_text(span, text);
}

static bool begins_with(struct span span, const char *prefix)
{
    return prefix == NULL ||
           (span.length >= strlen(prefix) && memcmp(span.data, prefix, strlen(prefix)) == 0);
}

/* "root" is whoever did something as "operator:root". */
static bool is_actor(struct span actor, const char *wanted)
{
    if (is_text(actor, wanted))
        return true;
    const char *colon = actor.length != 0 ? memchr(actor.data, ':', actor.length) : NULL;
    if (colon == NULL)
        return false;
    size_t before = (size_t)(colon + 1 - actor.data);
    return is_text((struct span){colon + 1, actor.length - before}, wanted);
}

static bool is_wanted(const struct history *history, const struct event_record *event)
{
    return is_text(event->domain, history->domain) && is_text(event->subject, history->name) &&
           is_actor(event->actor, history->actor) && begins_with(event->act, history->act_prefix) &&
           event->at_s >= history->since_s && event->at_s <= history->until_s;
}

static void add_cell(struct table *table, struct span text)
{
    CLEANUP(buffer_finish) struct buffer copy = {0};
    buffer_append(&copy, text.data, text.length);
    table_add(table, buffer_text(&copy));
}

static void add_row(struct table *table, const struct event_record *event)
{
    char at[TIMESTAMP_TEXT_BYTES];
    table_add(table, timestamp_format(event->at_s, at));
    table_addf(table, "%" PRIu64, event->stamp.generation);
    add_cell(table, event->actor);
    add_cell(table, event->act);
    add_cell(table, event->domain);
    add_cell(table, event->subject);
    add_cell(table, event->detail);
}

static void add_json(json_t *array, uint64_t sequence, const struct event_record *event)
{
    json_t *object = json_object();
    json_object_set_new(object, "sequence", json_integer((json_int_t)sequence));
    json_object_set_new(object, "generation", json_integer((json_int_t)event->stamp.generation));
    json_object_set_new(object, "at", json_from_time(event->at_s));
    json_object_set_new(object, "actor", json_from_span(event->actor));
    json_object_set_new(object, "act", json_from_span(event->act));
    json_object_set_new(object, "domain", json_from_optional(event->domain));
    json_object_set_new(object, "subject", json_from_optional(event->subject));
    json_object_set_new(object, "detail", json_from_optional(event->detail));
    json_array_append_new(array, object);
}

static bool visit_event(void *context, uint64_t sequence, const struct event_record *event)
{
    struct history *history = context;
    if (!is_wanted(history, event))
        return true;
    if (history->is_counting) {
        history->matched++;
        return true;
    }
    /* matched counts down: how many there are from here on. */
    uint64_t left = history->matched--;
    if (history->limit != 0 && left > history->limit)
        return true;
    if (history->json != NULL)
        add_json(history->json, sequence, event);
    else
        add_row(&history->table, event);
    return true;
}

/* Counted first, so that only the last ones are kept in memory. */
static enum exit_status show(struct workspace *work, struct history *history)
{
    struct error error = {0};
    struct stopwatch watch;
    bool is_read = true;
    stopwatch_begin(&watch, "reading events");
    for (int walk = 0; walk < 2 && is_read; walk++) {
        history->is_counting = walk == 0;
        is_read = snapshot_each_event(work->snapshot, visit_event, history, &error);
    }
    stopwatch_end(&watch);
    if (!is_read) {
        console_complain("%s", error.text);
        return EXIT_FAILED;
    }
    if (history->json != NULL)
        json_print(json_incref(history->json));
    else
        table_print(&history->table);
    return EXIT_DONE;
}

/* "2026-11-22", "2026-11-22T10:00:00Z", or "3d" ago. */
static bool parse_time(const char *text, int64_t now_s, int64_t *ret_s)
{
    CLEANUP(buffer_finish) struct buffer whole = {0};
    int64_t ago_ms, at_us;
    if (text_parse_duration_ms(text, &ago_ms)) {
        *ret_s = now_s - ago_ms / 1000;
        return true;
    }
    buffer_appendf(&whole, "%s%s", text, strchr(text, 'T') == NULL ? "T00:00:00Z" : "");
    if (!timestamp_parse_iso_us(buffer_text(&whole), &at_us))
        return false;
    *ret_s = at_us / 1000000;
    return true;
}

/* Texts as given; NULL: not given. */
struct history_words {
    const char *domain, *since, *until, *limit;
};

/* False: *ret_status says why. */
static bool read_words(struct history *history, struct workspace *work, const struct call *call,
                       const struct history_words *words, enum exit_status *ret_status)
{
    int64_t now_s = timestamp_now_s();
    const char *wrong = NULL;
    if (words->since != NULL && !parse_time(words->since, now_s, &history->since_s))
        wrong = words->since;
    else if (words->until != NULL && !parse_time(words->until, now_s, &history->until_s))
        wrong = words->until;
    if (wrong != NULL) {
        *ret_status = options_refuse(
            call, "%s is no time; say 2026-11-22, 2026-11-22T10:00:00Z, or 3d for three days ago",
            wrong);
        return false;
    }
    if (words->limit != NULL && !text_parse_number(words->limit, 1, INT64_MAX, &history->limit)) {
        *ret_status = options_refuse(call, "%s is no number of events", words->limit);
        return false;
    }
    bool is_fine =
        workspace_read_config(work, call) &&
        (words->domain == NULL || workspace_read_domain(work, words->domain, &history->domain)) &&
        workspace_begin_snapshot(work);
    *ret_status = work->status;
    return is_fine;
}

static enum exit_status run(const struct call *call)
{
    static const struct table_column columns[] = {
        {"TIME"}, {"GENERATION", true}, {"ACTOR"}, {"ACT"}, {"DOMAIN"}, {"SUBJECT"}, {"DETAIL"}};
    bool is_json = false;
    enum exit_status status = EXIT_DONE;
    CLEANUP(options_finish) struct options options = {0};
    CLEANUP(workspace_finish) struct workspace work = {0};
    CLEANUP(history_finish)
    struct history history = {
        .since_s = INT64_MIN, .until_s = INT64_MAX, .table = {columns, ARRAY_LENGTH(columns)}};
    struct history_words words = {0};
    const struct option_row rows[] = {
        {'d', "domain", "D", "of this domain only", .value = &words.domain},
        {0, "name", "N", "of this name or local part only", .value = &history.name},
        {0, "actor", "A", "by refresh, or this operator", .value = &history.actor},
        {0, "act", "PREFIX", "acts that begin so: alias., domain.", .value = &history.act_prefix},
        {0, "since", "T", "not before: 2026-11-22, with a time, or 3d", .value = &words.since},
        {0, "until", "T", "not after, likewise", .value = &words.until},
        {0, "limit", "N", "the last N of them", .value = &words.limit},
        {0, "json", .help = "print a JSON array", .flag = &is_json},
    };
    if (!options_take(&options, call, rows, ARRAY_LENGTH(rows), 0, 0))
        return options.status;
    history.json = is_json ? json_array() : NULL;
    if (!read_words(&history, &work, call, &words, &status))
        return status;
    return show(&work, &history);
}

const struct command command_history = {
    .name = "history",
    .usage = "[--domain D] [--name N] [--actor A] [--act PREFIX] [--since T] [--until T] "
             "[--limit N] [--json]",
    .help = "show who did what and when, newest last",
    .run = run,
};
