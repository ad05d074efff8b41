/*
 * How many aliases of each state each domain has. Counted once a generation, as it takes a walk
 * over the whole cache (some 7 ms for 100 000 members).
 */
#ifndef LPALIAS_PORTAL_ALIAS_COUNT_H
#define LPALIAS_PORTAL_ALIAS_COUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "portal/cache.h"
#include "store/snapshot.h"

struct alias_count {
    char *name;
    size_t states[ALIAS_GONE + 1]; /* of members and their further aliases */
    size_t statics;                /* live ones */
    size_t live;                   /* of all kinds */
};

/* A zeroed one has counted nothing yet. */
struct alias_counts {
    struct alias_count *domains;
    size_t count, capacity;
    uint64_t openings, generation; /* that was counted; no openings: none */
};

/* Brings the counts up to the snapshot, which is of cache. ERROR_TEMPORARY: it cannot be read. */
bool alias_counts_take(struct alias_counts *counts, const struct cache *cache,
                       struct snapshot *snapshot, struct error *error) MUST_CHECK;

/* Zeroes for a domain that has none. */
struct alias_count alias_counts_of(const struct alias_counts *counts, const char *domain);

void alias_counts_finish(struct alias_counts *counts);

#endif
