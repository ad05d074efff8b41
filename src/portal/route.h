/*
 * Which handler answers what. What a handler may take for granted stands in its row, so that none
 * can forget to ask; a row that says nothing of it is the strictest.
 */
#ifndef LPALIAS_PORTAL_ROUTE_H
#define LPALIAS_PORTAL_ROUTE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

struct call;

enum route_access {
    ROUTE_ADMIN,  /* logged in, and admin of all domains or at least of one */
    ROUTE_MEMBER, /* logged in */
    ROUTE_ANYONE,
};

/* Of which kind a request counts for the limits of portal/rate.h. */
enum route_rate {
    ROUTE_RATE_BY_METHOD, /* a write, unless it is a GET, which is not limited */
    ROUTE_RATE_LOGIN,
    ROUTE_RATE_PROOF_MAIL,
    ROUTE_RATE_LONG_READ,
};

struct route {
    const char *method; /* GET answers HEAD as well, and changes nothing */
    const char *path;   /* "/api/addresses/{address}": braces stand for one segment */
    enum route_access access;
    /*
     * All but GET need the session's CSRF token and our own origin, except where the browser is
     * sent here by the login provider.
     */
    bool is_posted_by_provider;
    enum route_rate rate;
    void (*handle)(struct call *call);
};

#define ROUTE_PARAMETERS_MAX      4
#define ROUTE_PARAMETER_MAX_BYTES 320

struct route_match {
    const struct route *route; /* or NULL */
    const char *allowed[8];    /* methods of the path; NULL-ended; empty: no such path */
    char *parameters[ROUTE_PARAMETERS_MAX]; /* decoded, in the order of the path */
};

/*
 * The route of method and path, which is as sent. A parameter is UTF-8 without control characters
 * and "/", neither "." nor ".."; anything else is no path of ours. Caller finishes *ret.
 */
void route_find(const struct route *routes, size_t count, const char *method, const char *path,
                struct route_match *ret);

void route_match_finish(struct route_match *match);

/* The portal's own table, portal/routes.c. */
extern const struct route portal_routes[];
extern const size_t portal_route_count;

#endif
