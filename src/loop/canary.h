/*
 * A server that asks itself: one question after the other, each over a new connection to one of its
 * own listeners, so that an answer proves all that a client needs: the queue of the listener, the
 * accepting, a descriptor, the turns of the loop, the reading, the answering and the sending.
 */
#ifndef LPALIAS_LOOP_CANARY_H
#define LPALIAS_LOOP_CANARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "loop/listener.h"
#include "loop/loop.h"

/* Periods after which a question counts as not answered: a server may be busy for a moment. */
#define CANARY_PATIENCE_PERIODS 2

struct canary_settings {
    struct listener *listener; /* borrowed */
    struct span question;      /* copied; small enough for the buffer of any socket */
    bool (*is_whole)(struct span reply);
    int64_t period_ms; /* between two questions; > 0 */
    /* A whole answer came, whatever it says. */
    void (*answered)(void *context);
    /* None came for CANARY_PATIENCE_PERIODS, and why; called once, until one comes again. */
    void (*silent)(void *context, const char *why);
    /*
     * Called once, if ever: the listener is out of this process's reach. From then on the questions
     * come over a socket pair and prove all but the listener.
     */
    void (*out_of_reach)(void *context, const char *why);
    void *context;
};

struct canary;

/* Asks at once, and then until canary_destroy(). Never NULL. */
struct canary *canary_create(struct loop *loop, const struct canary_settings *settings);

/* To be called before listener and loop go, and before the listener stops. NULL is fine. */
void canary_destroy(struct canary *canary);

#endif
