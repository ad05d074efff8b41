/* How many lookups lpaliasd answers in a minute, by the counters of its metrics listener. */
#ifndef LPALIAS_PORTAL_LOOKUP_RATE_H
#define LPALIAS_PORTAL_LOOKUP_RATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "config/config.h"
#include "loop/loop.h"

#define LOOKUP_RATE_UNKNOWN (-1)

struct lookup_rate;

/* config is borrowed. Never NULL. */
struct lookup_rate *lookup_rate_create(struct loop *loop, const struct config *config);

/* A question under way is answered no more. NULL is fine. */
void lookup_rate_destroy(struct lookup_rate *rate);

/*
 * Asks for the lookups a minute since it was asked before. done is called once, at once where there
 * is no metrics listener; UNKNOWN: there is none, it does not answer, it was not asked before, or
 * lpaliasd began to count anew. Not before the one before was done.
 */
void lookup_rate_ask(struct lookup_rate *rate,
                     void (*done)(void *context, int64_t lookups_per_minute), void *context);

/* All lookups that an answer of /metrics counts. False: it is no whole good answer. */
bool lookup_rate_read_total(struct span answer, double *ret) MUST_CHECK;

#endif
