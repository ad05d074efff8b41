/* Which user the server runs as. */
#ifndef LPALIAS_BASE_USER_H
#define LPALIAS_BASE_USER_H

#include <stdbool.h>

#include "base/compiler.h"
#include "base/error.h"

/*
 * Becomes that user with its groups, for good; the process must be root. ERROR_INVALID: there is
 * no such user, or it is root; ERROR_TEMPORARY: the system refuses. After an error the process
 * must end, as it may be half of each.
 */
bool user_become(const char *name, struct error *error) MUST_CHECK;

#endif
