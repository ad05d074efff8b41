/* What the cache need not remember any longer: undo, events, and what was told. */
#ifndef LPALIAS_MEMBERSHIP_PRUNE_H
#define LPALIAS_MEMBERSHIP_PRUNE_H

#include <stdbool.h>

#include "base/error.h"
#include "membership/projection.h"

#define PRUNE_UNDO_S         (30 * INT64_C(86400)) /* and the last PRUNE_UNDO_REFRESHES in any case */
#define PRUNE_UNDO_REFRESHES 20
#define PRUNE_EVENT_S        (730 * INT64_C(86400))
#define PRUNE_MAX_ROWS       5000 /* of one run, so that no lock is held for long; the next goes on */

/*
 * Puts deletes of what is due, in a group of their own; nothing if nothing is, and nothing if
 * planning does not trust the time. Undo goes oldest first, events likewise, then what was told
 * longer than NOTICE_AGAIN_S ago; an alarm's row stays, as it says that the alarm is known.
 * ERROR_TEMPORARY: the cache.
 */
bool prune_plan(const struct planning *planning, struct error *error) MUST_CHECK;

#endif
