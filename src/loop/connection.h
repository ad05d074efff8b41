/*
 * The open connections of a server: bytes in, complete requests to a service, replies out. Knows
 * sockets and nothing of what the bytes mean.
 *
 * Invariant: a connection at rest owns no buffer. All read into one shared buffer and answer into
 * another; bytes are kept for a connection only while a request is partial, and output only while
 * its peer does not take it. What one peer can make us hold is bounded by the limits below, for how
 * long by the stall limit, and how long it can keep the loop by the budget.
 */
#ifndef LPALIAS_LOOP_CONNECTION_H
#define LPALIAS_LOOP_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/error.h"
#include "loop/loop.h"

/* Requests of one connection that are answered before others get their turn. */
#define CONNECTION_REQUEST_BUDGET 100
/* Nothing more is read from a peer, and no request of it answered, while more than this is unsent.
 */
#define CONNECTION_OUTPUT_MARK_BYTES (256 * 1024)

enum connection_step {
    CONNECTION_ANSWERED,  /* one request was taken off and its reply appended */
    CONNECTION_NEED_MORE, /* there is no complete request in the bytes */
    CONNECTION_BAD,       /* not the protocol: nothing after this can be trusted */
};

/* What answers the requests of a connection. */
struct connection_service {
    /*
     * Looks for one complete request at the start of bytes. ANSWERED: sets *ret_taken (at least
     * 1) and appends to out. Must not touch connections.
     */
    enum connection_step (*answer)(void *context, struct span bytes, struct buffer *out,
                                   size_t *ret_taken);
    void *context;
    size_t request_limit_bytes; /* a partial request that is longer counts as BAD */
};

struct connection_pool_settings {
    unsigned connection_limit; /* at least 1 */
    int64_t idle_limit_ms;     /* a peer that asks nothing for so long is dropped; > 0 */
    /*
     * A peer that has begun a request must end it within this, however many bytes it sends on the
     * way, and must take all of what is unsent at one moment; > 0.
     */
    int64_t stall_limit_ms;
};

struct connection_drain_limits {
    int64_t first_request_ms; /* age at which a connection that has not asked counts as idle */
    int64_t all_ms;           /* then the rest is closed, whatever it is at */
};

/* Counted since the pool was made. */
struct connection_counts {
    uint64_t opened;
    uint64_t evicted;                 /* dropped at the limit in favour of a new one */
    uint64_t evicted_for_descriptors; /* dropped by connection_pool_make_room() */
    uint64_t timed_out;               /* idle for too long */
    uint64_t stalled_requests;        /* begun and not ended in time */
    uint64_t stalled_replies;         /* not taken in time */
    uint64_t bad;
};

struct connection_pool;

/* Makes an empty pool. ERROR_TEMPORARY: libevent has no room for another kind of time limit. */
bool connection_pool_create(struct loop *loop, const struct connection_pool_settings *settings,
                            struct connection_pool **ret, struct error *error) MUST_CHECK;

/* Closes all connections at once, whatever is unsent. NULL is fine. */
void connection_pool_destroy(struct connection_pool *pool);

/*
 * Takes over fd, a connected non-blocking stream socket. service is borrowed for as long as the
 * pool lives. At the limit the connection that went longest without a request is dropped for it:
 * one without a request in hand if there is any, else after another turn of its own.
 */
void connection_pool_add(struct connection_pool *pool, int fd,
                         const struct connection_service *service);

/* Drops a connection as at the limit, for the sake of its descriptor. False: there is none. */
bool connection_pool_make_room(struct connection_pool *pool);

unsigned connection_pool_size(const struct connection_pool *pool);
struct connection_counts connection_pool_counts(const struct connection_pool *pool);

/*
 * Ends all connections without losing a request: a peer that has asked before can send no more,
 * what it had sent is answered, and the connection closes when its replies are sent. One that is
 * new is closed so after its first request, and one within a request after that. drained is called
 * once, from the loop, when none is left. To be called once, add nothing later.
 */
void connection_pool_drain(struct connection_pool *pool,
                           const struct connection_drain_limits *limits,
                           void (*drained)(void *context), void *context);

#endif
