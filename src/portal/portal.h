/*
 * The portal as a whole: everything between a configuration and a process that serves the site. One
 * thread, one loop; what waits for somebody else (login provider, Launchpad) goes through the
 * transfer pool and answers its call later.
 */
#ifndef LPALIAS_PORTAL_PORTAL_H
#define LPALIAS_PORTAL_PORTAL_H

#include <stdbool.h>
#include <sys/queue.h>

#include "base/compiler.h"
#include "base/error.h"
#include "config/config.h"
#include "loop/http_server.h"
#include "loop/loop.h"
#include "portal/session.h"
#include "state/state.h"

#define PORTAL_SECURITY_HEADERS_MAX 8

struct arrival;
struct cache;
struct handover;
struct status;
struct transfer_loop;
struct transfer_pool;

/* What handlers work with. */
struct portal {
    const struct config *config; /* borrowed */
    struct loop *loop;
    struct inherited *inherited;
    struct http_server *http;
    struct state *state;
    struct cache *cache;
    struct status *status;           /* what the public sees */
    struct transfer_pool *transfers; /* driven by the loop */
    struct transfer_loop *transfer_loop;
    LIST_HEAD(arrival_list, arrival) arrivals; /* logins that wait for somebody else */
    struct handover *handover;
    struct session_limits session_limits;
    const char *authority; /* host and port of config->portal.url, borrowed from it */
    bool is_https;
    char *content_security_policy;
    struct http_header security_headers[PORTAL_SECURITY_HEADERS_MAX]; /* of every answer */
    size_t security_header_count;
};

/*
 * Builds all parts and binds the listener; opens no database yet, so that this is done as the user
 * the portal runs as. config, which has a portal section, is borrowed. The errors are those
 * of http_server_listen() and loop_create().
 */
bool portal_create(const struct config *config, struct portal **ret,
                   struct error *error) MUST_CHECK;

/*
 * Opens the state database, confines the process (portal/confinement.h), says "ready" in the log
 * and to the service manager, and serves until SIGTERM or SIGINT; then the requests at hand are
 * answered before it returns. ERROR_INVALID, ERROR_TEMPORARY: the database cannot be opened, the
 * event loop failed.
 */
bool portal_run(struct portal *portal, struct error *error) MUST_CHECK;

/* NULL is fine. */
void portal_destroy(struct portal *portal);

#endif
