/*
 * Token buckets: how often something may be done. A bucket begins full, each act takes a token, and
 * tokens come back one by one. Shared by all processes, and not emptied by a restart.
 */
#ifndef LPALIAS_STATE_BUCKET_H
#define LPALIAS_STATE_BUCKET_H

#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "state/state.h"

struct bucket_rate {
    const char *name;   /* of what is limited */
    int64_t capacity;   /* tokens, at least 1 */
    int64_t interval_s; /* until one token comes back */
};

/*
 * Takes a token of subject (an address, a person). STATE_YES: there was one; STATE_NO: there was
 * none, *ret_wait_s says when the next one comes. A clock that went back gives no tokens and takes
 * none.
 */
enum state_answer bucket_take(struct state *state, const struct bucket_rate *rate,
                              const char *subject, int64_t now_s, int64_t *ret_wait_s,
                              struct error *error) MUST_CHECK;

#endif
