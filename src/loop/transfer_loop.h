/* A pool of transfers on the event loop: what transfer/driver.h asks for, with libevent. */
#ifndef LPALIAS_LOOP_TRANSFER_LOOP_H
#define LPALIAS_LOOP_TRANSFER_LOOP_H

#include "loop/loop.h"
#include "transfer/driver.h"

struct transfer_loop;

/*
 * From now on loop drives pool. The pool is to be destroyed first, then this, then the loop. The
 * errors of transfer_pool_drive().
 */
bool transfer_loop_create(struct loop *loop, struct transfer_pool *pool, struct transfer_loop **ret,
                          struct error *error) MUST_CHECK;

/* NULL is fine. */
void transfer_loop_destroy(struct transfer_loop *transfers);

#endif
