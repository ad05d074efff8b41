/* Whether lpaliasd answers: a question that Postfix might ask, over the socket that it is asked by.
 */
#ifndef LPALIAS_PORTAL_LOOKUP_PROBE_H
#define LPALIAS_PORTAL_LOOKUP_PROBE_H

#include "config/config.h"
#include "loop/loop.h"

enum probe_answer {
    PROBE_ANSWERING,
    PROBE_TROUBLED, /* it says that it cannot tell */
    PROBE_UNKNOWN,  /* it cannot be reached, or says nothing in time */
};

struct lookup_probe;

/* config is borrowed. Never NULL. */
struct lookup_probe *lookup_probe_create(struct loop *loop, const struct config *config);

/* A question under way is answered no more. NULL is fine. */
void lookup_probe_destroy(struct lookup_probe *probe);

/*
 * Asks about a name that nobody has in domain, which is open, so that only a server that reads its
 * cache knows; or, domain NULL, about a role. done is called once, from the loop. Not before the
 * one before was done.
 */
void lookup_probe_ask(struct lookup_probe *probe, const char *domain,
                      void (*done)(void *context, enum probe_answer answer), void *context);

/* "answering" and so on, as the status says it. */
const char *probe_answer_name(enum probe_answer answer);

#endif
