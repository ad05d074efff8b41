/*
 * Accounts that go by another name now (row 4 of the rule table): a known name has vanished, and
 * exactly one new name was seen with its `date_created`, which nobody else has.
 */
#ifndef LPALIAS_MEMBERSHIP_RENAME_H
#define LPALIAS_MEMBERSHIP_RENAME_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "launchpad/listing.h"
#include "membership/projection.h"
#include "store/record.h"
#include "store/snapshot.h"

struct rename {
    int64_t date_created_us;
    char *to;
    char *from;
};

/* Zeroed to begin with. */
struct rename_list {
    struct rename *items; /* in the order of date_created_us */
    size_t count, capacity;
};

/*
 * Finds all renames that the listings show. A name counts as new if the cache has no person of it,
 * one of another account, or one that had gone on under another name before. ERROR_TEMPORARY: the
 * cache; ret is to be finished in either case.
 */
bool rename_list_find(struct snapshot *snapshot, const struct listing *const *listings,
                      size_t listing_count, struct rename_list *ret,
                      struct error *error) MUST_CHECK;

/*
 * Finds the renames that the cache has already: in a domain whose listing did not count at the
 * time, what belongs to the old name is still to be handed over. An account may have several old
 * names; they stand in the order of their names. As above.
 */
bool rename_list_find_late(struct snapshot *snapshot, struct rename_list *ret,
                           struct error *error) MUST_CHECK;

/* The first rename of that account, or NULL; those behind it have the same date_created_us. */
const struct rename *rename_list_first(const struct rename_list *list, int64_t date_created_us);

/* The rename of that account in which name is the new or the old one, or NULL. */
const struct rename *rename_list_at(const struct rename_list *list, int64_t date_created_us,
                                    const char *name);

void rename_list_finish(struct rename_list *list);

/*
 * Makes *to, the row of the new name as it was (zeroed if there was none), take over the targets,
 * the ban, the pause, the login and the login name of from; the targets are sealed anew into
 * sealed, which must outlive the use of *to. Puts the login row and the event. ERROR_TEMPORARY: the
 * key is missing; ERROR_INVALID: the value is broken.
 */
bool rename_take_over(const struct planning *planning, const struct rename *rename,
                      const struct person_record *from, struct person_record *to,
                      struct buffer *sealed, struct error *error) MUST_CHECK;

/*
 * Tells the person and the admins of that domain. person is the row of the new name, verdict what
 * has become of its alias there.
 */
void rename_tell(const struct planning *planning, const struct rename *rename, const char *domain,
                 const struct person_record *person, struct projection_verdict verdict);

#endif
