/*
 * A session is a cookie that only we can make: sealed with XChaCha20-Poly1305 by a key of the state
 * database, with the cookie's name as associated data. Nothing of it stands anywhere else but that
 * it ended (state/session_end.h). It ends when it is not used for a while, and after a limit in any
 * case.
 */
#ifndef LPALIAS_PORTAL_SESSION_H
#define LPALIAS_PORTAL_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "state/state.h"

#define SESSION_ID_BYTES          16
#define SESSION_ACCOUNT_MAX_BYTES 400
#define SESSION_NAME_MAX_BYTES    200
#define SESSION_ADDRESS_MAX_BYTES 320
#define SESSION_FOUND_MAX_BYTES   24
#define SESSION_CSRF_TEXT_BYTES   44

struct session {
    unsigned char id[SESSION_ID_BYTES]; /* new at each login */
    int64_t begun_s;
    int64_t used_s;
    int64_t epoch;                               /* see state/session_end.h */
    bool is_admin;                               /* of all domains, as the login said */
    char account[SESSION_ACCOUNT_MAX_BYTES + 1]; /* the claimed identifier */
    char name[SESSION_NAME_MAX_BYTES + 1];       /* on Launchpad; "": has none */
    /* What the login brought, for as long as the session lives and nowhere else. */
    char address[SESSION_ADDRESS_MAX_BYTES + 1]; /* that the provider vouches for, or "" */
    char found[SESSION_FOUND_MAX_BYTES + 1];     /* login_outcome_word(), or "" */
};

struct session_limits {
    int64_t idle_s;
    int64_t total_s;
};

/* A session that begins now, with a new id and nothing that the login brought. The texts are cut at
 * their limits by nobody: they fit. */
struct session session_new(const char *account, const char *name, bool is_admin, int64_t epoch,
                           int64_t now_s);

/* Appends the sealed session: base64 for URLs. */
void session_seal(const struct session *session, const unsigned char key[STATE_KEY_BYTES],
                  const char *cookie_name, struct buffer *out);

/*
 * Opens what session_seal() made. False: it is not ours, or of another cookie, or altered, or over
 * at now_s; one that was begun or used in the future is over as well.
 */
bool session_open(const char *sealed, const unsigned char key[STATE_KEY_BYTES],
                  const char *cookie_name, const struct session_limits *limits, int64_t now_s,
                  struct session *ret) MUST_CHECK;

/* Whether the cookie should be sent anew, so that the idle time counts from now. */
bool session_wants_renewal(const struct session *session, const struct session_limits *limits,
                           int64_t now_s) MUST_CHECK;

/* The text that has to come with every request that changes something. Returns text. */
const char *session_csrf(const struct session *session, const unsigned char key[STATE_KEY_BYTES],
                         char text[SESSION_CSRF_TEXT_BYTES]);

/* Whether given (may be NULL) is that text; takes the same time whatever it is. */
bool session_csrf_is(const struct session *session, const unsigned char key[STATE_KEY_BYTES],
                     const char *given) MUST_CHECK;

#endif
