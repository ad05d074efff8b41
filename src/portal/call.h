/*
 * One request on its way through the portal. It begins with call_begin(), which asks everything
 * that the row of its route demands, and ends in exactly one of the call_answer functions of
 * portal/answer.h, at once or later; the call is gone then.
 */
#ifndef LPALIAS_PORTAL_CALL_H
#define LPALIAS_PORTAL_CALL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "loop/http_server.h"
#include "portal/admin_rights.h"
#include "portal/portal.h"
#include "portal/route.h"
#include "portal/session.h"

#define CALL_COOKIES_MAX 4

struct call {
    struct portal *portal;
    struct http_request *request;
    struct route_match match;
    bool is_logged_in;
    struct session session; /* when logged in */
    /* Of a route for admins: the cache for as long as the call lives, which ends in this turn. */
    struct snapshot *snapshot;
    struct admin_rights rights;
    struct buffer address;                   /* of the client, for limits */
    struct buffer cookies[CALL_COOKIES_MAX]; /* Set-Cookie values that go out with the answer */
    size_t cookie_count;
    int64_t now_s; /* when it came */
};

/* The hook of the HTTP server; context is the struct portal. */
void call_begin(void *context, struct http_request *request);

/* Of the path, decoded; borrowed from the call. */
const char *call_parameter(const struct call *call, size_t place);

/* Sends a session cookie with the answer: one with a new id after a login, or the same used now. */
void call_set_session(struct call *call, const struct session *session);

/* Takes the session cookie out of the browser with the answer. */
void call_clear_session(struct call *call);

/* The next Set-Cookie value to append to. */
struct buffer *call_add_cookie(struct call *call);

void call_free(struct call *call);

#endif
