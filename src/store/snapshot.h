/*
 * One generation of the cache, seen through a read transaction. Records handed out are borrowed
 * from LMDB's pages until the snapshot ends.
 */
#ifndef LPALIAS_STORE_SNAPSHOT_H
#define LPALIAS_STORE_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "store/record.h"
#include "store/store.h"

struct snapshot;

enum store_result {
    STORE_FOUND,
    STORE_ABSENT,
    STORE_TROUBLE, /* cannot tell; the error says why */
};

/* ERROR_TEMPORARY: the cache cannot be read now (also: shrunk file, no reader slot). */
bool snapshot_begin(struct store *store, struct snapshot **ret, struct error *error) MUST_CHECK;
void snapshot_end(struct snapshot *snapshot);

/*
 * False: the cache is not what writers wrote last, or it cannot be told; the server takes all its
 * domains for closed then (docs/architecture.md "Change of file").
 */
bool snapshot_is_trusted(const struct snapshot *snapshot);

uint64_t snapshot_generation(const struct snapshot *snapshot);
unsigned snapshot_layout(const struct snapshot *snapshot); /* of the cache as a whole */
/* 32 hex digits; text must hold 33 bytes. Returns text. */
const char *snapshot_cache_id(const struct snapshot *snapshot, char text[33]);
uint64_t snapshot_used_bytes(const struct snapshot *snapshot); /* size of the data file in use */

enum store_result snapshot_alias(struct snapshot *snapshot, const char *domain, struct span local,
                                 struct alias_record *ret, struct error *error) MUST_CHECK;
enum store_result snapshot_person(struct snapshot *snapshot, const char *name,
                                  struct person_record *ret, struct error *error) MUST_CHECK;
enum store_result snapshot_membership(struct snapshot *snapshot, const char *domain,
                                      const char *name, struct membership_record *ret,
                                      struct error *error) MUST_CHECK;
enum store_result snapshot_domain(struct snapshot *snapshot, const char *domain,
                                  struct domain_record *ret, struct error *error) MUST_CHECK;
enum store_result snapshot_login(struct snapshot *snapshot, const char *identifier,
                                 struct login_record *ret, struct error *error) MUST_CHECK;
enum store_result snapshot_plan(struct snapshot *snapshot, const char *domain,
                                struct plan_record *ret, struct error *error) MUST_CHECK;
enum store_result snapshot_notice(struct snapshot *snapshot, uint64_t sequence,
                                  struct outbox_record *ret, struct error *error) MUST_CHECK;
enum store_result snapshot_sent(struct snapshot *snapshot, const char *domain, const char *name,
                                const char *word, struct sent_record *ret,
                                struct error *error) MUST_CHECK;
/* Which key seals and which are retired; STORE_ABSENT: no rotation was ever begun. */
enum store_result snapshot_keys(struct snapshot *snapshot, struct keys_record *ret,
                                struct error *error) MUST_CHECK;
enum store_result snapshot_run(struct snapshot *snapshot, const char *domain,
                               struct run_record *ret, struct error *error) MUST_CHECK;

/*
 * Walks in key order; each visit returns false to stop early. Names are NUL-terminated and
 * borrowed for the visit. The walks return false on STORE_TROUBLE only.
 */
typedef bool snapshot_alias_visit(void *context, const char *domain, const char *local,
                                  const struct alias_record *record);
bool snapshot_each_alias(struct snapshot *snapshot, const char *domain, snapshot_alias_visit *visit,
                         void *context, struct error *error) MUST_CHECK; /* domain NULL: all */
/* Those of domain whose local part sorts behind local; "": all. To go on where one stopped. */
bool snapshot_each_alias_after(struct snapshot *snapshot, const char *domain, const char *local,
                               snapshot_alias_visit *visit, void *context,
                               struct error *error) MUST_CHECK;
typedef bool snapshot_person_visit(void *context, const char *name,
                                   const struct person_record *record);
bool snapshot_each_person(struct snapshot *snapshot, snapshot_person_visit *visit, void *context,
                          struct error *error) MUST_CHECK;
typedef bool snapshot_membership_visit(void *context, const char *domain, const char *name,
                                       const struct membership_record *record);
bool snapshot_each_membership(struct snapshot *snapshot, const char *domain,
                              snapshot_membership_visit *visit, void *context,
                              struct error *error) MUST_CHECK;
typedef bool snapshot_domain_visit(void *context, const char *domain,
                                   const struct domain_record *record);
bool snapshot_each_domain(struct snapshot *snapshot, snapshot_domain_visit *visit, void *context,
                          struct error *error) MUST_CHECK;
typedef bool snapshot_event_visit(void *context, uint64_t sequence,
                                  const struct event_record *record);
bool snapshot_each_event(struct snapshot *snapshot, snapshot_event_visit *visit, void *context,
                         struct error *error) MUST_CHECK;
/* Newest first, those with a smaller sequence number than before; UINT64_MAX: all. */
bool snapshot_each_event_before(struct snapshot *snapshot, uint64_t before,
                                snapshot_event_visit *visit, void *context,
                                struct error *error) MUST_CHECK;
typedef bool snapshot_login_visit(void *context, const char *identifier,
                                  const struct login_record *record);
bool snapshot_each_login(struct snapshot *snapshot, snapshot_login_visit *visit, void *context,
                         struct error *error) MUST_CHECK;
typedef bool snapshot_plan_visit(void *context, const char *domain,
                                 const struct plan_record *record);
bool snapshot_each_plan(struct snapshot *snapshot, snapshot_plan_visit *visit, void *context,
                        struct error *error) MUST_CHECK;
typedef bool snapshot_outbox_visit(void *context, uint64_t sequence,
                                   const struct outbox_record *record);
bool snapshot_each_notice(struct snapshot *snapshot, snapshot_outbox_visit *visit, void *context,
                          struct error *error) MUST_CHECK;
typedef bool snapshot_run_visit(void *context, const char *domain, const struct run_record *record);
bool snapshot_each_run(struct snapshot *snapshot, snapshot_run_visit *visit, void *context,
                       struct error *error) MUST_CHECK;
/* domain NULL: all, also those of "" (the house). */
typedef bool snapshot_sent_visit(void *context, const char *domain, const char *name,
                                 const char *word, const struct sent_record *record);
bool snapshot_each_sent(struct snapshot *snapshot, const char *domain, snapshot_sent_visit *visit,
                        void *context, struct error *error) MUST_CHECK;
/* Only what was told about that name. */
bool snapshot_each_sent_about(struct snapshot *snapshot, const char *domain, const char *name,
                              snapshot_sent_visit *visit, void *context,
                              struct error *error) MUST_CHECK;
/* generation 0: of all refreshes, oldest first. */
typedef bool snapshot_undo_visit(void *context, uint64_t generation, uint64_t number,
                                 const struct undo_record *record);
bool snapshot_each_undo(struct snapshot *snapshot, uint64_t generation, snapshot_undo_visit *visit,
                        void *context, struct error *error) MUST_CHECK;

/* The refreshes of which undo is kept, oldest first, by hops from one to the next. at_s: when. */
typedef bool snapshot_undo_generation_visit(void *context, uint64_t generation, int64_t at_s);
bool snapshot_each_undo_generation(struct snapshot *snapshot, snapshot_undo_generation_visit *visit,
                                   void *context, struct error *error) MUST_CHECK;

#endif
