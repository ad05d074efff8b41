/* The aliases of a domain, counted: for questions and for the status. */
#ifndef LPALIAS_TOOL_DOMAIN_CENSUS_H
#define LPALIAS_TOOL_DOMAIN_CENSUS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/error.h"
#include "store/record.h"
#include "store/snapshot.h"

struct domain_census {
    size_t states[ALIAS_GONE + 1]; /* of members and their further aliases */
    size_t statics;
    size_t total;
};

/* ERROR_TEMPORARY: the cache cannot be read. */
bool domain_census_take(struct snapshot *snapshot, const char *domain, struct domain_census *ret,
                        struct error *error) MUST_CHECK;

#endif
