/* What charts are drawn of: numbers, each with its series and its time. */
#ifndef LPALIAS_STATE_SAMPLE_H
#define LPALIAS_STATE_SAMPLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "state/state.h"

#define SAMPLE_SERIES_MAX_BYTES 300

/*
 * Notes value of series ("aliases ubuntu.com") at at_s, in place of what stood there, to be kept
 * until until_s. ERROR_INVALID: the name is too long; ERROR_TEMPORARY: the database cannot be
 * changed.
 */
bool sample_put(struct state *state, const char *series, int64_t at_s, int64_t value,
                int64_t until_s, struct error *error) MUST_CHECK;

/* Calls visit for each sample of series in [from_s, to_s], oldest first. False: cannot tell. */
bool sample_each(struct state *state, const char *series, int64_t from_s, int64_t to_s,
                 void (*visit)(void *context, int64_t at_s, int64_t value), void *context,
                 struct error *error) MUST_CHECK;

#endif
