/*
 * One question to a server over a stream socket: connected, sent, answered, closed. Never blocks,
 * and ends in exactly one call of finished() unless it is cancelled.
 */
#ifndef LPALIAS_LOOP_INQUIRY_H
#define LPALIAS_LOOP_INQUIRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "loop/listener.h"
#include "loop/loop.h"

struct inquiry;

struct inquiry_request {
    struct listener_address address;
    struct span question; /* bytes; copied */
    int64_t limit_ms;     /* from connecting to the whole answer */
    size_t limit_bytes;   /* of the answer */
    /* Whether bytes are the whole answer, or no answer at all; it is called after each read. */
    bool (*is_over)(struct span bytes);
    /*
     * bytes: what came, borrowed; of what is not over nothing. Never called from inquiry_start().
     */
    void (*finished)(void *context, struct span bytes);
    void *context;
};

/* Until finished() or inquiry_cancel(). Never NULL. */
struct inquiry *inquiry_start(struct loop *loop, const struct inquiry_request *request);

/* finished() is not called any more. NULL is fine. */
void inquiry_cancel(struct inquiry *inquiry);

#endif
