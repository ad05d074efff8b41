/* The person that an act is about. */
#ifndef LPALIAS_ACTION_PERSON_H
#define LPALIAS_ACTION_PERSON_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/error.h"
#include "membership/projection.h"
#include "store/snapshot.h"

/* As of what a listing brings: a longer name is no local part, and could be no key. */
#define PERSON_NAME_MAX_BYTES 200

/*
 * The person's row, to be changed and put: in the layout of this release, whose sealed targets may
 * then stand in *sealed, which the caller keeps as long and finishes. STORE_TROUBLE, with
 * ERROR_TEMPORARY: the cache, or a key is missing; ERROR_INVALID: the sealed value is broken.
 */
enum store_result person_begin_change(const struct planning *planning, const char *name,
                                      struct buffer *sealed, struct person_record *ret,
                                      struct error *error) MUST_CHECK;

/* As above, for an act on somebody known: ERROR_INVALID also if there is nobody of that name. */
bool person_find(const struct planning *planning, const char *name, struct buffer *sealed,
                 struct person_record *ret, struct error *error) MUST_CHECK;

#endif
