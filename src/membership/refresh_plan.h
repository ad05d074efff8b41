/*
 * From judged listings to a changeset: who gains, keeps and loses an alias. Pure planning on a
 * snapshot; nothing is written here.
 */
#ifndef LPALIAS_MEMBERSHIP_REFRESH_PLAN_H
#define LPALIAS_MEMBERSHIP_REFRESH_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "launchpad/listing.h"
#include "membership/projection.h"
#include "store/record.h"

/* One domain of a refresh and what became of it. */
struct refresh_domain {
    const char *domain; /* A-label */
    const char *team;
    const struct listing *listing;
    const struct listing *admin_listing; /* of the admin team, or NULL: there is none */

    /* Filled by refresh_plan, afresh each time. */
    enum run_outcome outcome;
    bool is_applied; /* but for what is held; the counts below are of that */
    bool is_first_fill;
    char reason[512];              /* of anything but RUN_APPLIED */
    size_t states[ALIAS_GONE + 1]; /* members' aliases by state, as they will be */
    size_t gained, lost, changed;  /* live aliases gained, lost; other alias rows changed */
    size_t held;                   /* names whose change waits in a held plan */
    size_t doubted;                /* missing or with a lost flag in this listing only */
    size_t renamed;                /* accounts that go by another name now */
    size_t left_alone; /* rows changed since the fetch began, contradicting sightings, or targets
                          that do not open */
};

struct refresh_request {
    struct refresh_domain *domains;
    size_t domain_count;
    uint64_t fetch_generation; /* of the cache when the fetch began */
};

/*
 * Fills planning->changeset (with undo), the notices, and the results in request->domains. Whether
 * the time can be trusted is decided here, by the last attempt. Unusable, frozen and held domains
 * change nothing but their plan; what passes the gate's limits is put into the plan instead
 * (membership/held_plan.h). ERROR_TEMPORARY: the cache, or a key is missing.
 */
bool refresh_plan(void *request, const struct planning *planning, struct error *error) MUST_CHECK;

#endif
