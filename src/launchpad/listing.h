/*
 * What a fetch of one team brought, after judging. Data only: membership reads this header and
 * nothing else of this folder.
 */
#ifndef LPALIAS_LAUNCHPAD_LISTING_H
#define LPALIAS_LAUNCHPAD_LISTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Longer names exist in theory; no row of the cache can hold one and no mail address either. */
#define LISTING_NAME_MAX_BYTES 200

/* What Launchpad says of somebody's preferred mail address. */
enum listing_preferred {
    LISTING_PREFERRED_UNKNOWN, /* not to be seen by us, or of a form that we do not use */
    LISTING_PREFERRED_NONE,    /* there is none */
    LISTING_PREFERRED_ADDRESS,
};

struct listing_person {
    char *name; /* lower-case Launchpad name */
    int64_t date_created_us;
    bool is_valid;
    bool is_ubuntu_coc_signer;
    enum listing_preferred preferred;
    const char *address; /* of ADDRESS, as it was given; borrowed: it lies behind the name */
};

enum listing_verdict {
    LISTING_USABLE,   /* complete and well-formed; still only one look at a live table */
    LISTING_UNUSABLE, /* proves nothing; reason says why */
};

struct listing {
    char *team;
    enum listing_verdict verdict;
    char *reason; /* of UNUSABLE: one line with the URL and what was wrong; else NULL */
    char *url;    /* of UNUSABLE: the request that failed, or NULL */
    int64_t team_date_created_us;  /* 0 when not learnt */
    struct listing_person *people; /* sorted by name (strcmp), no name twice */
    size_t person_count;
    size_t total_size; /* as Launchpad counts, sub-teams and hidden entries included */
    size_t subteams;   /* entries skipped because is_team */
    size_t hidden;     /* total_size - entries seen */
    size_t overlong;   /* people skipped: name beyond LISTING_NAME_MAX_BYTES */
    unsigned requests; /* sent for this team, retries included */
    unsigned retries;
    int64_t fetch_began_s;
    int64_t duration_ms;
};

/* Frees what the listing holds and zeroes it. */
void listing_finish(struct listing *listing);

#endif
