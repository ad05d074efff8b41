/*
 * Fetches team listings from a Launchpad web service: `~team` and all pages of
 * `~team/participants`, several teams side by side, each judged by launchpad/judge.h.
 */
#ifndef LPALIAS_LAUNCHPAD_FETCH_H
#define LPALIAS_LAUNCHPAD_FETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "launchpad/credentials.h"
#include "launchpad/listing.h"

struct fetch_settings {
    const char *api; /* root with version, without a slash at the end */
    /* Sent with each request, and people's preferred addresses are read; NULL: anonymous. */
    const struct credentials *credentials;
    unsigned page_size;
    unsigned concurrency;
    unsigned retries;
    int64_t retry_delay_ms;
    int64_t request_timeout_ms;
    int64_t total_timeout_ms;
    uint64_t response_limit_bytes;
    unsigned page_limit; /* pages of one team */
};

/* Called after each page: how far a team has come. total is 0 while unknown. */
struct fetch_progress {
    void (*report)(void *context, const char *team, size_t seen, size_t total);
    void *context;
};

/*
 * Fetches count teams and fills listings[i] for teams[i]; every listing ends either usable or
 * unusable with a reason, and is to be finished by the caller. now_s is when the fetch began.
 * progress may be NULL. False: nothing was
 * started at all: ERROR_TEMPORARY (no memory for curl), or ERROR_INVALID (the credentials would be
 * readable on the way to api).
 */
bool fetch_listings(const struct fetch_settings *settings, const char *const *teams, size_t count,
                    int64_t now_s, const struct fetch_progress *progress, struct listing *listings,
                    struct error *error) MUST_CHECK;

#endif
