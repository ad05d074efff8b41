#include "notify/delivery.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/timestamp.h"
#include "notify/letter.h"
#include "notify/message.h"
#include "store/changeset.h"

#define FIRST_DELAY_S   INT64_C(60)
#define LONGEST_DELAY_S (4 * INT64_C(3600))
#define REFUSED_DELAY_S INT64_C(86400)

struct run {
    const struct delivery *delivery;
    struct delivery_report *report;
    struct smtp_session *session; /* made for the first mail */
    struct error *error;
};

/* A notice that is due, copied out of the cache, as a mail may take long. */
struct parcel {
    uint64_t sequence;
    unsigned char id[OUTBOX_ID_BYTES];
    int64_t at_s;
    uint32_t attempts;
    struct buffer recipients; /* one a line, those who have not got it yet */
    struct buffer link;       /* sealed with them; empty: there is none */
    struct letter letter;
    struct buffer label; /* "leaving of ubuntu.com for person": for the operator, and no name */
};

static void parcel_finish(struct parcel *parcel)
{
    buffer_finish(&parcel->recipients);
    buffer_finish(&parcel->link);
    buffer_finish(&parcel->label);
    letter_finish(&parcel->letter);
}

static void complain(const struct run *run, const struct parcel *parcel, const char *text)
{
    struct buffer line = {0};
    buffer_appendf(&line, "notice %.*s: %s", (int)parcel->label.length, parcel->label.data, text);
    run->delivery->complain(run->delivery->context, buffer_text(&line));
    buffer_finish(&line);
}

/* ---- what is due ---- */

struct due {
    int64_t now_s;
    uint64_t *sequences;
    size_t count, capacity;
    size_t waiting;
};

static bool visit_notice(void *context, uint64_t sequence, const struct outbox_record *fact)
{
    struct due *due = context;
    due->waiting++;
    if (fact->next_s > due->now_s)
        return true;
    due->sequences =
        memory_grow(due->sequences, due->count, &due->capacity, sizeof(*due->sequences));
    due->sequences[due->count++] = sequence;
    return true;
}

static bool find_due(const struct run *run, struct due *ret)
{
    struct snapshot *snapshot;
    if (!snapshot_begin(run->delivery->store, &snapshot, run->error))
        return false;
    bool is_read = snapshot_each_notice(snapshot, visit_notice, ret, run->error);
    snapshot_end(snapshot);
    return is_read;
}

/* ---- one notice: out of the cache ---- */

static void append_line(struct buffer *lines, const char *text)
{
    if (lines->length != 0)
        buffer_append_char(lines, '\n');
    buffer_append_text(lines, text);
}

static void add_configured(const struct notify_settings *settings, const struct outbox_record *fact,
                           struct buffer *lines)
{
    const struct notify_domain *domain = notify_find_domain(settings, fact->domain);
    if (fact->audience == AUDIENCE_ADMINS && domain != NULL)
        for (size_t i = 0; i < domain->notice_count; i++)
            append_line(lines, domain->notices[i]);
    if (lines->length == 0)
        append_line(lines, settings->alerts);
}

/* Whoever has not got it yet: in the fact itself once somebody has, and always for a person. */
static enum unseal_result read_recipients(const struct run *run, const struct outbox_record *fact,
                                          struct buffer *lines)
{
    if (fact->sealed_recipients.length != 0)
        return run->delivery->ring != NULL ? keyring_unseal_notice(run->delivery->ring, fact->id,
                                                                   fact->sealed_recipients, lines)
                                           : UNSEAL_UNKNOWN_KEY;
    if (fact->audience == AUDIENCE_PERSON)
        return UNSEAL_BROKEN;
    add_configured(run->delivery->settings, fact, lines);
    return UNSEAL_DONE;
}

/* Takes the last line off lines if it is a link and no address. */
static void take_link(struct buffer *lines, struct buffer *link)
{
    const char *end = lines->length != 0 ? memrchr(lines->data, '\n', lines->length) : NULL;
    if (end == NULL || end[1] != OUTBOX_LINK_MARK)
        return;
    size_t at = (size_t)(end - lines->data);
    buffer_append(link, end + 2, lines->length - at - 2);
    lines->length = at;
}

static void write_label(const struct outbox_record *fact, struct buffer *label)
{
    buffer_appendf(label, "%.*s", (int)fact->kind.length, fact->kind.data);
    if (fact->domain.length != 0)
        buffer_appendf(label, " of %.*s", (int)fact->domain.length, fact->domain.data);
    buffer_appendf(label, " for %s", notice_audience_name(fact->audience));
}

enum packed {
    PACKED,
    PACKED_NOT, /* it is gone, or put off by somebody else meanwhile */
    PACKED_UNOPENED,
    PACKED_TROUBLE,
};

static enum packed pack(const struct run *run, struct snapshot *snapshot, uint64_t sequence,
                        struct parcel *ret)
{
    const struct delivery *delivery = run->delivery;
    struct outbox_record fact;
    struct error unopened;
    switch (snapshot_notice(snapshot, sequence, &fact, run->error)) {
    case STORE_TROUBLE:
        return PACKED_TROUBLE;
    case STORE_ABSENT:
        return PACKED_NOT;
    case STORE_FOUND:
        break;
    }
    if (fact.next_s > delivery->now_s)
        return PACKED_NOT;
    ret->sequence = sequence;
    memcpy(ret->id, fact.id, sizeof(ret->id));
    ret->at_s = fact.at_s;
    ret->attempts = fact.attempts;
    write_label(&fact, &ret->label);
    enum unseal_result result = read_recipients(run, &fact, &ret->recipients);
    if (result == UNSEAL_DONE) {
        take_link(&ret->recipients, &ret->link);
        letter_write(delivery->templates, delivery->settings, &fact, buffer_text(&ret->link),
                     &ret->letter);
        return PACKED;
    }
    unseal_result_to_error(result, &unopened);
    complain(run, ret, unopened.text);
    return PACKED_UNOPENED;
}

/* ---- one notice: back into the cache ---- */

enum verdict { VERDICT_DONE, VERDICT_PARTLY, VERDICT_PUT_OFF, VERDICT_DROPPED };

struct settling {
    const struct run *run;
    const struct parcel *parcel;
    enum verdict verdict;
    int64_t next_s;
    const char *why; /* of a drop */
};

static void put_dropped_event(const struct settling *settling, const struct outbox_record *fact,
                              struct changeset *changeset)
{
    struct buffer detail = {0};
    buffer_appendf(&detail, "%.*s for %s: %s", (int)fact->kind.length, fact->kind.data,
                   notice_audience_name(fact->audience), settling->why);
    struct event_record event = {
        .at_s = settling->run->delivery->now_s,
        .actor = span_of(settling->run->delivery->actor),
        .act = span_of("notice.dropped"),
        .domain = fact->domain,
        .subject = fact->subject,
        .detail = {detail.data, detail.length},
    };
    changeset_event(changeset, &event);
    buffer_finish(&detail);
}

/* The fact may be gone meanwhile, as its person was erased: then it stays gone. */
static bool plan_settling(void *context, struct snapshot *snapshot, struct changeset *changeset,
                          struct error *error)
{
    const struct settling *settling = context;
    const struct parcel *parcel = settling->parcel;
    struct outbox_record fact;
    struct buffer sealed = {0};
    enum store_result result = snapshot_notice(snapshot, parcel->sequence, &fact, error);
    if (result != STORE_FOUND || memcmp(fact.id, parcel->id, sizeof(fact.id)) != 0)
        return result != STORE_TROUBLE;
    switch (settling->verdict) {
    case VERDICT_DROPPED:
        put_dropped_event(settling, &fact, changeset);
        changeset_delete_notice(changeset, parcel->sequence);
        return true;
    case VERDICT_DONE:
        changeset_delete_notice(changeset, parcel->sequence);
        return true;
    case VERDICT_PARTLY:
        keyring_seal_notice(settling->run->delivery->ring, fact.id,
                            (struct span){parcel->recipients.data, parcel->recipients.length},
                            &sealed);
        fact.sealed_recipients = (struct span){sealed.data, sealed.length};
        break;
    case VERDICT_PUT_OFF:
        fact.attempts++;
        fact.next_s = settling->next_s;
        break;
    }
    changeset_put_notice(changeset, parcel->sequence, &fact);
    buffer_finish(&sealed);
    return true;
}

static bool settle(const struct run *run, const struct parcel *parcel, enum verdict verdict,
                   int64_t next_s, const char *why)
{
    struct settling settling = {run, parcel, verdict, next_s, why};
    struct store_update_result result;
    return store_update(run->delivery->store, plan_settling, &settling, &result, run->error);
}

/* ---- one notice: to the server ---- */

static bool begin_session(struct run *run)
{
    return run->session != NULL ||
           smtp_session_create(&run->delivery->settings->server, &run->session, run->error);
}

static enum smtp_outcome send_to(const struct run *run, struct parcel *parcel,
                                 const char *recipient, struct error *why)
{
    const struct notify_settings *settings = run->delivery->settings;
    const struct message message = {
        .id = parcel->id,
        .from = settings->from,
        .to = recipient,
        .subject = buffer_text(&parcel->letter.subject),
        .body = buffer_text(&parcel->letter.body),
        .date_s = run->delivery->now_s,
    };
    CLEANUP(buffer_finish) struct buffer content = {0};
    message_write(&message, &content);
    const struct smtp_mail mail = {
        .sender = settings->sender,
        .recipient = recipient,
        .content = {content.data, content.length},
    };
    return smtp_send(run->session, &mail, why);
}

/* What is left when the recipient at the front is taken off. */
static void drop_first(struct buffer *lines)
{
    const char *end = memchr(lines->data, '\n', lines->length);
    buffer_consume(lines, end != NULL ? (size_t)(end - lines->data) + 1 : lines->length);
}

static void rotate(struct buffer *lines)
{
    CLEANUP(memory_free_at) char *first = memory_copy_bytes(lines->data, lines->length);
    first[strcspn(first, "\n")] = '\0';
    drop_first(lines);
    append_line(lines, first);
}

static size_t count_lines(const struct buffer *lines)
{
    size_t count = lines->length != 0;
    for (size_t i = 0; i < lines->length; i++)
        count += lines->data[i] == '\n';
    return count;
}

static void tell_unavailable(const struct run *run, const char *why)
{
    struct buffer line = {0};
    buffer_appendf(&line, "%zu notice(s) wait, as %s takes nothing: %s", run->report->waiting,
                   run->delivery->settings->server.url, why);
    run->delivery->complain(run->delivery->context, buffer_text(&line));
    buffer_finish(&line);
    run->report->is_unavailable = true;
}

static bool give_up(const struct run *run, const struct parcel *parcel, const char *why)
{
    run->report->dropped++;
    run->report->waiting--;
    complain(run, parcel,
             parcel->link.length != 0 ? "given up, as its link is worth nothing now"
                                      : "given up after 30 days");
    return settle(run, parcel, VERDICT_DROPPED, 0, why);
}

static bool is_given_up(const struct run *run, const struct parcel *parcel)
{
    return run->delivery->now_s - parcel->at_s >
           (parcel->link.length != 0 ? OUTBOX_LINK_LIFE_S : DELIVERY_GIVE_UP_S);
}

static int64_t delay_s(uint32_t attempts, bool is_refused)
{
    const uint32_t doublings_enough = 10;
    if (is_refused)
        return REFUSED_DELAY_S;
    int64_t doubled_s = FIRST_DELAY_S
                        << (attempts < doublings_enough ? attempts : doublings_enough);
    return doubled_s < LONGEST_DELAY_S ? doubled_s : LONGEST_DELAY_S;
}

/* Some recipients have not got it, for good or for now. */
static bool put_off(const struct run *run, const struct parcel *parcel, bool is_refused,
                    const char *why)
{
    if (is_given_up(run, parcel))
        return give_up(run, parcel, why);
    run->report->refused += is_refused;
    run->report->deferred += !is_refused;
    complain(run, parcel, why);
    return settle(run, parcel, VERDICT_PUT_OFF,
                  run->delivery->now_s + delay_s(parcel->attempts, is_refused), "");
}

/* Each recipient that is left once; *ret_goes_on is false when the server takes nothing now. */
static bool send_parcel(const struct run *run, struct parcel *parcel, bool *ret_goes_on)
{
    struct error why = {0}, last = {0};
    bool is_refused = true;
    for (size_t left = count_lines(&parcel->recipients); left != 0; left--) {
        CLEANUP(memory_free_at)
        char *recipient = memory_copy_bytes(parcel->recipients.data, parcel->recipients.length);
        recipient[strcspn(recipient, "\n")] = '\0';
        switch (send_to(run, parcel, recipient, &last)) {
        case SMTP_DONE:
            run->report->mails++;
            if (run->delivery->progress != NULL)
                run->delivery->progress(run->delivery->context, run->report->mails);
            drop_first(&parcel->recipients);
            if (parcel->recipients.length != 0 && run->delivery->ring != NULL &&
                !settle(run, parcel, VERDICT_PARTLY, 0, ""))
                return false;
            break;
        case SMTP_UNAVAILABLE:
            tell_unavailable(run, last.text);
            *ret_goes_on = false;
            return true;
        case SMTP_CUT_OFF:
            /* Put off, so that it does not stand in the way of all others for ever. */
            tell_unavailable(run, last.text);
            *ret_goes_on = false;
            return put_off(run, parcel, false, last.text);
        case SMTP_DEFERRED:
            is_refused = false;
            /* fallthrough */
        case SMTP_REFUSED:
            why = last;
            rotate(&parcel->recipients);
            break;
        }
    }
    if (parcel->recipients.length != 0)
        return put_off(run, parcel, is_refused, why.text);
    run->report->waiting--;
    return settle(run, parcel, VERDICT_DONE, 0, "");
}

static bool deliver(struct run *run, uint64_t sequence, bool *ret_goes_on)
{
    CLEANUP(parcel_finish) struct parcel parcel = {0};
    struct snapshot *snapshot;
    if (!snapshot_begin(run->delivery->store, &snapshot, run->error))
        return false;
    enum packed packed = pack(run, snapshot, sequence, &parcel);
    snapshot_end(snapshot);
    switch (packed) {
    case PACKED:
        if (parcel.link.length != 0 && is_given_up(run, &parcel))
            return give_up(run, &parcel, "its link is worth nothing any more");
        break;
    case PACKED_NOT:
        return true;
    case PACKED_TROUBLE:
        return false;
    case PACKED_UNOPENED:
        if (is_given_up(run, &parcel))
            return give_up(run, &parcel, "its recipients do not open");
        run->report->unopened++;
        return true;
    }
    return begin_session(run) && send_parcel(run, &parcel, ret_goes_on);
}

bool delivery_run(const struct delivery *delivery, struct delivery_report *ret, struct error *error)
{
    struct run run = {.delivery = delivery, .report = ret, .error = error};
    struct due due = {.now_s = delivery->now_s};
    *ret = (struct delivery_report){0};
    bool is_fine = find_due(&run, &due);
    bool goes_on = true;
    ret->waiting = due.waiting;
    for (size_t i = 0;
         i < due.count && is_fine && goes_on && timestamp_monotonic_ms() < delivery->deadline_ms;
         i++)
        is_fine = deliver(&run, due.sequences[i], &goes_on);
    smtp_session_destroy(run.session);
    free(due.sequences);
    return is_fine;
}

bool delivery_send_test(const struct delivery *delivery, const char *recipient, struct error *error)
{
    struct run run = {.delivery = delivery, .error = error};
    CLEANUP(parcel_finish) struct parcel parcel = {0};
    const struct outbox_record fact = {
        .at_s = delivery->now_s, .audience = AUDIENCE_ALERTS, .kind = span_of("test")};
    changeset_make_notice_id(parcel.id);
    letter_write(delivery->templates, delivery->settings, &fact, "", &parcel.letter);
    bool is_sent = begin_session(&run) && send_to(&run, &parcel, recipient, error) == SMTP_DONE;
    smtp_session_destroy(run.session);
    return is_sent;
}
