/* What stands behind the "?" of a request, as forms and URLSearchParams write it. */
#ifndef LPALIAS_PORTAL_QUERY_H
#define LPALIAS_PORTAL_QUERY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

struct query_field {
    const char *name;
    size_t max_bytes; /* of the value */
    char *value;      /* decoded; NULL: not given, or empty */
};

/*
 * Fills the fields, which are to be finished in any case. False: another field, one twice, a value
 * that is too long, no UTF-8, or has control characters.
 */
bool query_read(const char *query, struct query_field *fields, size_t count) MUST_CHECK;

void query_finish(struct query_field *fields, size_t count);

#endif
