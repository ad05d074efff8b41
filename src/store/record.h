/*
 * The records of the cache: structs here, bytes in LMDB. Layouts are documented in
 * docs/cache-format.md. Every record begins with its layout version (1 byte) and the generation
 * that last changed it (8 bytes); numbers are little-endian, strings have a 2-byte length.
 *
 * Decoded strings are borrowed from the bytes that were decoded: they die with the snapshot.
 */
#ifndef LPALIAS_STORE_RECORD_H
#define LPALIAS_STORE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/compiler.h"

#define RECORD_LAYOUT_VERSION 1

enum alias_kind {
    ALIAS_MEMBER = 1, /* a member's own name; a projection, computed by membership */
    ALIAS_EXTRA = 2,  /* further alias of a member, made by an admin */
    ALIAS_STATIC = 3, /* the operator's; no refresh touches it */
};

enum alias_state {
    ALIAS_ACTIVE = 1,  /* answers with its targets */
    ALIAS_LEAVING = 2, /* in grace: still answers while `deliver` is set */
    ALIAS_PENDING = 3, /* member without a usable target */
    ALIAS_REFUSED = 4, /* see reason */
    ALIAS_PAUSED = 5,  /* by the person */
    ALIAS_GONE = 6,    /* tombstone: targets forgotten, the name stays known */
};

enum alias_reason {
    REASON_NONE = 0,
    REASON_NOT_MEMBER = 1,
    REASON_NOT_VALID = 2, /* is_valid false: account not active or no preferred address */
    REASON_COC_NOT_SIGNED = 3,
    REASON_NO_TARGET = 4,
    REASON_ILLEGAL_LOCAL_PART = 5,
    REASON_TAKEN = 6, /* the address belongs to a static alias or a role */
};

enum extension_policy {
    EXTENSION_APPEND = 1, /* goes back onto each target */
    EXTENSION_DROP = 2,
    EXTENSION_REFUSE = 3, /* an address with an extension is absent */
};

/* Fields that every record has; encode ignores generation, the writer stamps it. */
struct record_stamp {
    uint8_t layout;
    uint64_t generation; /* that last changed the record */
};

struct alias_record {
    struct record_stamp stamp;
    enum alias_kind kind;
    enum alias_state state;
    enum alias_reason reason;
    bool deliver; /* ALIAS_LEAVING: still answers */
    enum extension_policy extension;
    int64_t since_s;            /* in this state since */
    struct span owner;          /* Launchpad name; empty for static */
    struct span sealed_targets; /* one a line, sealed; empty if there are none */
};

/* Where a person's targets come from, strongest last; each proves them in its own way. */
enum target_source {
    TARGET_SOURCE_NONE = 0,
    TARGET_SOURCE_LAUNCHPAD = 1,
    TARGET_SOURCE_PERSON = 2,
    TARGET_SOURCE_OPERATOR = 3,
};

struct person_record {
    struct record_stamp stamp;
    int64_t date_created_us; /* identity pin */
    enum extension_policy extension;
    enum target_source target_source;
    struct span sealed_targets; /* one a line, sealed; empty if there are none */
};

struct membership_record {
    struct record_stamp stamp;
    /* What the last believed listing says. */
    bool is_member;
    bool is_valid;
    bool is_ubuntu_coc_signer;
    int64_t date_created_us;
    int64_t since_s; /* row made, or member again */
    /* First of the listings in a row that contradicts the believed value; 0: none does. */
    int64_t missing_since_s;
    int64_t invalid_since_s;
    int64_t unsigned_since_s;
    int64_t live_since_s;    /* alias became live; 0: never, or gone since */
    int64_t leaving_since_s; /* grace runs since; 0: not leaving */
};

struct domain_record {
    struct record_stamp stamp;
    bool is_open;
    uint64_t opened_generation;   /* that opened it last; 0: never */
    int64_t team_date_created_us; /* pin; 0: no listing believed yet */
    int64_t filled_s;             /* first believed listing; 0: none yet */
    struct span team;
};

/* Who did what to what, when and why. Text carries no target and no mail address. */
struct event_record {
    struct record_stamp stamp;
    int64_t at_s;
    struct span actor;   /* "refresh", "operator:root", ... */
    struct span act;     /* "alias.active", "domain.open", ... */
    struct span domain;  /* or empty */
    struct span subject; /* name or local part, or empty */
    struct span detail;  /* for people, or empty */
};

enum run_outcome {
    RUN_APPLIED = 1, /* a usable listing was applied, or changed nothing */
    RUN_UNUSABLE = 2,
    RUN_HELD = 3,
    RUN_FAILED = 4, /* the listing was fine, the cache could not be written */
};

/* Node-local, outside generations. */
struct run_record {
    struct record_stamp stamp; /* generation is 0 */
    enum run_outcome outcome;  /* of the last attempt */
    int64_t attempt_s;
    int64_t success_s; /* last RUN_APPLIED; 0: never */
    int64_t duration_ms;
    uint32_t requests;
    uint32_t retries;
    struct span error; /* team, URL and reason; empty when applied */
};

/*
 * Encoders append to out; decoders fill ret with spans borrowed from bytes and return false if
 * the bytes are not such a record of a layout we read (then nothing of it may be used).
 */
void alias_record_encode(struct buffer *out, const struct alias_record *record);
bool alias_record_decode(struct span bytes, struct alias_record *ret) MUST_CHECK;
void person_record_encode(struct buffer *out, const struct person_record *record);
bool person_record_decode(struct span bytes, struct person_record *ret) MUST_CHECK;
void membership_record_encode(struct buffer *out, const struct membership_record *record);
bool membership_record_decode(struct span bytes, struct membership_record *ret) MUST_CHECK;
void domain_record_encode(struct buffer *out, const struct domain_record *record);
bool domain_record_decode(struct span bytes, struct domain_record *ret) MUST_CHECK;
void event_record_encode(struct buffer *out, const struct event_record *record);
bool event_record_decode(struct span bytes, struct event_record *ret) MUST_CHECK;
void run_record_encode(struct buffer *out, const struct run_record *record);
bool run_record_decode(struct span bytes, struct run_record *ret) MUST_CHECK;

/* Writes the generation into the stamp of already encoded bytes. */
void record_set_generation(char *bytes, uint64_t generation);

/* True if alias answers with targets: active, or leaving with deliver. */
bool alias_record_is_live(const struct alias_record *record);

/* Words for people and JSON: "active", "not-member", "append", ... Never NULL. */
const char *alias_kind_name(enum alias_kind kind);
const char *alias_state_name(enum alias_state state);
const char *alias_reason_name(enum alias_reason reason);
const char *extension_policy_name(enum extension_policy policy);
const char *target_source_name(enum target_source source);
const char *run_outcome_name(enum run_outcome outcome);

#endif
