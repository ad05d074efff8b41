/*
 * Whether the cache agrees with itself: each alias of a member is what the rules make of the rows
 * below it, and no row stands without those that it needs.
 */
#ifndef LPALIAS_MEMBERSHIP_VERIFY_H
#define LPALIAS_MEMBERSHIP_VERIFY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "membership/projection.h"

/* Who listens; context is handed to both. */
struct verify_watch {
    /* Something differs. domain may be ""; subject is a name or local part; text is for people and
     * holds no target. */
    void (*differs)(void *context, const char *domain, const char *subject, const char *text);
    /* So many rows were looked at. */
    void (*progress)(void *context, size_t rows);
    void *context;
};

/*
 * Looks at all rows of planning->snapshot by planning's house, ring and time; its changeset and
 * notices are not used. Configuration that changed since the last refresh (reserved names, grace)
 * shows as a difference that the next refresh mends. Rows of an account that lost its name to
 * another wait for their domain's listing and are not compared. ERROR_TEMPORARY: the cache, or a
 * key is missing.
 */
bool verify_cache(const struct planning *planning, const struct verify_watch *watch,
                  struct error *error) MUST_CHECK;

#endif
