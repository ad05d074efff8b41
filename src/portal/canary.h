/* Whether lpaliasd answers: a question that Postfix might ask, over the socket that it is asked by.
 */
#ifndef LPALIAS_PORTAL_CANARY_H
#define LPALIAS_PORTAL_CANARY_H

#include "config/config.h"
#include "loop/loop.h"

enum canary_answer {
    CANARY_ANSWERING,
    CANARY_TROUBLED, /* it says that it cannot tell */
    CANARY_UNKNOWN,  /* it cannot be reached, or says nothing in time */
};

struct canary;

/* config is borrowed. Never NULL. */
struct canary *canary_create(struct loop *loop, const struct config *config);

/* A question under way is answered no more. NULL is fine. */
void canary_destroy(struct canary *canary);

/*
 * Asks about a name that nobody has in domain, which is open, so that only a server that reads its
 * cache knows; or, domain NULL, about a role. done is called once, from the loop. Not before the
 * one before was done.
 */
void canary_ask(struct canary *canary, const char *domain,
                void (*done)(void *context, enum canary_answer answer), void *context);

/* "answering" and so on, as the status says it. */
const char *canary_answer_name(enum canary_answer answer);

#endif
