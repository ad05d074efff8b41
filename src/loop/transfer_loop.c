#include "loop/transfer_loop.h"

#include <event2/event.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "base/memory.h"

struct watch {
    struct transfer_loop *transfers;
    struct event *event;
    int fd;
    LIST_ENTRY(watch) entries;
};

struct transfer_loop {
    struct loop *loop;
    struct transfer_pool *pool;
    struct event *timer;
    LIST_HEAD(, watch) watches; /* as many as there are transfers under way */
};

static void on_ready(evutil_socket_t fd, short what, void *context)
{
    const struct watch *watch = context;
    transfer_pool_on_ready(watch->transfers->pool, fd, (what & EV_READ) != 0,
                           (what & EV_WRITE) != 0); /* watch may be gone afterwards */
}

static void on_timer(evutil_socket_t unused, short what, void *context)
{
    (void)unused;
    (void)what;
    const struct transfer_loop *transfers = context;
    transfer_pool_on_timer(transfers->pool);
}

static void unwatch(struct transfer_loop *transfers, int fd)
{
    struct watch *watch;
    LIST_FOREACH(watch, &transfers->watches, entries)
    if (watch->fd == fd)
        break;
    if (watch == NULL)
        return;
    LIST_REMOVE(watch, entries);
    event_free(watch->event);
    free(watch);
}

static void on_watch(void *context, int fd, bool readable, bool writable)
{
    struct transfer_loop *transfers = context;
    unwatch(transfers, fd);
    if (!readable && !writable)
        return;
    struct watch *watch = memory_new(1, sizeof(*watch));
    short what = (short)(EV_PERSIST | (readable ? EV_READ : 0) | (writable ? EV_WRITE : 0));
    *watch = (struct watch){.transfers = transfers, .fd = fd};
    watch->event = event_new(loop_base(transfers->loop), fd, what, on_ready, watch);
    if (watch->event == NULL || event_add(watch->event, NULL) != 0)
        abort(); /* an open descriptor needs nothing but memory */
    LIST_INSERT_HEAD(&transfers->watches, watch, entries);
}

static void on_set_timer(void *context, int64_t after_ms)
{
    struct transfer_loop *transfers = context;
    struct timeval after = {after_ms / 1000, (after_ms % 1000) * 1000};
    if (after_ms < 0)
        evtimer_del(transfers->timer);
    else if (event_add(transfers->timer, &after) != 0)
        abort(); /* a timer needs nothing but memory */
}

bool transfer_loop_create(struct loop *loop, struct transfer_pool *pool, struct transfer_loop **ret,
                          struct error *error)
{
    struct transfer_loop *transfers = memory_new(1, sizeof(*transfers));
    struct transfer_driver driver = {on_watch, on_set_timer, transfers};
    transfers->loop = loop;
    transfers->pool = pool;
    LIST_INIT(&transfers->watches);
    transfers->timer = evtimer_new(loop_base(loop), on_timer, transfers);
    if (transfers->timer == NULL)
        abort();
    if (!transfer_pool_drive(pool, &driver, error)) {
        transfer_loop_destroy(transfers);
        return false;
    }
    *ret = transfers;
    return true;
}

void transfer_loop_destroy(struct transfer_loop *transfers)
{
    if (transfers == NULL)
        return;
    while (!LIST_EMPTY(&transfers->watches))
        unwatch(transfers, LIST_FIRST(&transfers->watches)->fd);
    event_free(transfers->timer);
    free(transfers);
}
