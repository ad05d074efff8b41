#include "store/record.h"

#include <string.h>

/* ---- little-endian numbers and counted strings ---- */

static void put_number(struct buffer *out, uint64_t number, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        buffer_append_char(out, (char)(number >> (8 * i)));
}

static void put_u8(struct buffer *out, unsigned number)
{
    put_number(out, number, 1);
}

static void put_i64(struct buffer *out, int64_t number)
{
    put_number(out, (uint64_t)number, 8);
}

/* Longer strings than a length can say are cut: only texts for people can be that long. */
static void put_span(struct buffer *out, struct span text)
{
    size_t length = text.length <= UINT16_MAX ? text.length : UINT16_MAX;
    put_number(out, length, 2);
    buffer_append(out, text.data, length);
}

/* As put_span, for what may be megabytes. */
static void put_bulk(struct buffer *out, struct span bytes)
{
    put_number(out, bytes.length, 4);
    buffer_append(out, bytes.data, bytes.length);
}

static void put_stamp(struct buffer *out, struct record_stamp stamp)
{
    put_u8(out, RECORD_LAYOUT_VERSION);
    put_number(out, stamp.generation, 8);
}

/* Takes fields off the front of bytes; once one is missing, is_short stays true. */
struct field_reader {
    struct span rest;
    bool is_short;
};

static const char *take(struct field_reader *reader, size_t bytes)
{
    if (reader->rest.length < bytes) {
        reader->is_short = true;
        reader->rest.length = 0;
        return NULL;
    }
    const char *at = reader->rest.data;
    reader->rest.data += bytes;
    reader->rest.length -= bytes;
    return at;
}

static uint64_t take_number(struct field_reader *reader, size_t bytes)
{
    const char *at = take(reader, bytes);
    uint64_t number = 0;
    for (size_t i = 0; at != NULL && i < bytes; i++)
        number |= (uint64_t)(unsigned char)at[i] << (8 * i);
    return number;
}

static unsigned take_u8(struct field_reader *reader)
{
    return (unsigned)take_number(reader, 1);
}

static int64_t take_i64(struct field_reader *reader)
{
    return (int64_t)take_number(reader, 8);
}

static struct span take_span(struct field_reader *reader)
{
    size_t length = (size_t)take_number(reader, 2);
    const char *at = take(reader, length);
    return (struct span){at, at != NULL ? length : 0};
}

static struct span take_bulk(struct field_reader *reader)
{
    size_t length = (size_t)take_number(reader, 4);
    const char *at = take(reader, length);
    return (struct span){at, at != NULL ? length : 0};
}

/* Anything but 0 and 1 is no record of ours. */
static bool take_bool(struct field_reader *reader)
{
    unsigned number = take_u8(reader);
    if (number > 1)
        reader->is_short = true;
    return number == 1;
}

static struct record_stamp take_stamp(struct field_reader *reader)
{
    struct record_stamp stamp;
    stamp.layout = (uint8_t)take_u8(reader);
    stamp.generation = take_number(reader, 8);
    if (stamp.layout < RECORD_LAYOUT_OLDEST || stamp.layout > RECORD_LAYOUT_VERSION)
        reader->is_short = true;
    return stamp;
}

/* All fields were there and nothing follows them. */
static bool is_whole(const struct field_reader *reader)
{
    return !reader->is_short && reader->rest.length == 0;
}

static bool is_between(unsigned number, unsigned first, unsigned last)
{
    return number >= first && number <= last;
}

void record_set_generation(char *bytes, uint64_t generation)
{
    for (size_t i = 0; i < 8; i++)
        bytes[1 + i] = (char)(generation >> (8 * i));
}

/* ---- the records ---- */

void alias_record_encode(struct buffer *out, const struct alias_record *record)
{
    put_stamp(out, record->stamp);
    put_u8(out, record->kind);
    put_u8(out, record->state);
    put_u8(out, record->reason);
    put_u8(out, record->deliver);
    put_u8(out, record->extension);
    put_i64(out, record->since_s);
    put_span(out, record->owner);
    put_span(out, record->sealed_targets);
}

bool alias_record_decode(struct span bytes, struct alias_record *ret)
{
    struct field_reader reader = {bytes, false};
    struct alias_record record;
    record.stamp = take_stamp(&reader);
    record.kind = take_u8(&reader);
    record.state = take_u8(&reader);
    record.reason = take_u8(&reader);
    unsigned deliver = take_u8(&reader);
    record.deliver = deliver != 0;
    record.extension = take_u8(&reader);
    record.since_s = take_i64(&reader);
    record.owner = take_span(&reader);
    record.sealed_targets = take_span(&reader);
    if (!is_whole(&reader) || deliver > 1 || !is_between(record.kind, ALIAS_MEMBER, ALIAS_STATIC) ||
        !is_between(record.state, ALIAS_ACTIVE, ALIAS_GONE) ||
        record.reason > REASON_ANOTHER_PERSON ||
        !is_between(record.extension, EXTENSION_APPEND, EXTENSION_REFUSE))
        return false;
    *ret = record;
    return true;
}

void person_record_encode(struct buffer *out, const struct person_record *record)
{
    put_stamp(out, record->stamp);
    put_i64(out, record->date_created_us);
    put_u8(out, record->is_banned);
    put_u8(out, record->is_paused);
    put_i64(out, record->banned_s);
    put_i64(out, record->paused_s);
    put_u8(out, record->target_source);
    put_span(out, record->sealed_targets);
    put_span(out, record->ban_reason);
    put_span(out, record->login_identifier);
    put_span(out, record->login_name);
    put_span(out, record->renamed_to);
}

bool person_record_decode(struct span bytes, struct person_record *ret)
{
    struct field_reader reader = {bytes, false};
    struct person_record record = {0};
    record.stamp = take_stamp(&reader);
    record.date_created_us = take_i64(&reader);
    if (record.stamp.layout == 1) {
        take_u8(&reader); /* an extension policy that could not be set */
    } else {
        record.is_banned = take_bool(&reader);
        record.is_paused = take_bool(&reader);
        record.banned_s = take_i64(&reader);
        record.paused_s = take_i64(&reader);
    }
    record.target_source = take_u8(&reader);
    record.sealed_targets = take_span(&reader);
    if (record.stamp.layout > 1) {
        record.ban_reason = take_span(&reader);
        record.login_identifier = take_span(&reader);
        record.login_name = take_span(&reader);
        record.renamed_to = take_span(&reader);
    }
    if (!is_whole(&reader) || record.target_source > TARGET_SOURCE_OPERATOR)
        return false;
    *ret = record;
    return true;
}

void login_record_encode(struct buffer *out, const struct login_record *record)
{
    put_stamp(out, record->stamp);
    put_span(out, record->name);
}

bool login_record_decode(struct span bytes, struct login_record *ret)
{
    struct field_reader reader = {bytes, false};
    struct login_record record;
    record.stamp = take_stamp(&reader);
    record.name = take_span(&reader);
    if (!is_whole(&reader))
        return false;
    *ret = record;
    return true;
}

/* Bits of a membership's flag byte. */
enum {
    FLAG_MEMBER = 1,
    FLAG_VALID = 2,
    FLAG_COC = 4,
    FLAG_ADMIN = 8,
    FLAG_NAME_ALLOWED = 16,
    FLAGS_ALL = 31,
};

void membership_record_encode(struct buffer *out, const struct membership_record *record)
{
    put_stamp(out, record->stamp);
    put_u8(out, (record->is_member ? FLAG_MEMBER : 0U) | (record->is_valid ? FLAG_VALID : 0U) |
                    (record->is_ubuntu_coc_signer ? FLAG_COC : 0U) |
                    (record->is_admin ? FLAG_ADMIN : 0U) |
                    (record->is_name_allowed ? FLAG_NAME_ALLOWED : 0U));
    put_i64(out, record->date_created_us);
    put_i64(out, record->since_s);
    put_i64(out, record->missing_since_s);
    put_i64(out, record->invalid_since_s);
    put_i64(out, record->unsigned_since_s);
    put_i64(out, record->live_since_s);
    put_i64(out, record->leaving_since_s);
    put_u8(out, record->extension);
    put_number(out, record->lacking_days, 2);
    put_i64(out, record->lacking_day);
    put_span(out, record->extras);
}

bool membership_record_decode(struct span bytes, struct membership_record *ret)
{
    struct field_reader reader = {bytes, false};
    struct membership_record record = {.extension = EXTENSION_APPEND};
    record.stamp = take_stamp(&reader);
    unsigned flags = take_u8(&reader);
    record.is_member = (flags & FLAG_MEMBER) != 0;
    record.is_valid = (flags & FLAG_VALID) != 0;
    record.is_ubuntu_coc_signer = (flags & FLAG_COC) != 0;
    record.is_admin = (flags & FLAG_ADMIN) != 0;
    record.is_name_allowed = (flags & FLAG_NAME_ALLOWED) != 0;
    record.date_created_us = take_i64(&reader);
    record.since_s = take_i64(&reader);
    record.missing_since_s = take_i64(&reader);
    record.invalid_since_s = take_i64(&reader);
    record.unsigned_since_s = take_i64(&reader);
    record.live_since_s = take_i64(&reader);
    record.leaving_since_s = take_i64(&reader);
    if (record.stamp.layout > 1) {
        record.extension = take_u8(&reader);
        record.lacking_days = (uint16_t)take_number(&reader, 2);
        record.lacking_day = take_i64(&reader);
        record.extras = take_span(&reader);
    }
    if (!is_whole(&reader) || flags > FLAGS_ALL ||
        !is_between(record.extension, EXTENSION_APPEND, EXTENSION_REFUSE))
        return false;
    *ret = record;
    return true;
}

void domain_record_encode(struct buffer *out, const struct domain_record *record)
{
    put_stamp(out, record->stamp);
    put_u8(out, record->is_open);
    put_number(out, record->opened_generation, 8);
    put_i64(out, record->team_date_created_us);
    put_i64(out, record->filled_s);
    put_span(out, record->team);
    put_u8(out, record->is_held);
    put_u8(out, record->proof);
    put_i64(out, record->proof_since_s);
    put_span(out, record->hold_reason);
    put_span(out, record->losses);
}

bool domain_record_decode(struct span bytes, struct domain_record *ret)
{
    struct field_reader reader = {bytes, false};
    struct domain_record record = {0};
    record.stamp = take_stamp(&reader);
    record.is_open = take_bool(&reader);
    record.opened_generation = take_number(&reader, 8);
    record.team_date_created_us = take_i64(&reader);
    record.filled_s = take_i64(&reader);
    record.team = take_span(&reader);
    if (record.stamp.layout > 1) {
        record.is_held = take_bool(&reader);
        record.proof = take_u8(&reader);
        record.proof_since_s = take_i64(&reader);
        record.hold_reason = take_span(&reader);
        record.losses = take_span(&reader);
    }
    if (!is_whole(&reader) || record.proof > PROOF_LOST)
        return false;
    *ret = record;
    return true;
}

void plan_record_encode(struct buffer *out, const struct plan_record *record)
{
    put_stamp(out, record->stamp);
    put_u8(out, record->holds);
    put_i64(out, record->made_s);
    put_i64(out, record->listing_s);
    put_i64(out, record->team_date_created_us);
    put_number(out, record->losses, 4);
    put_number(out, record->additions, 4);
    put_span(out, record->team);
    put_span(out, record->reason);
    put_bulk(out, record->rows);
}

bool plan_record_decode(struct span bytes, struct plan_record *ret)
{
    struct field_reader reader = {bytes, false};
    struct plan_record record;
    record.stamp = take_stamp(&reader);
    record.holds = take_u8(&reader);
    record.made_s = take_i64(&reader);
    record.listing_s = take_i64(&reader);
    record.team_date_created_us = take_i64(&reader);
    record.losses = (uint32_t)take_number(&reader, 4);
    record.additions = (uint32_t)take_number(&reader, 4);
    record.team = take_span(&reader);
    record.reason = take_span(&reader);
    record.rows = take_bulk(&reader);
    if (!is_whole(&reader) || record.holds == 0 ||
        record.holds > (PLAN_HOLDS_LOSSES | PLAN_HOLDS_ADDITIONS | PLAN_HOLDS_ALL | PLAN_DISCARDED))
        return false;
    *ret = record;
    return true;
}

/* Bits of a plan row's flag byte. */
enum {
    ROW_SEEN = 1,
    ROW_VALID = 2,
    ROW_COC = 4,
    ROW_ALL = 7,
};

void plan_row_append(struct buffer *rows, const struct plan_row *row)
{
    put_span(rows, row->name);
    put_u8(rows, (row->is_seen ? ROW_SEEN : 0U) | (row->is_valid ? ROW_VALID : 0U) |
                     (row->is_ubuntu_coc_signer ? ROW_COC : 0U));
    put_i64(rows, row->date_created_us);
    put_number(rows, row->alias_generation, 8);
    put_number(rows, row->membership_generation, 8);
    put_u8(rows, row->before);
    put_u8(rows, row->after);
    put_u8(rows, row->reason);
}

bool plan_row_take(struct span *rest, struct plan_row *ret)
{
    struct field_reader reader = {*rest, false};
    struct plan_row row;
    if (rest->length == 0)
        return false;
    row.name = take_span(&reader);
    unsigned flags = take_u8(&reader);
    row.is_seen = (flags & ROW_SEEN) != 0;
    row.is_valid = (flags & ROW_VALID) != 0;
    row.is_ubuntu_coc_signer = (flags & ROW_COC) != 0;
    row.date_created_us = take_i64(&reader);
    row.alias_generation = take_number(&reader, 8);
    row.membership_generation = take_number(&reader, 8);
    row.before = take_u8(&reader);
    row.after = take_u8(&reader);
    row.reason = take_u8(&reader);
    if (reader.is_short || row.name.length == 0 || flags > ROW_ALL || row.before > ALIAS_GONE ||
        !is_between(row.after, ALIAS_ACTIVE, ALIAS_GONE) || row.reason > REASON_ANOTHER_PERSON)
        return false;
    *rest = reader.rest;
    *ret = row;
    return true;
}

void outbox_record_encode(struct buffer *out, const struct outbox_record *record)
{
    put_stamp(out, record->stamp);
    buffer_append(out, record->id, sizeof(record->id));
    put_i64(out, record->at_s);
    put_u8(out, record->audience);
    put_number(out, record->attempts, 4);
    put_i64(out, record->next_s);
    put_u8(out, record->is_overdue);
    put_span(out, record->kind);
    put_span(out, record->domain);
    put_span(out, record->subject);
    put_span(out, record->reason);
    put_span(out, record->detail);
    put_span(out, record->sealed_recipients);
}

bool outbox_record_decode(struct span bytes, struct outbox_record *ret)
{
    struct field_reader reader = {bytes, false};
    struct outbox_record record = {0};
    record.stamp = take_stamp(&reader);
    const char *id = take(&reader, sizeof(record.id));
    if (id != NULL)
        memcpy(record.id, id, sizeof(record.id));
    record.at_s = take_i64(&reader);
    record.audience = take_u8(&reader);
    record.attempts = (uint32_t)take_number(&reader, 4);
    record.next_s = take_i64(&reader);
    record.is_overdue = take_bool(&reader);
    record.kind = take_span(&reader);
    record.domain = take_span(&reader);
    record.subject = take_span(&reader);
    record.reason = take_span(&reader);
    record.detail = take_span(&reader);
    record.sealed_recipients = take_span(&reader);
    if (!is_whole(&reader) || !is_between(record.audience, AUDIENCE_PERSON, AUDIENCE_ALERTS))
        return false;
    *ret = record;
    return true;
}

void sent_record_encode(struct buffer *out, const struct sent_record *record)
{
    put_stamp(out, record->stamp);
    put_i64(out, record->first_s);
    put_i64(out, record->last_s);
}

bool sent_record_decode(struct span bytes, struct sent_record *ret)
{
    struct field_reader reader = {bytes, false};
    struct sent_record record;
    record.stamp = take_stamp(&reader);
    record.first_s = take_i64(&reader);
    record.last_s = take_i64(&reader);
    if (!is_whole(&reader))
        return false;
    *ret = record;
    return true;
}

void undo_record_encode(struct buffer *out, const struct undo_record *record)
{
    put_stamp(out, record->stamp);
    put_i64(out, record->at_s);
    put_u8(out, record->table);
    put_u8(out, record->was_absent);
    put_span(out, record->key);
    put_bulk(out, record->value);
}

bool undo_record_decode(struct span bytes, struct undo_record *ret)
{
    struct field_reader reader = {bytes, false};
    struct undo_record record;
    record.stamp = take_stamp(&reader);
    record.at_s = take_i64(&reader);
    record.table = (uint8_t)take_u8(&reader);
    record.was_absent = take_bool(&reader);
    record.key = take_span(&reader);
    record.value = take_bulk(&reader);
    if (!is_whole(&reader) || !is_between(record.table, UNDO_ALIAS, UNDO_MEMBERSHIP))
        return false;
    *ret = record;
    return true;
}

void event_record_encode(struct buffer *out, const struct event_record *record)
{
    put_stamp(out, record->stamp);
    put_i64(out, record->at_s);
    put_span(out, record->actor);
    put_span(out, record->act);
    put_span(out, record->domain);
    put_span(out, record->subject);
    put_span(out, record->detail);
}

bool event_record_decode(struct span bytes, struct event_record *ret)
{
    struct field_reader reader = {bytes, false};
    struct event_record record;
    record.stamp = take_stamp(&reader);
    record.at_s = take_i64(&reader);
    record.actor = take_span(&reader);
    record.act = take_span(&reader);
    record.domain = take_span(&reader);
    record.subject = take_span(&reader);
    record.detail = take_span(&reader);
    if (!is_whole(&reader))
        return false;
    *ret = record;
    return true;
}

void run_record_encode(struct buffer *out, const struct run_record *record)
{
    put_stamp(out, record->stamp);
    put_u8(out, record->outcome);
    put_i64(out, record->attempt_s);
    put_i64(out, record->success_s);
    put_i64(out, record->duration_ms);
    put_number(out, record->requests, 4);
    put_number(out, record->retries, 4);
    put_span(out, record->error);
}

bool run_record_decode(struct span bytes, struct run_record *ret)
{
    struct field_reader reader = {bytes, false};
    struct run_record record;
    record.stamp = take_stamp(&reader);
    record.outcome = take_u8(&reader);
    record.attempt_s = take_i64(&reader);
    record.success_s = take_i64(&reader);
    record.duration_ms = take_i64(&reader);
    record.requests = (uint32_t)take_number(&reader, 4);
    record.retries = (uint32_t)take_number(&reader, 4);
    record.error = take_span(&reader);
    if (!is_whole(&reader) || !is_between(record.outcome, RUN_APPLIED, RUN_FAILED))
        return false;
    *ret = record;
    return true;
}

void keys_record_encode(struct buffer *out, const struct keys_record *record)
{
    put_stamp(out, record->stamp);
    put_number(out, record->sealing, 4);
    put_bulk(out, record->retired);
}

bool keys_record_decode(struct span bytes, struct keys_record *ret)
{
    struct field_reader reader = {bytes, false};
    struct keys_record record;
    record.stamp = take_stamp(&reader);
    record.sealing = (uint32_t)take_number(&reader, 4);
    record.retired = take_bulk(&reader);
    if (!is_whole(&reader) || record.retired.length % 4 != 0)
        return false;
    *ret = record;
    return true;
}

bool keys_record_is_retired(const struct keys_record *record, uint32_t id)
{
    struct field_reader reader = {record->retired, false};
    while (reader.rest.length != 0)
        if (take_number(&reader, 4) == id)
            return true;
    return false;
}

void keys_record_append(struct buffer *retired, uint32_t id)
{
    put_number(retired, id, 4);
}

bool alias_record_is_live(const struct alias_record *record)
{
    return record->state == ALIAS_ACTIVE || (record->state == ALIAS_LEAVING && record->deliver);
}

bool alias_record_gives_way(const struct alias_record *record)
{
    return record->state == ALIAS_REFUSED && record->reason == REASON_TAKEN;
}

/* ---- words ---- */

static const char *word(const char *const *words, size_t count, unsigned index)
{
    return index < count && words[index] != NULL ? words[index] : "unknown";
}

const char *alias_kind_name(enum alias_kind kind)
{
    static const char *const words[] = {
        [ALIAS_MEMBER] = "member", [ALIAS_EXTRA] = "extra", [ALIAS_STATIC] = "static"};
    return word(words, ARRAY_LENGTH(words), kind);
}

const char *alias_state_name(enum alias_state state)
{
    static const char *const words[] = {
        [ALIAS_ACTIVE] = "active",   [ALIAS_LEAVING] = "leaving", [ALIAS_PENDING] = "pending",
        [ALIAS_REFUSED] = "refused", [ALIAS_PAUSED] = "paused",   [ALIAS_GONE] = "gone"};
    return word(words, ARRAY_LENGTH(words), state);
}

const char *alias_reason_name(enum alias_reason reason)
{
    static const char *const words[] = {
        [REASON_NONE] = "",
        [REASON_NOT_MEMBER] = "not-member",
        [REASON_NOT_VALID] = "not-valid",
        [REASON_COC_NOT_SIGNED] = "coc-not-signed",
        [REASON_NO_TARGET] = "no-target",
        [REASON_ILLEGAL_LOCAL_PART] = "illegal-local-part",
        [REASON_TAKEN] = "taken",
        [REASON_RESERVED] = "reserved",
        [REASON_BANNED] = "banned",
        [REASON_PAUSED] = "paused",
        [REASON_RENAMED] = "renamed",
        [REASON_GRACE_OVER] = "grace-over",
        [REASON_REMOVED] = "removed",
        [REASON_ANOTHER_PERSON] = "another-person",
    };
    return word(words, ARRAY_LENGTH(words), reason);
}

const char *extension_policy_name(enum extension_policy policy)
{
    static const char *const words[] = {
        [EXTENSION_APPEND] = "append", [EXTENSION_DROP] = "drop", [EXTENSION_REFUSE] = "refuse"};
    return word(words, ARRAY_LENGTH(words), policy);
}

const char *target_source_name(enum target_source source)
{
    static const char *const words[] = {
        [TARGET_SOURCE_NONE] = "none",
        [TARGET_SOURCE_LAUNCHPAD] = "launchpad",
        [TARGET_SOURCE_PERSON] = "person",
        [TARGET_SOURCE_OPERATOR] = "operator",
    };
    return word(words, ARRAY_LENGTH(words), source);
}

const char *run_outcome_name(enum run_outcome outcome)
{
    static const char *const words[] = {
        [RUN_APPLIED] = "applied",
        [RUN_UNUSABLE] = "unusable",
        [RUN_HELD] = "held",
        [RUN_FAILED] = "failed",
    };
    return word(words, ARRAY_LENGTH(words), outcome);
}

const char *proof_state_name(enum proof_state proof)
{
    static const char *const words[] = {
        [PROOF_NEVER] = "never", [PROOF_SEEN] = "proven", [PROOF_LOST] = "lost"};
    return word(words, ARRAY_LENGTH(words), proof);
}
