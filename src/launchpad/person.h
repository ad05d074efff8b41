/*
 * Who is behind a login, and in which teams: one look at one person, on a pool that somebody else
 * drives. The name is asked for anew each time, as names change hands; whoever is in a team by way
 * of another one is in it, as for `participants`.
 */
#ifndef LPALIAS_LAUNCHPAD_PERSON_H
#define LPALIAS_LAUNCHPAD_PERSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "transfer/transfer.h"

struct person_settings {
    const char *api; /* root with version, without a slash at the end */
    unsigned page_size;
    unsigned page_limit;
    unsigned retries; /* of one request */
    int64_t retry_delay_ms;
    int64_t request_timeout_ms;
    int64_t total_timeout_ms; /* of the whole look, from its begin on */
    uint64_t response_limit_bytes;
};

enum person_answer {
    PERSON_CANNOT_TELL,
    PERSON_ABSENT, /* Launchpad knows nobody behind the login */
    PERSON_FOUND,
};

enum person_membership {
    PERSON_MEMBERSHIP_UNKNOWN,
    PERSON_IS_NO_MEMBER,
    PERSON_IS_MEMBER,
};

struct person_team {
    enum person_membership membership;
    int64_t date_created_us; /* 0: not learnt */
};

struct person_sight {
    enum person_answer answer;
    /* Of FOUND, as Launchpad says it now. */
    const char *name; /* a Launchpad name of at most LISTING_NAME_MAX_BYTES */
    int64_t date_created_us;
    bool is_valid;
    bool is_ubuntu_coc_signer;
    const struct person_team *teams; /* of those asked about, in their order */
    const char *problem;             /* one line, why not all could be told; else "" */
};

struct person_look;

/*
 * Begins to ask about identifier, in the form that Launchpad understands
 * (openid_claimed_id_append_for_launchpad), and those teams; all is copied, but for the texts of
 * settings, which are borrowed. finished is called once, never before this returns, with a sight
 * that is borrowed until it returns; the look is gone then.
 */
struct person_look *
person_look_begin(struct transfer_pool *pool, const struct person_settings *settings,
                  const char *identifier, const char *const *teams, size_t team_count,
                  void (*finished)(void *context, const struct person_sight *sight), void *context);

/* Frees a look whose pool is gone already, and which nobody will hear of. NULL is fine. */
void person_look_abandon(struct person_look *look);

#endif
