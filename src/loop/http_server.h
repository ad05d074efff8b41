/*
 * An HTTP/1.1 server on the loop, for use behind a TLS proxy or on this host. Whatever its peers
 * do, none takes more memory or time than the settings allow, and none holds up another: a request
 * counts from its first byte to its last, and so does the taking of an answer. Each request that is
 * handed out is answered exactly once, at once or at any later time.
 *
 * What is no HTTP, or too long, or ends at another place for others than for us (two lengths, a
 * chunked body) is answered with a bare page and "Connection: close" (400, 411, 413, 417, 501); no
 * handler sees it.
 */
#ifndef LPALIAS_LOOP_HTTP_SERVER_H
#define LPALIAS_LOOP_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/error.h"
#include "loop/inherited.h"
#include "loop/listener.h"
#include "loop/loop.h"

struct http_header {
    const char *name;
    const char *value;
};

struct http_server_settings {
    /* At least 1. At the limit the longest-resting connection is closed, so that a new one can
     * come; when none rests, more wait in the listening socket. */
    unsigned connection_limit;
    size_t header_limit_bytes; /* request line and headers */
    size_t body_limit_bytes;
    int64_t request_limit_ms; /* from a request's first byte to its last, and of an answer alike */
    int64_t idle_limit_ms;    /* of a connection between two requests */
    /* What libevent's own answers say besides; borrowed for as long as the server lives. */
    const struct http_header *bare_headers;
    size_t bare_header_count;
};

struct http_request;
struct http_server;

struct http_server_hooks {
    /* request lives until http_request_answer(). */
    void (*handle)(void *context, struct http_request *request);
    /* Connections cannot be accepted for now; it is tried again in a second. */
    void (*troubled)(void *context, const char *text);
    void *context;
};

struct http_answer {
    unsigned status; /* 200..599 */
    const struct http_header *headers;
    size_t header_count;
    struct span body; /* of the answer to a HEAD only its length is sent */
};

/* Listens nowhere yet; hooks are copied. ERROR_TEMPORARY: no memory for it. */
bool http_server_create(struct loop *loop, const struct http_server_settings *settings,
                        const struct http_server_hooks *hooks, struct http_server **ret,
                        struct error *error) MUST_CHECK;

/*
 * Listens on address, with the socket that inherited has for it, or a new one. The errors of
 * listener_create().
 */
bool http_server_listen(struct http_server *server, const struct listener_address *address,
                        struct inherited *inherited, struct error *error) MUST_CHECK;

/* As listener_name(), of the listener of that place among those that were made. Borrowed. */
const char *http_server_listener_name(const struct http_server *server, size_t place);

/* Connections open now, and all that were taken. */
unsigned http_server_size(const struct http_server *server);
uint64_t http_server_accepted(const struct http_server *server);

/*
 * Stops listening, closes connections at rest, and lets the requests at hand be answered. drained
 * (or NULL) is called once, from the loop, when no connection is left or limit_ms is over. To be
 * called once.
 */
void http_server_drain(struct http_server *server, int64_t limit_ms, void (*drained)(void *context),
                       void *context);

/* Closes everything; requests that are not answered yet are gone. NULL is fine. */
void http_server_destroy(struct http_server *server);

/* All that follows is borrowed until the request is answered. */

/* "GET", "HEAD", "POST" and so on; unknown ones do not come here. */
const char *http_request_method(const struct http_request *request);

/* As sent, nothing decoded: what stands before the "?", and behind it ("" when there is none). */
const char *http_request_path(const struct http_request *request);
const char *http_request_query(const struct http_request *request);

/*
 * The value of the last header of that name (any case), or NULL: of X-Forwarded-For that is the
 * proxy's, whatever its client sent.
 */
const char *http_request_header(const struct http_request *request, const char *name);

/* How many headers have that name. */
size_t http_request_header_count(const struct http_request *request, const char *name);

/* Exactly one Host, or none in HTTP/1.0 (RFC 9112 3.2); evhttp takes requests without that. */
bool http_request_has_valid_host(const struct http_request *request);

struct span http_request_body(const struct http_request *request);

/* Numeric address of the other end, an IPv4 one mapped into IPv6 as IPv4; "" of a unix socket. */
const char *http_request_peer(const struct http_request *request);

/*
 * Sends the answer, of which nothing is kept, and frees the request. A peer that has gone meanwhile
 * makes no difference. A header with a line break in it is left out and logged, as that is our bug.
 */
void http_request_answer(struct http_request *request, const struct http_answer *answer);

#endif
