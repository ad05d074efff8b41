/*
 * The one place where wire and lookup meet: takes a request off the bytes of a connection, asks,
 * and writes the reply. What an answer becomes on the wire is decided here and nowhere else.
 */
#ifndef LPALIAS_SERVER_SESSION_H
#define LPALIAS_SERVER_SESSION_H

#include "lookup/lookup.h"
#include "loop/connection.h"
#include "server/counters.h"

struct session;

/*
 * Answers socketmap requests, whose map the request names. lookup and counters, which note each
 * request, are borrowed and must outlive the session; never NULL.
 */
struct session *session_create_socketmap(struct lookup *lookup, struct counters *counters);

/* Answers tcp_table requests from map, as that protocol has no name for it. Never NULL. */
struct session *session_create_tcp_table(struct lookup *lookup, struct counters *counters,
                                         enum lookup_map map);

/* Answers policy requests: whether a recipient is refused, from the map "access". Never NULL. */
struct session *session_create_policy(struct lookup *lookup, struct counters *counters);

/* Asks lookup from the next request on, on the same terms. */
void session_use(struct session *session, struct lookup *lookup);

void session_destroy(struct session *session);

/* What a connection pool calls. Lives as long as the session, which any number may share. */
const struct connection_service *session_service(const struct session *session);

#endif
