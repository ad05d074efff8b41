/*
 * The listener of the pages for monitoring, with connections of its own: however many scrapers come
 * and however slow they are, they take none of Postfix's places.
 */
#ifndef LPALIAS_SERVER_STATUS_LISTENER_H
#define LPALIAS_SERVER_STATUS_LISTENER_H

#include "config/config.h"
#include "loop/inherited.h"
#include "server/status_pages.h"

struct status_listener;

/*
 * Listens at config, with the socket that inherited has for it or a new one; hooks are copied.
 * Errors as http_server_create() and http_server_listen().
 */
bool status_listener_create(struct loop *loop, struct inherited *inherited,
                            const struct config_listener *config, const struct status_hooks *hooks,
                            struct status_listener **ret, struct error *error) MUST_CHECK;

/* Takes no more connections, and lets go of those at rest. NULL is fine. */
void status_listener_stop(struct status_listener *status);
void status_listener_destroy(struct status_listener *status);

/* As listener_name(). */
const char *status_listener_name(const struct status_listener *status);

/* Connections taken, and times that none could be, since it was made. */
uint64_t status_listener_accepted(const struct status_listener *status);
uint64_t status_listener_accept_failures(const struct status_listener *status);

#endif
