/*
 * Somebody who comes back from the login provider: the answer is judged, the provider asked whether
 * it is its own, Launchpad asked who it is, and then there is a session, or a reason why not.
 * Meanwhile the call waits, and holds up nobody.
 */
#ifndef LPALIAS_PORTAL_ARRIVAL_H
#define LPALIAS_PORTAL_ARRIVAL_H

#include <stdint.h>
#include <sys/queue.h>

#include "openid/assertion.h"
#include "portal/call.h"

struct person_look;

struct arrival {
    LIST_ENTRY(arrival) entry; /* of portal->arrivals */
    struct call *call;
    struct buffer return_path;
    struct openid_assertion *assertion;
    struct person_look *look; /* while Launchpad is asked */
    int64_t asked_s;          /* when it was */
    uint64_t asked_generation;
};

/* GET and POST of LOGIN_RETURN_PATH. */
void arrival_begin(struct call *call);

/* Ends the call at the first page, which says why; the arrival is gone. */
void arrival_end_by_problem(struct arrival *arrival, const char *code);

/* Ends it at where the person wanted to go. */
void arrival_end(struct arrival *arrival);

/* Frees all that are under way; the transfers are gone already, and so will be the requests. */
void arrival_abandon_all(struct portal *portal);

#endif
