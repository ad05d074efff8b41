/*
 * The lookup server as a whole: everything between a configuration and a process that answers.
 * It holds nothing that it could lose, and answers whatever state the cache is in.
 */
#ifndef LPALIAS_SERVER_SERVER_H
#define LPALIAS_SERVER_SERVER_H

#include <stdbool.h>

#include "base/compiler.h"
#include "base/error.h"
#include "config/config.h"

struct server;

/*
 * Builds all parts and binds all listeners; opens no cache yet, so that this is done as the user
 * the server runs as. config is borrowed for as long as the server lives. ERROR_INVALID: config has
 * no listener; else the errors of listener_create() and loop_create().
 */
bool server_create(const struct config *config, struct server **ret,
                   struct error *error) MUST_CHECK;

/*
 * Says "ready" in the log and answers until SIGTERM or SIGINT; then every request that has come
 * is answered before it returns. SIGHUP: reads the configuration file again and takes all of it
 * over or nothing (server/reload.h). ERROR_TEMPORARY: the event loop failed.
 */
bool server_run(struct server *server, struct error *error) MUST_CHECK;

/* NULL is fine. */
void server_destroy(struct server *server);

#endif
