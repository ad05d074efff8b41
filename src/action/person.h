/* The person that an act is about. */
#ifndef LPALIAS_ACTION_PERSON_H
#define LPALIAS_ACTION_PERSON_H

#include <stdbool.h>

#include "base/error.h"
#include "membership/projection.h"

/* As of what a listing brings: a longer name is no local part, and could be no key. */
#define PERSON_NAME_MAX_BYTES 200

/*
 * The row of the person that an act is about. ERROR_INVALID: nobody of that name is known;
 * ERROR_TEMPORARY: the cache.
 */
bool person_find(const struct planning *planning, const char *name, struct person_record *ret,
                 struct error *error) MUST_CHECK;

#endif
