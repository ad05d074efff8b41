/*
 * What a login means: a person who has proven to be behind a claimed identifier, and what Launchpad
 * says of the person now. It is one look at one person, so it may give and never takes: see
 * docs/architecture.md "What a login does".
 */
#ifndef LPALIAS_MEMBERSHIP_LOGIN_PLAN_H
#define LPALIAS_MEMBERSHIP_LOGIN_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "launchpad/listing.h"
#include "membership/projection.h"

/* Of claimed identifiers: the prefix and an id, some 40 bytes as a rule. */
#define LOGIN_IDENTIFIER_MAX_BYTES 255

/* What became of asking Launchpad who is behind the identifier. */
enum login_answer {
    LOGIN_ANSWER_NONE,       /* it could not be asked, or the answer was not understood */
    LOGIN_ANSWER_NO_ACCOUNT, /* it says that there is no account */
    LOGIN_ANSWER_ACCOUNT,
};

enum login_membership {
    LOGIN_MEMBERSHIP_UNKNOWN, /* this team could not be asked */
    LOGIN_MEMBERSHIP_NO,
    LOGIN_MEMBERSHIP_YES,
};

/* What Launchpad says of the person and one team. */
struct login_sighting {
    const char *domain; /* A-label; one that is not configured is passed over */
    enum login_membership membership;
    int64_t team_date_created_us; /* 0: not learnt */
};

/* The first that holds. */
enum login_outcome {
    LOGIN_BANNED,         /* refused; says nothing of Launchpad, and needs no word of it */
    LOGIN_CANNOT_TELL,    /* Launchpad or a team of it could not be asked: nothing has changed but
                             the pin; what is known is to be shown */
    LOGIN_NO_ACCOUNT,     /* the login has no Launchpad account */
    LOGIN_WAITS,          /* who has the name is for the next refresh to say; nothing has changed */
    LOGIN_NOT_VALID,      /* refused: no active account with a preferred address */
    LOGIN_COC_NOT_SIGNED, /* refused */
    LOGIN_MEMBER,         /* of some team: the aliases are as the rules say, now */
    LOGIN_OF_NO_TEAM,     /* every configured team would count */
};

struct login_request {
    const char *identifier; /* claimed identifier, verified by the caller */
    enum login_answer answer;
    /* Of LOGIN_ANSWER_ACCOUNT, as asked by getByOpenIDIdentifier now. */
    const char *name; /* lower-case Launchpad name, checked to be one (page_is_name) */
    int64_t date_created_us;
    bool is_valid;
    bool is_ubuntu_coc_signer;
    const struct login_sighting *sightings;
    size_t sighting_count;
    /* The address that Ubuntu One says is the person's, or NULL, and whether it has proven it. */
    const char *address;
    bool is_address_verified;
    int64_t asked_s;           /* when Launchpad was asked */
    uint64_t asked_generation; /* of the cache then: what was changed since is left alone */

    /* Filled by login_plan, afresh each time. */
    enum login_outcome outcome;
    char known_name[LISTING_NAME_MAX_BYTES + 1]; /* Launchpad name of this login, "": not known */
    bool is_known; /* the cache has the person and the identifier as a pair now, so that the person
                      may act on what is there (action/self.h) */
};

/*
 * Plans what the login changes: the pin of identifier and name, a rename that it proves (row 4), a
 * name that has come to another account (row 3), memberships that are new, the vouched-for address
 * as the first target, events and notices. request is a struct login_request. ERROR_TEMPORARY: the
 * cache, or a key is missing; ERROR_INVALID: a sealed value of the person is broken, or the request
 * is no login (empty or overlong identifier or name).
 */
bool login_plan(void *request, const struct planning *planning, struct error *error) MUST_CHECK;

/* "banned", "cannot-tell", "no-account", "waits", "not-valid", "coc-not-signed", "member",
 * "of-no-team". */
const char *login_outcome_word(enum login_outcome outcome);

#endif
