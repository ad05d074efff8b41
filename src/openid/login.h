/* A login that one browser has begun: what its answer must come back with. */
#ifndef LPALIAS_OPENID_LOGIN_H
#define LPALIAS_OPENID_LOGIN_H

#include <stddef.h>

#include "base/buffer.h"
#include "openid/provider.h"

struct openid_login {
    const char *return_to; /* URL without a query, below realm */
    const char *realm;     /* what the provider shows the person: the site's root */
    const char *state;     /* random, known to this browser alone; never empty */
};

/* return_to with the state as its only argument: what the provider is told, and repeats. */
void openid_login_append_return_to(const struct openid_login *login, struct buffer *out);

/*
 * The URL that the browser is sent to: checkid_setup for whoever the person chooses to be, with
 * nickname, address and full name by sreg 1.1, the validation of the account by AX, and which of
 * the teams (Launchpad names, none holds a comma) the person is in (facts 7.2).
 */
void openid_login_append_request_url(const struct openid_login *login,
                                     const struct openid_provider *provider,
                                     const char *const *teams, size_t team_count,
                                     struct buffer *out);

#endif
