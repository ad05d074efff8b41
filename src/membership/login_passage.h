/*
 * Inside membership only: one login on its way. login_plan.c decides what comes of it,
 * login_account.c whose account it is, login_membership.c what follows in the domains.
 */
#ifndef LPALIAS_MEMBERSHIP_LOGIN_PASSAGE_H
#define LPALIAS_MEMBERSHIP_LOGIN_PASSAGE_H

#include "membership/login_plan.h"
#include "membership/rename.h"

struct login_passage {
    struct login_request *request;
    const struct planning *planning;

    /* The name that the identifier was pinned to so far, and its row. */
    bool has_pinned;
    char *pinned_name;
    struct person_record pinned;

    bool has_person;
    struct person_record before, person; /* of the name as it is now: as it was, as it is to be */
    bool is_account_banned;              /* under this name, the pinned one, or another one */

    /* What the name is to the cache; none of them: the account it was, or a new one. */
    bool is_rename;          /* row 4, proven by the identifier: from the pinned name */
    bool is_another_account; /* row 3: another date_created than before */
    bool is_another_login;   /* row 3: the same date_created and another identifier */
    bool waits;              /* only listings can tell */
    struct rename rename;    /* of is_rename; texts are borrowed */

    bool is_changed; /* the person's row */
    /* What person borrows: targets sealed anew. */
    struct buffer taken_over, vouched;
};

/* Reads the rows and says whose account it is. ERROR_TEMPORARY: the cache. */
bool login_account_find(struct login_passage *passage, struct error *error) MUST_CHECK;

/* Makes passage->person. Errors as login_plan. */
bool login_account_make(struct login_passage *passage, struct error *error) MUST_CHECK;

/* The vouched-for address becomes a target of passage->person if it has no proven one. */
bool login_account_add_vouched(struct login_passage *passage, struct error *error) MUST_CHECK;

/*
 * Appends the vouched-for address in canonical form; nothing if there is none that mail can be sent
 * to: not verified, no legal one, or in a domain of ours. ERROR_TEMPORARY: the cache.
 */
bool login_account_vouched(const struct login_passage *passage, struct buffer *out,
                           struct error *error) MUST_CHECK;

/* Puts the rows of people and logins. ERROR_TEMPORARY: the cache. */
bool login_account_put(const struct login_passage *passage, struct error *error) MUST_CHECK;

/* The login of a banned account is known from now on, so that the ban goes with it. */
void login_account_pin_banned(const struct login_passage *passage);

/* Puts what follows in all domains. Errors as login_plan. */
bool login_membership_plan(const struct login_passage *passage, struct error *error) MUST_CHECK;

#endif
