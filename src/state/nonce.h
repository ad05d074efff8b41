/* Nonces of login answers: each counts once, in all processes, whatever crashes between. */
#ifndef LPALIAS_STATE_NONCE_H
#define LPALIAS_STATE_NONCE_H

#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "state/state.h"

/*
 * Notes that nonce came from endpoint, to be known until until_s (after which its own time makes it
 * too old). STATE_YES: it is new, and is on the disk; STATE_NO: it was used before.
 */
enum state_answer nonce_use(struct state *state, const char *endpoint, const char *nonce,
                            int64_t until_s, int64_t now_s, struct error *error) MUST_CHECK;

#endif
