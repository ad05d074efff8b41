/*
 * What the public charts are drawn of: figures that are noted every five minutes, and kept for a
 * day. All portal processes of a host note the same ones.
 */
#ifndef LPALIAS_PORTAL_CHART_H
#define LPALIAS_PORTAL_CHART_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "base/compiler.h"
#include "base/error.h"
#include "state/state.h"
#include "store/snapshot.h"

#define CHART_PERIOD_S (5 * 60)

/*
 * Notes the live aliases of all domains, how long the last refresh took, and the lookups a minute
 * (negative: unknown). ERROR_TEMPORARY: one of the databases.
 */
bool chart_note(struct state *state, struct snapshot *snapshot, size_t live,
                int64_t lookups_per_minute, int64_t now_s, struct error *error) MUST_CHECK;

/* The samples of the last day, oldest first; a new reference. NULL: cannot tell. */
json_t *chart_samples(struct state *state, int64_t now_s, struct error *error) MUST_CHECK;

#endif
