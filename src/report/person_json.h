/* Everything that the cache holds about one person, as JSON: what a person may ask for. */
#ifndef LPALIAS_REPORT_PERSON_JSON_H
#define LPALIAS_REPORT_PERSON_JSON_H

#include <stdbool.h>

#include <jansson.h>

#include "base/error.h"
#include "store/keyring.h"
#include "store/snapshot.h"

/*
 * *ret: a new reference to an object with the person, targets in clear, memberships with their
 * aliases, notices that wait and what was told, events, and how many rows are kept to undo a
 * refresh; NULL if nobody of that name is known. What operators wrote for each other (the reason of
 * a ban) is left out, that there is a ban is not. It reads the whole cache. ring may be NULL:
 * targets are null where they do not open. ERROR_TEMPORARY: the cache.
 */
bool person_json_read(const struct keyring *ring, struct snapshot *snapshot, const char *name,
                      json_t **ret, struct error *error) MUST_CHECK;

#endif
