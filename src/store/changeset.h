/*
 * Every change to the cache is a changeset: puts, deletes and the events that belong to it, from
 * generation n to n+1, committed as one LMDB transaction or not at all.
 */
#ifndef LPALIAS_STORE_CHANGESET_H
#define LPALIAS_STORE_CHANGESET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "store/record.h"
#include "store/snapshot.h"
#include "store/store.h"

#define CHANGESET_MAX_RECORDS 50000 /* a larger one is cut into pieces, each a generation */

struct changeset;

struct changeset *changeset_create(void);
void changeset_destroy(struct changeset *changeset);
void changeset_clear(struct changeset *changeset);
size_t changeset_count(const struct changeset *changeset);

/*
 * Rows of one group (a person's name) stay in one piece when a changeset is cut; additions come
 * before everything else. To be called before the puts and deletes it is about.
 */
void changeset_begin_group(struct changeset *changeset, bool is_addition);

/* A group that comes before all others: what must not be missing once any of them is written. */
void changeset_begin_front_group(struct changeset *changeset);

/* Contents are copied. A later put or delete of the same key replaces the earlier one. */
void changeset_put_alias(struct changeset *changeset, const char *domain, const char *local,
                         const struct alias_record *record);
void changeset_delete_alias(struct changeset *changeset, const char *domain, const char *local);
void changeset_put_person(struct changeset *changeset, const char *name,
                          const struct person_record *record);
void changeset_put_membership(struct changeset *changeset, const char *domain, const char *name,
                              const struct membership_record *record);
void changeset_delete_membership(struct changeset *changeset, const char *domain, const char *name);
void changeset_put_domain(struct changeset *changeset, const char *domain,
                          const struct domain_record *record);
void changeset_delete_domain(struct changeset *changeset, const char *domain);
void changeset_delete_person(struct changeset *changeset, const char *name);
void changeset_put_login(struct changeset *changeset, const char *identifier,
                         const struct login_record *record);
void changeset_delete_login(struct changeset *changeset, const char *identifier);
void changeset_put_plan(struct changeset *changeset, const char *domain,
                        const struct plan_record *record);
void changeset_delete_plan(struct changeset *changeset, const char *domain);

/* A new event; it gets its sequence number when it is written. */
void changeset_event(struct changeset *changeset, const struct event_record *event);
/* Rewrites (to forget what it says of a person) or forgets one that is there. */
void changeset_put_event(struct changeset *changeset, uint64_t sequence,
                         const struct event_record *event);
void changeset_delete_event(struct changeset *changeset, uint64_t sequence);

/* A new id for a notice: random, so that it names one mail for ever. */
void changeset_make_notice_id(unsigned char ret[OUTBOX_ID_BYTES]);

/* A new notice; it gets its sequence number when it is written. */
void changeset_notice(struct changeset *changeset, const struct outbox_record *notice);
void changeset_put_notice(struct changeset *changeset, uint64_t sequence,
                          const struct outbox_record *notice);
void changeset_delete_notice(struct changeset *changeset, uint64_t sequence);

/* What was told about a name (or, name "", about the domain; domain "", about the house). */
void changeset_put_sent(struct changeset *changeset, const char *domain, const char *name,
                        const char *word, const struct sent_record *record);
void changeset_delete_sent(struct changeset *changeset, const char *domain, const char *name,
                           const char *word);

/*
 * From now on each put and delete of an alias, a person and a membership keeps the row as it was
 * before in the table of undo, under the generation that the first piece with such a row makes;
 * numbers begin at 1, and the row's stamp is the generation that changed it. A row that is changed
 * by two pieces, as the cache moved between them, is kept twice: the lower number is what it was
 * before. changeset_clear ends it. now_s is not 0.
 */
void changeset_keep_undo(struct changeset *changeset, int64_t now_s);
void changeset_put_undo(struct changeset *changeset, uint64_t generation, uint64_t number,
                        const struct undo_record *record);
void changeset_delete_undo(struct changeset *changeset, uint64_t generation, uint64_t number);

/*
 * From now on rows keep the generation in the stamp that they are put with: they say what they said
 * before, in another form, and nobody who compares generations is to see a change.
 */
void changeset_keep_stamps(struct changeset *changeset);

/*
 * The key that seals, and those that may seal nothing any more. A changeset that puts a value
 * sealed by one of them is refused when it is written: its maker read the key file before.
 */
void changeset_put_keys(struct changeset *changeset, const struct keys_record *record);

/* Run rows lie outside generations; this one is for their conversion. */
void changeset_put_run(struct changeset *changeset, const char *domain,
                       const struct run_record *record);

/*
 * Fills changeset from the snapshot: the decision, without side effects, so that it can be taken
 * again when the cache has moved meanwhile. It must be a difference to the snapshot: what is there
 * already is not put again, else an update in pieces would never end. Returns false with an error
 * to give up.
 */
typedef bool changeset_plan(void *context, struct snapshot *snapshot, struct changeset *changeset,
                            struct error *error);

struct store_update_result {
    bool changed;
    uint64_t generation; /* after the update */
    size_t records;      /* put and deleted, events included */
    unsigned attempts;
};

/*
 * plan on a snapshot, then apply if the cache is still at that generation; else plan again, the
 * third time inside the write transaction. An empty changeset changes nothing and keeps the
 * generation. ERROR_TEMPORARY: the cache cannot be read or written (full, gone, replaced), or a
 * value was sealed by a key that is retired meanwhile; any error of plan as it is. A changeset of
 * more than CHANGESET_MAX_RECORDS is applied in pieces.
 */
bool store_update(struct store *store, changeset_plan *plan, void *context,
                  struct store_update_result *ret, struct error *error) MUST_CHECK;

/* Plans once and writes nothing; ret says what would be written. Errors as above. */
bool store_preview(struct store *store, changeset_plan *plan, void *context,
                   struct store_update_result *ret, struct error *error) MUST_CHECK;

/* Writes run rows, outside generations. ERROR_TEMPORARY as above. */
struct store_run_row {
    const char *domain;
    struct run_record record;
};
bool store_note_runs(struct store *store, const struct store_run_row *rows, size_t count,
                     struct error *error) MUST_CHECK;

#endif
