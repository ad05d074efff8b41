/*
 * How a person stands in each domain: which addresses there are or could be, in what state, why,
 * and what is to be done; also those under names that the person had before, as long as they live.
 * For the pages of members; also of people whom the cache does not know.
 */
#ifndef LPALIAS_MEMBERSHIP_STANDING_H
#define LPALIAS_MEMBERSHIP_STANDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "membership/barrier.h"
#include "membership/house.h"
#include "membership/login_plan.h"
#include "membership/target_list.h"
#include "store/keyring.h"
#include "store/snapshot.h"

/* What the person can do about an address. */
enum standing_step {
    STANDING_NOTHING,    /* "" */
    STANDING_JOIN,       /* "join-team" */
    STANDING_MEND,       /* "mend-account": activate it, and confirm a preferred address */
    STANDING_SIGN,       /* "sign-coc" */
    STANDING_ADD_TARGET, /* "add-target" */
    STANDING_RESUME,     /* "resume" */
    STANDING_WAIT,       /* "wait": for a refresh, or for the admins */
    STANDING_ASK,        /* "ask-admins" */
};
const char *standing_step_word(enum standing_step step);

struct standing_address {
    char *domain, *local;
    const char *team;       /* borrowed of the house; NULL: the domain is not configured any more */
    bool is_extra;          /* a further alias, else the person's own name */
    bool is_former;         /* under a name that the person had before; nothing of it can change */
    enum alias_state state; /* 0: there is none */
    bool is_live;
    const char *reason; /* a word of alias_reason_name() or barrier_word(), "never-member",
                           "unknown" (the team could not be asked), "waits" (for a refresh), "" */
    enum standing_step step;
    int64_t since_s;      /* in this state since; 0: there is none */
    int64_t live_since_s; /* 0: not live */
    int64_t grace_end_s;  /* of a leaving one; else 0 */
    enum extension_policy extension;
    bool is_domain_open;
    enum barrier barrier; /* also of an address that is there: nothing new happens to it */
};

struct standing {
    bool is_known; /* the cache has the person; else the addresses are those that could be */
    bool is_banned, is_paused;
    char *login_name; /* for sending; NULL if not known */
    bool are_targets_open;
    struct target_list targets; /* all of them, personal data */
    struct standing_address *addresses;
    size_t count;
};

/*
 * name: the Launchpad name of whoever is behind the login by identity_of_login(), NULL: nobody's.
 * wanted: the name that the addresses of a person who is not known would have, or NULL. sightings:
 * what Launchpad has just said, where it is known. ring may be NULL; targets that do not open leave
 * are_targets_open false. Ret is to be finished in any case. ERROR_TEMPORARY: the cache.
 */
bool standing_read(const struct house *house, const struct keyring *ring, struct snapshot *snapshot,
                   const char *name, const char *wanted, const struct login_sighting *sightings,
                   size_t sighting_count, struct standing *ret, struct error *error) MUST_CHECK;
void standing_finish(struct standing *standing);

#endif
