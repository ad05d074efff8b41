#include "membership/alarm.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/timestamp.h"
#include "membership/loop.h"

#define ALARM_NAME "!" /* no Launchpad name: stands in the key of the table of sent */

#define CACHE_FULL_PERCENT 90
#define DEAD_ENDS_NAMED    10

struct alarm {
    char *domain;
    const char *word;
    char *detail;
};

struct watch {
    struct alarm_request *request;
    struct snapshot *snapshot;
    struct changeset *changeset;
    struct error *error;
    bool is_fine;
    bool knows_ends; /* false: a key is missing, so that nobody can tell where aliases end */
    struct alarm *alarms;
    size_t count, capacity;
};

static void add_alarm(struct watch *watch, const char *domain, const char *word, const char *format,
                      ...) PRINTF_LIKE(4, 5);

static void add_alarm(struct watch *watch, const char *domain, const char *word, const char *format,
                      ...)
{
    char *detail;
    va_list args;
    va_start(args, format);
    if (vasprintf(&detail, format, args) < 0)
        abort();
    va_end(args);
    watch->alarms =
        memory_grow(watch->alarms, watch->count, &watch->capacity, sizeof(*watch->alarms));
    watch->alarms[watch->count++] = (struct alarm){memory_copy_text(domain), word, detail};
}

/* ---- conditions ---- */

/* Held listings were good; what is done with them is another matter. */
static int64_t last_good_listing_s(const struct run_record *run)
{
    return run->outcome == RUN_HELD ? run->attempt_s : run->success_s;
}

static bool look_at_run(struct watch *watch, const char *domain)
{
    struct run_record run;
    char age[32];
    switch (snapshot_run(watch->snapshot, domain, &run, watch->error)) {
    case STORE_TROUBLE:
        return false;
    case STORE_ABSENT:
        return true;
    case STORE_FOUND:
        break;
    }
    if (run.outcome == RUN_UNUSABLE || run.outcome == RUN_FAILED)
        add_alarm(watch, domain, ALARM_SOURCE, "%.*s", (int)run.error.length, run.error.data);
    int64_t good_s = last_good_listing_s(&run);
    if (good_s != 0 && watch->request->now_s - good_s > watch->request->stale_s)
        add_alarm(watch, domain, ALARM_STALE, "the last good listing is %s old",
                  timestamp_format_age(watch->request->now_s - good_s, age));
    return true;
}

static bool look_at_plan(struct watch *watch, const char *domain)
{
    struct plan_record plan;
    switch (snapshot_plan(watch->snapshot, domain, &plan, watch->error)) {
    case STORE_TROUBLE:
        return false;
    case STORE_ABSENT:
        return true;
    case STORE_FOUND:
        break;
    }
    if ((plan.holds & PLAN_DISCARDED) == 0)
        add_alarm(watch, domain, ALARM_HELD, "%.*s", (int)plan.reason.length, plan.reason.data);
    return true;
}

/* What of one domain the operator has set, and does not end in live targets. */
struct dead_ends {
    struct watch *watch;
    struct buffer names; /* the first of them, comma-separated */
    size_t count;
};

/* local "" is the catch-all. False once a key is missing. */
static bool follow(struct dead_ends *dead, const char *domain, const char *local)
{
    struct watch *watch = dead->watch;
    struct error unknown;
    bool is_live = false;
    watch->knows_ends = watch->knows_ends &&
                        alias_ends_live(watch->snapshot, watch->request->house,
                                        watch->request->ring, domain, local, &is_live, &unknown);
    if (watch->knows_ends && !is_live && dead->count++ < DEAD_ENDS_NAMED)
        buffer_appendf(&dead->names, "%s%s", dead->names.length != 0 ? ", " : "",
                       *local != '\0' ? local : "the catch-all");
    return watch->knows_ends;
}

static bool visit_alias(void *context, const char *domain, const char *local,
                        const struct alias_record *alias)
{
    return alias->kind != ALIAS_STATIC || !alias_record_is_live(alias) ||
           follow(context, domain, local);
}

static bool look_at_ends(struct watch *watch, const char *domain)
{
    const struct house_domain *house = house_find(watch->request->house, domain);
    struct dead_ends dead = {watch, {0}, 0};
    bool is_fine = snapshot_each_alias(watch->snapshot, domain, visit_alias, &dead, watch->error);
    for (size_t i = 0; house != NULL && i < house->role_count; i++)
        follow(&dead, domain, house->roles[i]);
    if (house != NULL && house->catch_all != NULL)
        follow(&dead, domain, "");
    if (dead.count > DEAD_ENDS_NAMED)
        buffer_appendf(&dead.names, " and %zu more", dead.count - DEAD_ENDS_NAMED);
    if (is_fine && dead.count != 0)
        add_alarm(watch, domain, ALARM_LOOP, "%s", buffer_text(&dead.names));
    buffer_finish(&dead.names);
    return is_fine;
}

static bool look_at_domain(struct watch *watch, const char *domain, const struct domain_record *row)
{
    const struct house_domain *house = house_find(watch->request->house, domain);
    if (house == NULL)
        add_alarm(watch, domain, ALARM_FOREIGN, "its team was ~%.*s", (int)row->team.length,
                  row->team.data);
    if (house != NULL && house->wants_proof && row->proof == PROOF_LOST)
        add_alarm(watch, domain, ALARM_PROOF, "%s", "");
    if (row->filled_s != 0 && !row->is_open)
        add_alarm(watch, domain, ALARM_CLOSED, "%s", "");
    if (row->is_held)
        add_alarm(watch, domain, ALARM_HELD, "%.*s", (int)row->hold_reason.length,
                  row->hold_reason.data);
    else if (house != NULL && !look_at_plan(watch, domain))
        return false;
    return (house == NULL || look_at_run(watch, domain)) &&
           (!watch->knows_ends || look_at_ends(watch, domain));
}

static bool visit_domain(void *context, const char *domain, const struct domain_record *row)
{
    struct watch *watch = context;
    return watch->is_fine = look_at_domain(watch, domain, row);
}

/* A team that could never be read, or was empty from the first, has no domain row yet. */
static bool look_at_unfilled(struct watch *watch)
{
    const struct house *house = watch->request->house;
    for (size_t i = 0; i < house->domain_count; i++) {
        struct domain_record row;
        enum store_result result =
            snapshot_domain(watch->snapshot, house->domains[i].name, &row, watch->error);
        if (result == STORE_TROUBLE ||
            (result == STORE_ABSENT && (!look_at_run(watch, house->domains[i].name) ||
                                        !look_at_plan(watch, house->domains[i].name))))
            return false;
    }
    return true;
}

static void look_at_size(struct watch *watch)
{
    uint64_t used_bytes = snapshot_used_bytes(watch->snapshot);
    uint64_t limit_bytes = watch->request->cache_limit_bytes;
    if (used_bytes >= limit_bytes / 100 * CACHE_FULL_PERCENT)
        add_alarm(watch, "", ALARM_CACHE_FULL, "%" PRIu64 " of %" PRIu64 " MiB are used",
                  used_bytes >> 20, limit_bytes >> 20);
}

struct overdue {
    const struct watch *watch;
    size_t count;
};

static bool visit_notice(void *context, uint64_t sequence, const struct outbox_record *notice)
{
    struct overdue *overdue = context;
    if (overdue->watch->request->now_s - notice->at_s <= ALARM_OVERDUE_S)
        return true;
    overdue->count++;
    if (notice->is_overdue)
        return true;
    struct outbox_record marked = *notice;
    marked.is_overdue = true;
    changeset_put_notice(overdue->watch->changeset, sequence, &marked);
    return true;
}

static bool look_at_outbox(struct watch *watch)
{
    struct overdue overdue = {watch, 0};
    if (!snapshot_each_notice(watch->snapshot, visit_notice, &overdue, watch->error))
        return false;
    if (overdue.count != 0)
        add_alarm(watch, "", ALARM_OVERDUE, "%zu waiting", overdue.count);
    return true;
}

/* ---- telling ---- */

static void put_fact(struct watch *watch, const char *kind, const char *domain, const char *word,
                     const char *detail)
{
    struct outbox_record fact = {
        .at_s = watch->request->now_s,
        .audience = AUDIENCE_ALERTS,
        .kind = span_of(kind),
        .domain = span_of(domain),
        .reason = span_of(word),
        .detail = span_of(detail),
    };
    changeset_make_notice_id(fact.id);
    changeset_notice(watch->changeset, &fact);
}

/* At once, then daily; also when the clock has gone back behind the last time. */
static bool tell(struct watch *watch, const struct alarm *alarm)
{
    int64_t now_s = watch->request->now_s;
    struct sent_record sent;
    enum store_result result =
        snapshot_sent(watch->snapshot, alarm->domain, ALARM_NAME, alarm->word, &sent, watch->error);
    if (result == STORE_TROUBLE)
        return false;
    if (result == STORE_FOUND && now_s >= sent.last_s && now_s - sent.last_s < ALARM_AGAIN_S)
        return true;
    if (result == STORE_ABSENT)
        sent = (struct sent_record){.first_s = now_s};
    sent.last_s = now_s;
    put_fact(watch, "alarm", alarm->domain, alarm->word, alarm->detail);
    changeset_put_sent(watch->changeset, alarm->domain, ALARM_NAME, alarm->word, &sent);
    return true;
}

static bool is_raised(const struct watch *watch, const char *domain, const char *word)
{
    for (size_t i = 0; i < watch->count; i++)
        if (strcmp(watch->alarms[i].domain, domain) == 0 &&
            strcmp(watch->alarms[i].word, word) == 0)
            return true;
    return strcmp(word, ALARM_LOOP) == 0 && !watch->knows_ends;
}

static bool visit_sent(void *context, const char *domain, const char *name, const char *word,
                       const struct sent_record *sent)
{
    struct watch *watch = context;
    char time[TIMESTAMP_TEXT_BYTES];
    char detail[64];
    if (strcmp(name, ALARM_NAME) != 0 || is_raised(watch, domain, word))
        return true;
    snprintf(detail, sizeof(detail), "it began %s", timestamp_format(sent->first_s, time));
    put_fact(watch, "all-clear", domain, word, detail);
    changeset_delete_sent(watch->changeset, domain, ALARM_NAME, word);
    return true;
}

static bool tell_all(struct watch *watch)
{
    for (size_t i = 0; i < watch->count; i++)
        if (!tell(watch, &watch->alarms[i]))
            return false;
    return snapshot_each_sent(watch->snapshot, NULL, visit_sent, watch, watch->error);
}

bool alarm_plan(void *context, struct snapshot *snapshot, struct changeset *changeset,
                struct error *error)
{
    struct watch watch = {.request = context,
                          .snapshot = snapshot,
                          .changeset = changeset,
                          .error = error,
                          .is_fine = true};
    watch.knows_ends = watch.request->ring != NULL;
    look_at_size(&watch);
    bool is_fine = snapshot_each_domain(snapshot, visit_domain, &watch, error) && watch.is_fine &&
                   look_at_unfilled(&watch) && look_at_outbox(&watch) && tell_all(&watch);
    watch.request->alarm_count = watch.count;
    for (size_t i = 0; i < watch.count; i++) {
        free(watch.alarms[i].domain);
        free(watch.alarms[i].detail);
    }
    free(watch.alarms);
    return is_fine;
}
