/*
 * Forgetting a person beyond the person's own row: what undo, notices that wait, and the audit log
 * still hold. Backups made before are not reached.
 */
#ifndef LPALIAS_MEMBERSHIP_FORGET_H
#define LPALIAS_MEMBERSHIP_FORGET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "membership/projection.h"
#include "store/record.h"

enum forget_what {
    /* Row 6: the targets of one who is gone. The name stays: it is a tombstone, and public. */
    FORGET_TARGETS,
    /* An erasure: events do not say any more whom they are about, and nothing remembers what was
     * told. */
    FORGET_PERSON,
};

/*
 * Takes what stands of names (sorted, without repeats) out of the table of undo (no roll-back
 * brings it back), of notices that were not handed over, and of events: the row of an event stays,
 * what is personal in it goes. FORGET_PERSON also takes their logins and what was told. Reads the
 * snapshot, so what the changeset itself says of them stays. The rows of the people themselves are
 * the caller's. ERROR_TEMPORARY: the cache.
 */
bool forget_traces(const struct planning *planning, const char *const *names, size_t count,
                   enum forget_what what, struct error *error) MUST_CHECK;

/*
 * Row 6 of the rule table: forgets the targets of everybody who still has some and has only aliases
 * that are gone, and is entitled to none. To be planned after the change that made them go, on a
 * snapshot of its own, so that what was kept to undo that change is forgotten, too.
 * ERROR_TEMPORARY: the cache.
 */
bool forget_gone(const struct planning *planning, struct error *error) MUST_CHECK;

#endif
