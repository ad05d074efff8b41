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
#include "membership/house.h"
#include "store/changeset.h"
#include "store/keyring.h"
#include "store/record.h"
#include "store/snapshot.h"

/* One domain of a refresh and what became of it. */
struct refresh_domain {
    const char *domain; /* A-label */
    const char *team;
    const struct listing *listing;

    /* Filled by refresh_plan, afresh each time. */
    enum run_outcome outcome;
    bool is_first_fill;
    char reason[512];              /* of anything but RUN_APPLIED */
    size_t states[ALIAS_GONE + 1]; /* members' aliases by state, as they will be */
    size_t gained, lost, changed;  /* live aliases gained, lost; other alias rows changed */
    size_t doubted;                /* missing or with a lost flag in this listing only */
    size_t left_alone;             /* rows changed since the fetch began, or another identity */
};

struct refresh_request {
    struct refresh_domain *domains;
    size_t domain_count;
    const struct keyring *ring;
    const struct house *house;
    uint64_t fetch_generation; /* of the cache when the fetch began */
    int64_t now_s;
};

/*
 * Fills changeset, and the results in request->domains. A changeset_plan (context: struct
 * refresh_request). Unusable, empty or re-pinned teams change nothing in their domain.
 */
bool refresh_plan(void *request, struct snapshot *snapshot, struct changeset *changeset,
                  struct error *error) MUST_CHECK;

#endif
