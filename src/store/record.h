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

#define RECORD_LAYOUT_VERSION 2
#define RECORD_LAYOUT_OLDEST  1 /* still read; `lpalias cache upgrade` converts */

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
    REASON_TAKEN = 6,    /* the address belongs to a static alias, a role or another name */
    REASON_RESERVED = 7, /* stands in the list of reserved names */
    REASON_BANNED = 8,
    REASON_PAUSED = 9,
    REASON_RENAMED = 10, /* leaving: the person goes on under another name */
    REASON_GRACE_OVER = 11,
    REASON_REMOVED = 12,        /* gone: an admin took the extra or static alias away */
    REASON_ANOTHER_PERSON = 13, /* gone: an extra of somebody whose name is another's now */
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
    bool is_banned;
    bool is_paused;
    int64_t banned_s; /* 0: not banned */
    int64_t paused_s; /* 0: not paused */
    /* Of the targets that are used: the strongest source that has a proven one. */
    enum target_source target_source;
    /* A target list (membership/target_list.h), sealed; empty if there are none. In layout 1 one
     * bare address a line, all of target_source. */
    struct span sealed_targets;
    struct span ban_reason;
    struct span login_identifier; /* claimed identifier of Ubuntu One, or empty */
    struct span login_name;       /* for sending; empty: the Launchpad name */
    struct span renamed_to;       /* the name that took over targets and history, or empty */
};

/* A claimed identifier and the name it logs in as. */
struct login_record {
    struct record_stamp stamp;
    struct span name;
};

struct membership_record {
    struct record_stamp stamp;
    /* What the last believed listing says. */
    bool is_member;
    bool is_valid;
    bool is_ubuntu_coc_signer;
    bool is_admin;        /* of the domain, by list or team: keeps the alias without membership */
    bool is_name_allowed; /* an operator lets the name pass though it is reserved or collides */
    enum extension_policy extension; /* of the member's own alias */
    int64_t date_created_us;
    int64_t since_s; /* row made, or member again */
    /* First of the listings in a row that contradicts the believed value; 0: none does. */
    int64_t missing_since_s;
    int64_t invalid_since_s;
    int64_t unsigned_since_s;
    int64_t live_since_s;    /* alias became live; 0: never, or gone since */
    int64_t leaving_since_s; /* grace runs since; 0: not leaving */
    /* On how many different days (UTC) a usable listing has said so while leaving. */
    uint16_t lacking_days;
    int64_t lacking_day; /* the last of them, days since 1970; 0: none */
    struct span extras;  /* local parts of the person's extra aliases here, one a line */
};

#define MEMBERSHIP_MAX_EXTRAS 3

enum proof_state {
    PROOF_NEVER = 0, /* not seen yet, or no proof is asked for */
    PROOF_SEEN = 1,
    PROOF_LOST = 2, /* seen once, authoritatively gone or bogus since: the domain is frozen */
};

struct domain_record {
    struct record_stamp stamp;
    bool is_open;
    uint64_t opened_generation;   /* that opened it last; 0: never */
    int64_t team_date_created_us; /* pin; 0: no listing believed yet */
    int64_t filled_s;             /* first believed listing; 0: none yet */
    bool is_held;                 /* by a roll-back: no refresh until it is released */
    enum proof_state proof;
    int64_t proof_since_s; /* in this state of proof since; 0: never looked */
    struct span team;
    struct span hold_reason; /* of is_held */
    struct span losses;      /* what refreshes took in the last day: membership/gate.h */
};

/* What of a refresh waits for an operator; bits. */
enum plan_hold {
    PLAN_HOLDS_LOSSES = 1,
    PLAN_HOLDS_ADDITIONS = 2,
    PLAN_HOLDS_ALL = 4, /* empty team, changed pin, changed team in the configuration */
    PLAN_DISCARDED =
        8, /* an operator said no: it waits no more until the listing says another thing */
};

/* A held change of one domain; the generation in the stamp is its number. */
struct plan_record {
    struct record_stamp stamp;
    unsigned holds; /* enum plan_hold */
    int64_t made_s;
    int64_t listing_s; /* when the fetch of the listing began that it was made from */
    int64_t team_date_created_us;
    uint32_t losses;
    uint32_t additions;
    struct span team;
    struct span reason; /* for people */
    struct span rows;   /* see plan_row_append */
};

/* One name of a held change: what the listing says, and the rows it was made for. */
struct plan_row {
    struct span name;
    bool is_seen; /* in the listing; else absent, and the flags say nothing */
    bool is_valid;
    bool is_ubuntu_coc_signer;
    int64_t date_created_us;
    uint64_t alias_generation;      /* stamp of the row, 0: there was none */
    uint64_t membership_generation; /* stamp of the row, 0: there was none */
    enum alias_state before;        /* 0: no alias row */
    enum alias_state after;
    enum alias_reason reason; /* of after */
};

/* Who a notice is for. */
enum notice_audience {
    AUDIENCE_PERSON = 1,
    AUDIENCE_ADMINS = 2, /* of the domain */
    AUDIENCE_ALERTS = 3,
};

#define OUTBOX_ID_BYTES 16

/* Facts of one mail that is not handed over yet. */
struct outbox_record {
    struct record_stamp stamp;
    unsigned char id[OUTBOX_ID_BYTES]; /* random: names the mail, binds the sealed recipients */
    int64_t at_s;
    enum notice_audience audience;
    uint32_t attempts;   /* that were answered with a refusal of this very mail */
    int64_t next_s;      /* not before */
    bool is_overdue;     /* the alert after 5 days was given */
    struct span kind;    /* a word: "leaving", "digest", ... (membership/notice.h) */
    struct span domain;  /* or empty */
    struct span subject; /* name or local part, or empty */
    struct span reason;  /* a word, or empty */
    struct span detail;  /* text for people, or empty; never a target */
    /* Addresses that have not got it yet, one a line, sealed; empty: those of the configuration,
     * which is never so for AUDIENCE_PERSON. A last line that begins with OUTBOX_LINK_MARK is no
     * address but a link for the text, which is to be no less secret. */
    struct span sealed_recipients;
};

#define OUTBOX_LINK_MARK   ' '   /* no address begins with it */
#define OUTBOX_LINK_LIFE_S 86400 /* a link is worth nothing later, and its mail is not sent */

/* When something was last told, so that it is not told again too soon. */
struct sent_record {
    struct record_stamp stamp;
    int64_t first_s;
    int64_t last_s;
};

/* One row as it was before a refresh. */
struct undo_record {
    struct record_stamp stamp; /* generation in which the row was changed */
    int64_t at_s;
    uint8_t table;     /* enum undo_table */
    bool was_absent;   /* value is empty then */
    struct span key;   /* of that table */
    struct span value; /* the encoded record */
};

/* Stored numbers; not to be changed. */
enum undo_table { UNDO_ALIAS = 1, UNDO_PERSON = 2, UNDO_MEMBERSHIP = 3 };

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

/* Of keys of the ring. */
struct keys_record {
    struct record_stamp stamp;
    uint32_t sealing;    /* that the last rotation sealed by; 0: there was none */
    struct span retired; /* ids, 4 bytes each */
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
void login_record_encode(struct buffer *out, const struct login_record *record);
bool login_record_decode(struct span bytes, struct login_record *ret) MUST_CHECK;
void plan_record_encode(struct buffer *out, const struct plan_record *record);
bool plan_record_decode(struct span bytes, struct plan_record *ret) MUST_CHECK;
void outbox_record_encode(struct buffer *out, const struct outbox_record *record);
bool outbox_record_decode(struct span bytes, struct outbox_record *ret) MUST_CHECK;
void sent_record_encode(struct buffer *out, const struct sent_record *record);
bool sent_record_decode(struct span bytes, struct sent_record *ret) MUST_CHECK;
void undo_record_encode(struct buffer *out, const struct undo_record *record);
bool undo_record_decode(struct span bytes, struct undo_record *ret) MUST_CHECK;

void keys_record_encode(struct buffer *out, const struct keys_record *record);
bool keys_record_decode(struct span bytes, struct keys_record *ret) MUST_CHECK;
bool keys_record_is_retired(const struct keys_record *record, uint32_t id) MUST_CHECK;
/* Appends one id to what is to become keys_record.retired. */
void keys_record_append(struct buffer *retired, uint32_t id);

/* Appends one row to what is to become plan_record.rows. */
void plan_row_append(struct buffer *rows, const struct plan_row *row);

/* Takes the first row off *rest, borrowed from it. False: none is left, or it is malformed;
 * rest->length is 0 only in the first case. */
bool plan_row_take(struct span *rest, struct plan_row *ret) MUST_CHECK;

/* Writes the generation into the stamp of already encoded bytes. */
void record_set_generation(char *bytes, uint64_t generation);

/* True if alias answers with targets: active, or leaving with deliver. */
bool alias_record_is_live(const struct alias_record *record);

/* True if a lookup steps over it: a name refused as its mail is another's stands in nobody's way.
 */
bool alias_record_gives_way(const struct alias_record *record);

/* Words for people and JSON: "active", "not-member", "append", ... Never NULL. */
const char *alias_kind_name(enum alias_kind kind);
const char *alias_state_name(enum alias_state state);
const char *alias_reason_name(enum alias_reason reason);
const char *extension_policy_name(enum extension_policy policy);
const char *target_source_name(enum target_source source);
const char *run_outcome_name(enum run_outcome outcome);
const char *proof_state_name(enum proof_state proof);

#endif
