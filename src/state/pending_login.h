/*
 * Logins under way: begun in a browser, and not come back from the provider yet. Each is known by a
 * random text in return_to, belongs to the browser that holds a random text in a cookie, and can be
 * finished once.
 */
#ifndef LPALIAS_STATE_PENDING_LOGIN_H
#define LPALIAS_STATE_PENDING_LOGIN_H

#include <stdint.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/error.h"
#include "state/state.h"

#define PENDING_LOGIN_LIMIT_S (15 * 60)

enum pending_login_answer {
    PENDING_LOGIN_TAKEN,
    PENDING_LOGIN_ABSENT,  /* unknown, finished before, or too old */
    PENDING_LOGIN_FOREIGN, /* begun in another browser; it stays */
    PENDING_LOGIN_TROUBLE,
};

/*
 * Begins one: login and browser are random texts (state/token.h), return_path is where to go
 * afterwards (at most 2000 bytes). ERROR_TEMPORARY: the database cannot be changed.
 */
bool pending_login_begin(struct state *state, const char *login, const char *browser,
                         const char *return_path, int64_t now_s, struct error *error) MUST_CHECK;

/* Takes it out, and appends its return path. */
enum pending_login_answer pending_login_take(struct state *state, const char *login,
                                             const char *browser, int64_t now_s,
                                             struct buffer *return_path,
                                             struct error *error) MUST_CHECK;

#endif
