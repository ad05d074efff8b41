#include "loop/connection.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"

enum { RECEIVE_BYTES = 64 * 1024 };

/* Which bytes a connection still waits for. */
enum input_state {
    INPUT_OPEN,    /* reading */
    INPUT_PENDING, /* kept bytes may hold a complete request: answered before more is read */
    INPUT_OVER,    /* end of file, or BAD: closes as soon as the output is sent */
};

struct connection {
    struct connection_pool *pool;
    const struct connection_service *service;
    TAILQ_ENTRY(connection) by_idleness; /* in pool->open, or in pool->closed */
    TAILQ_ENTRY(connection) in_line;     /* in pool->line if is_in_line */
    struct event event;
    struct buffer kept;   /* received, not yet answered */
    struct buffer unsent; /* answered, not yet taken by the peer */
    int fd;
    short watched; /* what event is set for, 0 when it is not added */
    enum input_state input;
    bool at_end; /* the peer sends no more */
    bool is_in_line;
};

TAILQ_HEAD(connection_list, connection);

struct connection_pool {
    struct event_base *base;
    struct connection_list open; /* the longest-idle one first */
    struct connection_list line; /* each gets a turn after the next poll for events */
    unsigned line_length;
    struct connection_list closed; /* unlinked from all else, freed after the turn */
    struct event *next_turn;
    const struct timeval *idle_limit;
    unsigned connection_limit;
    unsigned size;
    struct connection_counts counts;
    struct buffer out; /* replies of the connection at hand */
    struct event *drain_limit;
    void (*drained)(void *context);
    void *drained_context;
    char received[RECEIVE_BYTES];
};

static void wake_next_turn(struct connection_pool *pool)
{
    event_add(pool->next_turn, &(struct timeval){0, 0});
}

static void stand_in_line(struct connection *c)
{
    if (c->is_in_line)
        return;
    TAILQ_INSERT_TAIL(&c->pool->line, c, in_line);
    c->pool->line_length++;
    c->is_in_line = true;
    wake_next_turn(c->pool);
}

static void leave_line(struct connection *c)
{
    if (!c->is_in_line)
        return;
    TAILQ_REMOVE(&c->pool->line, c, in_line);
    c->pool->line_length--;
    c->is_in_line = false;
}

/* The struct itself lives until the next turn, as a caller up the stack may hold it. */
static void drop(struct connection *c)
{
    struct connection_pool *pool = c->pool;
    if (c->watched != 0)
        event_del(&c->event);
    leave_line(c);
    TAILQ_REMOVE(&pool->open, c, by_idleness);
    TAILQ_INSERT_TAIL(&pool->closed, c, by_idleness);
    close(c->fd);
    buffer_finish(&c->kept);
    buffer_finish(&c->unsent);
    pool->size--;
    wake_next_turn(pool);
}

static void free_closed(struct connection_pool *pool)
{
    while (!TAILQ_EMPTY(&pool->closed)) {
        struct connection *c = TAILQ_FIRST(&pool->closed);
        TAILQ_REMOVE(&pool->closed, c, by_idleness);
        free(c);
    }
}

/* False: the connection is broken. *ret holds all that is not answered yet, perhaps nothing. */
static bool receive(struct connection *c, struct span *ret)
{
    char *received = c->pool->received;
    ssize_t got = recv(c->fd, received, RECEIVE_BYTES, 0);
    if (got < 0 && errno != EAGAIN && errno != EINTR)
        return false;
    c->at_end = got == 0;
    size_t length = got > 0 ? (size_t)got : 0;
    *ret = (struct span){received, length};
    if (c->kept.length > 0) {
        buffer_append(&c->kept, received, length);
        *ret = (struct span){c->kept.data, c->kept.length};
    }
    return true;
}

static bool is_full(const struct connection *c)
{
    return c->unsent.length + c->pool->out.length > CONNECTION_OUTPUT_MARK_BYTES;
}

/* Answers what is complete in bytes within the budget. Returns how many bytes are done with. */
static size_t answer(struct connection *c, struct span bytes)
{
    const struct connection_service *service = c->service;
    size_t used = 0;
    unsigned left = CONNECTION_REQUEST_BUDGET;
    c->input = c->at_end ? INPUT_OVER : INPUT_OPEN;
    while (used < bytes.length) {
        if (left-- == 0 || is_full(c)) {
            c->input = INPUT_PENDING;
            break;
        }
        struct span rest = {bytes.data + used, bytes.length - used};
        size_t taken = 0;
        enum connection_step step = service->answer(service->context, rest, &c->pool->out, &taken);
        if (step == CONNECTION_NEED_MORE && rest.length <= service->request_limit_bytes)
            break;
        if (step != CONNECTION_ANSWERED) {
            c->input = INPUT_OVER;
            c->pool->counts.bad++;
            return bytes.length;
        }
        used += taken;
    }
    return c->input == INPUT_OVER ? bytes.length : used;
}

static void keep_rest(struct connection *c, struct span bytes, size_t used)
{
    if (c->kept.length == 0)
        buffer_append(&c->kept, bytes.data + used, bytes.length - used);
    else
        buffer_consume(&c->kept, used);
    if (c->kept.length == 0)
        buffer_finish(&c->kept);
}

/* One send(); what the socket does not take is kept. False: the connection is broken. */
static bool send_replies(struct connection *c)
{
    struct buffer *out = &c->pool->out;
    ssize_t sent = 0;
    if (out->length > 0 && c->unsent.length == 0)
        sent = send(c->fd, out->data, out->length, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR)
        return false;
    size_t done = sent > 0 ? (size_t)sent : 0;
    buffer_append(&c->unsent, out->data + done, out->length - done);
    return true;
}

static bool send_unsent(struct connection *c)
{
    ssize_t sent = send(c->fd, c->unsent.data, c->unsent.length, MSG_NOSIGNAL);
    if (sent < 0)
        return errno == EAGAIN || errno == EINTR;
    buffer_consume(&c->unsent, (size_t)sent);
    if (c->unsent.length == 0)
        buffer_finish(&c->unsent);
    return true;
}

static void on_event(evutil_socket_t fd, short what, void *context);

static bool watch(struct connection *c, short wanted)
{
    if (c->watched == wanted)
        return true;
    if (c->watched != 0)
        event_del(&c->event);
    c->watched = 0;
    if (wanted == 0)
        return true;
    event_assign(&c->event, c->pool->base, c->fd, wanted | EV_PERSIST, on_event, c);
    if (event_add(&c->event, c->pool->idle_limit) != 0)
        return false;
    c->watched = wanted;
    return true;
}

/* Arranges what the connection waits for next, or ends it. */
static void settle(struct connection *c)
{
    if (c->input == INPUT_OVER && c->unsent.length == 0) {
        drop(c);
        return;
    }
    bool may_go_on = c->unsent.length <= CONNECTION_OUTPUT_MARK_BYTES;
    if (c->input == INPUT_PENDING && may_go_on)
        stand_in_line(c);
    short reading = c->input == INPUT_OPEN && may_go_on ? EV_READ : 0;
    short writing = c->unsent.length > 0 ? EV_WRITE : 0;
    if (!watch(c, reading | writing))
        drop(c);
}

static void take_turn(struct connection *c)
{
    struct connection_pool *pool = c->pool;
    struct span bytes = {c->kept.data, c->kept.length};
    if (c->input == INPUT_OPEN && !receive(c, &bytes)) {
        drop(c);
        return;
    }
    buffer_clear(&pool->out);
    size_t used = answer(c, bytes);
    keep_rest(c, bytes, used);
    if (pool->out.length > 0) {
        TAILQ_REMOVE(&pool->open, c, by_idleness);
        TAILQ_INSERT_TAIL(&pool->open, c, by_idleness);
    }
    bool sent = send_replies(c);
    buffer_clear(&pool->out);
    if (sent)
        settle(c);
    else
        drop(c);
}

static void on_event(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    struct connection *c = context;
    if (what == EV_TIMEOUT) {
        c->pool->counts.timed_out++;
        drop(c);
    } else if ((what & EV_WRITE) != 0 && !send_unsent(c)) {
        drop(c);
    } else if ((what & EV_READ) != 0) {
        take_turn(c);
    } else {
        settle(c);
    }
}

static void on_next_turn(evutil_socket_t unused, short what, void *context)
{
    (void)unused;
    (void)what;
    struct connection_pool *pool = context;
    free_closed(pool);
    /* Who lines up again below waits for the turn after this one. */
    for (unsigned left = pool->line_length; left > 0; left--) {
        struct connection *c = TAILQ_FIRST(&pool->line);
        leave_line(c);
        take_turn(c);
    }
    if (pool->drained != NULL && pool->size == 0) {
        void (*drained)(void *) = pool->drained;
        pool->drained = NULL;
        drained(pool->drained_context);
    }
}

static void drop_all(struct connection_pool *pool)
{
    while (!TAILQ_EMPTY(&pool->open))
        drop(TAILQ_FIRST(&pool->open));
}

static void on_drain_limit(evutil_socket_t unused, short what, void *context)
{
    (void)unused;
    (void)what;
    drop_all(context);
}

bool connection_pool_create(struct loop *loop, const struct connection_pool_settings *settings,
                            struct connection_pool **ret, struct error *error)
{
    struct connection_pool *pool = memory_new(1, sizeof(*pool));
    pool->base = loop_base(loop);
    pool->connection_limit = settings->connection_limit;
    TAILQ_INIT(&pool->open);
    TAILQ_INIT(&pool->line);
    TAILQ_INIT(&pool->closed);
    struct timeval idle_limit = {settings->idle_limit_ms / 1000,
                                 (settings->idle_limit_ms % 1000) * 1000};
    pool->idle_limit = event_base_init_common_timeout(pool->base, &idle_limit);
    pool->next_turn = evtimer_new(pool->base, on_next_turn, pool);
    pool->drain_limit = evtimer_new(pool->base, on_drain_limit, pool);
    if (pool->idle_limit == NULL || pool->next_turn == NULL || pool->drain_limit == NULL) {
        connection_pool_destroy(pool);
        return error_set(error, ERROR_TEMPORARY, "cannot set up an idle limit of %lld ms",
                         (long long)settings->idle_limit_ms);
    }
    *ret = pool;
    return true;
}

void connection_pool_destroy(struct connection_pool *pool)
{
    if (pool == NULL)
        return;
    drop_all(pool);
    free_closed(pool);
    if (pool->next_turn != NULL)
        event_free(pool->next_turn);
    if (pool->drain_limit != NULL)
        event_free(pool->drain_limit);
    buffer_finish(&pool->out);
    free(pool);
}

void connection_pool_add(struct connection_pool *pool, int fd,
                         const struct connection_service *service)
{
    if (pool->size >= pool->connection_limit) {
        pool->counts.evicted++;
        drop(TAILQ_FIRST(&pool->open));
    }
    struct connection *c = memory_new(1, sizeof(*c));
    c->pool = pool;
    c->service = service;
    c->fd = fd;
    TAILQ_INSERT_TAIL(&pool->open, c, by_idleness);
    pool->size++;
    pool->counts.opened++;
    settle(c);
}

unsigned connection_pool_size(const struct connection_pool *pool)
{
    return pool->size;
}

struct connection_counts connection_pool_counts(const struct connection_pool *pool)
{
    return pool->counts;
}

void connection_pool_drain(struct connection_pool *pool, int64_t limit_ms,
                           void (*drained)(void *context), void *context)
{
    pool->drained = drained;
    pool->drained_context = context;
    /* On a unix socket a peer's write fails from here on, so whatever it could write is answered;
     * of TCP only what has arrived by the end of its turn. */
    for (struct connection *c = TAILQ_FIRST(&pool->open); c != NULL; c = TAILQ_NEXT(c, by_idleness))
        shutdown(c->fd, SHUT_RD);
    struct timeval limit = {limit_ms / 1000, (limit_ms % 1000) * 1000};
    event_add(pool->drain_limit, &limit);
    wake_next_turn(pool);
}
