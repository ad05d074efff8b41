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

static struct record_stamp take_stamp(struct field_reader *reader)
{
    struct record_stamp stamp;
    stamp.layout = (uint8_t)take_u8(reader);
    stamp.generation = take_number(reader, 8);
    if (stamp.layout != RECORD_LAYOUT_VERSION)
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
        !is_between(record.state, ALIAS_ACTIVE, ALIAS_GONE) || record.reason > REASON_TAKEN ||
        !is_between(record.extension, EXTENSION_APPEND, EXTENSION_REFUSE))
        return false;
    *ret = record;
    return true;
}

void person_record_encode(struct buffer *out, const struct person_record *record)
{
    put_stamp(out, record->stamp);
    put_i64(out, record->date_created_us);
    put_u8(out, record->extension);
    put_u8(out, record->target_source);
    put_span(out, record->sealed_targets);
}

bool person_record_decode(struct span bytes, struct person_record *ret)
{
    struct field_reader reader = {bytes, false};
    struct person_record record;
    record.stamp = take_stamp(&reader);
    record.date_created_us = take_i64(&reader);
    record.extension = take_u8(&reader);
    record.target_source = take_u8(&reader);
    record.sealed_targets = take_span(&reader);
    if (!is_whole(&reader) || !is_between(record.extension, EXTENSION_APPEND, EXTENSION_REFUSE) ||
        record.target_source > TARGET_SOURCE_OPERATOR)
        return false;
    *ret = record;
    return true;
}

/* Bits of a membership's flag byte. */
enum {
    FLAG_MEMBER = 1,
    FLAG_VALID = 2,
    FLAG_COC = 4,
};

void membership_record_encode(struct buffer *out, const struct membership_record *record)
{
    put_stamp(out, record->stamp);
    put_u8(out, (record->is_member ? FLAG_MEMBER : 0U) | (record->is_valid ? FLAG_VALID : 0U) |
                    (record->is_ubuntu_coc_signer ? FLAG_COC : 0U));
    put_i64(out, record->date_created_us);
    put_i64(out, record->since_s);
    put_i64(out, record->missing_since_s);
    put_i64(out, record->invalid_since_s);
    put_i64(out, record->unsigned_since_s);
    put_i64(out, record->live_since_s);
    put_i64(out, record->leaving_since_s);
}

bool membership_record_decode(struct span bytes, struct membership_record *ret)
{
    struct field_reader reader = {bytes, false};
    struct membership_record record;
    record.stamp = take_stamp(&reader);
    unsigned flags = take_u8(&reader);
    record.is_member = (flags & FLAG_MEMBER) != 0;
    record.is_valid = (flags & FLAG_VALID) != 0;
    record.is_ubuntu_coc_signer = (flags & FLAG_COC) != 0;
    record.date_created_us = take_i64(&reader);
    record.since_s = take_i64(&reader);
    record.missing_since_s = take_i64(&reader);
    record.invalid_since_s = take_i64(&reader);
    record.unsigned_since_s = take_i64(&reader);
    record.live_since_s = take_i64(&reader);
    record.leaving_since_s = take_i64(&reader);
    if (!is_whole(&reader) || flags > (FLAG_MEMBER | FLAG_VALID | FLAG_COC))
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
}

bool domain_record_decode(struct span bytes, struct domain_record *ret)
{
    struct field_reader reader = {bytes, false};
    struct domain_record record;
    record.stamp = take_stamp(&reader);
    unsigned is_open = take_u8(&reader);
    record.is_open = is_open != 0;
    record.opened_generation = take_number(&reader, 8);
    record.team_date_created_us = take_i64(&reader);
    record.filled_s = take_i64(&reader);
    record.team = take_span(&reader);
    if (!is_whole(&reader) || is_open > 1)
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

bool alias_record_is_live(const struct alias_record *record)
{
    return record->state == ALIAS_ACTIVE || (record->state == ALIAS_LEAVING && record->deliver);
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
