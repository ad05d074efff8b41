/*
 * Who is behind a Launchpad name. An account keeps its `date_created` for life and a name does not
 * keep its account, so the date is the pin (rows 3 and 4 of the rule table).
 */
#ifndef LPALIAS_MEMBERSHIP_IDENTITY_H
#define LPALIAS_MEMBERSHIP_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "membership/projection.h"
#include "store/record.h"

enum identity {
    IDENTITY_SAME,
    IDENTITY_NEW,     /* no row, or one that was made before the account was seen (a ban) */
    IDENTITY_ANOTHER, /* row 3: the name belongs to another account than before */
};

/*
 * Makes *person, the row as it was (zeroed if there was none), what it is to be now that the name
 * was seen with that date: another account begins afresh, without targets, ban, pause and choices.
 */
enum identity identity_see(struct person_record *person, int64_t date_created_us);

/*
 * Puts what belongs to the change to another account, besides the person's row: the login of the
 * old one goes, and an event says so. before is the old row. ERROR_TEMPORARY: the cache.
 */
bool identity_plan_another(const struct planning *planning, const char *name,
                           const struct person_record *before, struct error *error) MUST_CHECK;

/*
 * Whose login it is: the name, and *ret its row. A pair counts only if the row of the login and the
 * person's both say so. STORE_ABSENT: nobody's (any more). Appends to name, which is borrowed by
 * nobody.
 */
enum store_result identity_of_login(struct snapshot *snapshot, const char *identifier,
                                    struct buffer *name, struct person_record *ret,
                                    struct error *error) MUST_CHECK;

/* Tells the admins of that domain, which had an alias of the old account. */
void identity_tell_another(const struct planning *planning, const char *domain, const char *name);

#endif
