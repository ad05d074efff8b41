/*
 * Sessions that ended before their time. A session itself is a sealed cookie and stands nowhere, so
 * what stands here is what makes a copy of the cookie worthless.
 */
#ifndef LPALIAS_STATE_SESSION_END_H
#define LPALIAS_STATE_SESSION_END_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/error.h"
#include "state/state.h"

/* Log out: the session of that id counts as ended; until_s is when it would have ended anyway. */
bool session_end(struct state *state, struct span id, int64_t until_s,
                 struct error *error) MUST_CHECK;

/* Log out everywhere: sessions of account that hold an epoch from before count no more. */
bool session_end_all(struct state *state, const char *account, struct error *error) MUST_CHECK;

/* The epoch that a session of account must hold; 0 to begin with. False: cannot tell. */
bool session_epoch(struct state *state, const char *account, int64_t *ret,
                   struct error *error) MUST_CHECK;

/* STATE_YES: neither of both ended it. */
enum state_answer session_goes_on(struct state *state, struct span id, const char *account,
                                  int64_t epoch, int64_t now_s, struct error *error) MUST_CHECK;

#endif
