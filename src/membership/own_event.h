/*
 * What of the audit log a person may read as the history of what is the person's own. It is that of
 * the account, not of the name: what was before the name came to this account is left out, and what
 * was under its former names is not.
 */
#ifndef LPALIAS_MEMBERSHIP_OWN_EVENT_H
#define LPALIAS_MEMBERSHIP_OWN_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "store/record.h"
#include "store/snapshot.h"

/* Borrowed for the visit. actor is only its kind ("operator" of "operator:root"); of a ban the
 * detail is empty, as it was written for operators. Returns false to stop. */
typedef bool own_event_visit(void *context, uint64_t sequence, const struct event_record *event);

/*
 * Visits the newest limit events of the person, newest first, of those with a lower number than
 * before (0: of all), so that the last number seen is where the next page begins. name is
 * somebody's who is behind a login (identity_of_login); limit is not 0. The log is read as far back
 * as it takes, and all people once. ERROR_TEMPORARY:
 * the cache.
 */
bool own_event_each(struct snapshot *snapshot, const char *name, uint64_t before, size_t limit,
                    own_event_visit *visit, void *context, struct error *error) MUST_CHECK;

#endif
