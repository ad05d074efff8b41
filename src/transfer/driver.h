/*
 * Driving a pool of transfers from an event loop instead of transfer_pool_run(): the pool says what
 * it waits for, the loop says when that came. Nothing blocks then, name resolution included
 * (libcurl does it in threads of its own).
 */
#ifndef LPALIAS_TRANSFER_DRIVER_H
#define LPALIAS_TRANSFER_DRIVER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"

struct transfer_pool;

struct transfer_driver {
    /*
     * From now on transfer_pool_on_ready() is to be called whenever fd is as said, and for nothing
     * that was wanted of fd before. Neither: fd is watched no more.
     */
    void (*watch)(void *context, int fd, bool readable, bool writable);
    /* transfer_pool_on_timer() is to be called once after so long, and at no time that was wanted
     * before; negative: at none. Never to be called from within the hook. */
    void (*set_timer)(void *context, int64_t after_ms);
    void *context;
};

/*
 * Hands the pool to a loop, for good: transfer_pool_run() is not for it any more, and what is
 * started begins at once. driver is copied; its hooks are called until transfer_pool_destroy() has
 * returned. To be called before the first start. ERROR_INVALID: this libcurl resolves names in the
 * calling thread, which would block the loop.
 */
bool transfer_pool_drive(struct transfer_pool *pool, const struct transfer_driver *driver,
                         struct error *error) MUST_CHECK;

/* Both may call finished() of exchanges. */
void transfer_pool_on_ready(struct transfer_pool *pool, int fd, bool readable, bool writable);
void transfer_pool_on_timer(struct transfer_pool *pool);

#endif
