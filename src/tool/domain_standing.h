/* The domains that are ours: those of the configuration, in its order, then others of the cache. */
#ifndef LPALIAS_TOOL_DOMAIN_STANDING_H
#define LPALIAS_TOOL_DOMAIN_STANDING_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/error.h"
#include "config/config.h"
#include "store/snapshot.h"

/* How a domain stands; "open" and "closed" are said of configured ones only. */
struct domain_standing {
    char *name;
    char *team;
    bool is_configured;
    bool wants_proof; /* by the configuration */
    bool is_cached;   /* has a row in the cache: what follows is of it */
    bool is_open;
    bool is_filled; /* by a refresh */
    enum proof_state proof;
    int64_t proof_since_s;
};

struct domain_standings {
    struct domain_standing *items;
    size_t count;
    size_t capacity;
};

/* ERROR_TEMPORARY: the cache cannot be read. Caller finishes *ret in either case. */
bool domain_standings_read(const struct config *config, struct snapshot *snapshot,
                           struct domain_standings *ret, struct error *error) MUST_CHECK;
/* Takes the one at index out. */
void domain_standings_drop(struct domain_standings *standings, size_t index);
void domain_standings_finish(struct domain_standings *standings);

/* "open", "closed", "not configured", "not filled": the first that says something is wrong. */
const char *domain_standing_name(const struct domain_standing *standing);

/* "never", "proven", "lost", or "": no proof is asked for. */
const char *domain_standing_proof(const struct domain_standing *standing);

#endif
