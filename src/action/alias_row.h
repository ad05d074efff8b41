/* What the acts on one alias share: the row that they are about. */
#ifndef LPALIAS_ACTION_ALIAS_ROW_H
#define LPALIAS_ACTION_ALIAS_ROW_H

#include <stdbool.h>

#include "base/error.h"
#include "membership/projection.h"
#include "store/record.h"

/* An address of ours: A-label, and lower-case local part. */
struct alias_request {
    const char *domain;
    const char *local;
};

/* The row that stands there. ERROR_INVALID: none does; ERROR_TEMPORARY: the cache. */
bool alias_find(const struct planning *planning, const struct alias_request *request,
                struct alias_record *ret, struct error *error) MUST_CHECK;

/* True for a row that says only that nobody may have the name: see action/reserve.h. */
bool alias_is_reservation(const struct alias_record *row) MUST_CHECK;

/*
 * The domain must be configured; its row is put where a refresh has not done so, so that it is ours
 * and, as it is closed, misses are TEMP. ERROR_INVALID: it is not configured; ERROR_TEMPORARY.
 */
bool alias_ensure_domain(const struct planning *planning, const char *domain,
                         struct error *error) MUST_CHECK;

/*
 * Why nobody can be given that name by hand: it is no legal local part, a role, or the extension of
 * a name that the domain knows. A row that stands at the very name is not looked at.
 * ERROR_INVALID, ERROR_TEMPORARY.
 */
bool alias_check_name(const struct planning *planning, const struct alias_request *request,
                      struct error *error) MUST_CHECK;

#endif
