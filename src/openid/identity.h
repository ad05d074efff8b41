/* Who has logged in, as the provider has signed it. */
#ifndef LPALIAS_OPENID_IDENTITY_H
#define LPALIAS_OPENID_IDENTITY_H

#include <stddef.h>

#include "openid/form.h"

enum openid_identity_verified {
    OPENID_IDENTITY_NOT_SAID, /* no word of it */
    OPENID_IDENTITY_UNVERIFIED,
    OPENID_IDENTITY_VERIFIED,
};

/*
 * NULL is what was not told: the person would not tell it, or has no Launchpad profile (nickname).
 * Names and addresses change hands; claimed_id is what an account is keyed by (facts 7.5, 8).
 * Whoever uses the nickname asks Launchpad first, whose it is now.
 */
struct openid_identity {
    char *claimed_id;
    char *nickname;
    char *email;
    char *fullname;
    enum openid_identity_verified email_verified; /* that the account has proven its address */
    bool teams_told; /* false: cannot tell. True with no team: in none of those asked for */
    char **teams;
    size_t team_count;
};

/*
 * Reads the openid fields of a form that passed the checks of an answer. An attribute counts only
 * if it and the namespace of its alias are signed, and the alias is whatever the namespace says
 * (facts 7.5, 7). To be finished.
 */
void openid_identity_read(const struct openid_form *form, struct openid_identity *ret);

/* Frees what the identity holds and zeroes it. */
void openid_identity_finish(struct openid_identity *identity);

#endif
