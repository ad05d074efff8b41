#include "loop/connection.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/compiler.h"
#include "base/memory.h"
#include "base/timestamp.h"

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
    TAILQ_ENTRY(connection) by_debt_age; /* in pool->owing if is_owing */
    struct event event;
    struct buffer kept;   /* received, not yet answered */
    struct buffer unsent; /* answered, not yet taken by the peer */
    int64_t asked_at_ms;  /* the last request, or the beginning */
    int64_t owing_since_ms;
    size_t must_take_bytes; /* how much of unsent belongs to the debt */
    int fd;                 /* -1 once dropped */
    short watched;          /* what event is set for, 0 when it is not added */
    enum input_state input;
    bool at_end;    /* the peer sends no more */
    bool has_asked; /* at least one request was answered */
    bool is_in_line;
    bool is_owing; /* the peer owes us the end of a request, or to take replies */
};

TAILQ_HEAD(connection_list, connection);

struct connection_pool {
    struct event_base *base;
    struct connection_list open;  /* the longest-idle one first */
    struct connection_list owing; /* the oldest debt first */
    struct connection_list line;  /* each gets a turn after the next poll for events */
    unsigned line_length;
    struct connection_list closed; /* unlinked from all else, freed after the turn */
    struct event *next_turn;
    int64_t idle_limit_ms;
    int64_t stall_limit_ms;
    struct event *idle_check;  /* no later than the first of open is due */
    struct event *stall_check; /* no later than the first of owing is due */
    unsigned connection_limit;
    unsigned size;
    struct connection_counts counts;
    struct buffer out; /* replies of the connection at hand */
    bool is_draining;
    int64_t first_request_limit_ms; /* of the drain */
    struct event *first_request_limit;
    struct event *drain_limit;
    void (*drained)(void *context);
    void *drained_context;
    char received[RECEIVE_BYTES];
};

static void wake_after(struct event *timer, int64_t delay_ms)
{
    event_add(timer, &(struct timeval){delay_ms / 1000, (delay_ms % 1000) * 1000});
}

static void wake_next_turn(struct connection_pool *pool)
{
    wake_after(pool->next_turn, 0);
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

static void begin_debt(struct connection *c)
{
    struct connection_pool *pool = c->pool;
    c->owing_since_ms = timestamp_monotonic_ms();
    c->must_take_bytes = c->unsent.length;
    c->is_owing = true;
    if (TAILQ_EMPTY(&pool->owing))
        wake_after(pool->stall_check, pool->stall_limit_ms);
    TAILQ_INSERT_TAIL(&pool->owing, c, by_debt_age);
}

static void end_debt(struct connection *c)
{
    if (!c->is_owing)
        return;
    TAILQ_REMOVE(&c->pool->owing, c, by_debt_age);
    c->must_take_bytes = 0;
    c->is_owing = false;
}

/* The struct itself lives until the next turn, as a caller up the stack may hold it. */
static void drop(struct connection *c)
{
    struct connection_pool *pool = c->pool;
    if (c->watched != 0)
        event_del(&c->event);
    leave_line(c);
    end_debt(c);
    TAILQ_REMOVE(&pool->open, c, by_idleness);
    TAILQ_INSERT_TAIL(&pool->closed, c, by_idleness);
    close(c->fd);
    c->fd = -1;
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
        c->has_asked = true;
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
    size_t taken = (size_t)sent;
    buffer_consume(&c->unsent, taken);
    if (c->unsent.length == 0)
        buffer_finish(&c->unsent);
    if (taken >= c->must_take_bytes)
        end_debt(c);
    else
        c->must_take_bytes -= taken;
    return true;
}

/*
 * Postfix asks again, once, when a connection ends before the reply. That request comes over a new
 * connection, so what must not end before it was answered is a connection that is new. Nor does one
 * end within a request.
 */
static bool may_go_on_asking(const struct connection *c)
{
    return c->kept.length > 0 || (!c->has_asked && timestamp_monotonic_ms() - c->asked_at_ms <
                                                       c->pool->first_request_limit_ms);
}

/* On a unix socket a peer's write fails from here on, so whatever it could write is answered; of
 * TCP only what has arrived by the end of its turn. */
static void end_input_if_drained(struct connection *c)
{
    if (c->pool->is_draining && !may_go_on_asking(c))
        shutdown(c->fd, SHUT_RD);
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
    if (event_add(&c->event, NULL) != 0)
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
    if (c->input == INPUT_OPEN)
        end_input_if_drained(c);
    short reading = c->input == INPUT_OPEN && may_go_on ? EV_READ : 0;
    short writing = c->unsent.length > 0 ? EV_WRITE : 0;
    bool owes = (c->input == INPUT_OPEN && c->kept.length > 0) || c->unsent.length > 0;
    if (!owes)
        end_debt(c);
    else if (!c->is_owing)
        begin_debt(c);
    if (!watch(c, reading | writing))
        drop(c);
}

static void note_request(struct connection *c)
{
    TAILQ_REMOVE(&c->pool->open, c, by_idleness);
    TAILQ_INSERT_TAIL(&c->pool->open, c, by_idleness);
    c->asked_at_ms = timestamp_monotonic_ms();
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
        note_request(c);
        /* Whoever does not take replies cannot put that off by asking more. */
        if (c->must_take_bytes == 0)
            end_debt(c);
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
    if ((what & EV_WRITE) != 0 && !send_unsent(c)) {
        drop(c);
    } else if ((what & EV_READ) != 0) {
        take_turn(c);
    } else {
        settle(c);
    }
}

/* Complete requests that wait for their turn, or bytes that may be some. */
static bool has_request_in_hand(const struct connection *c)
{
    int unread_bytes = 0;
    return c->input == INPUT_PENDING ||
           (c->input == INPUT_OPEN && ioctl(c->fd, FIONREAD, &unread_bytes) == 0 &&
            unread_bytes > 0);
}

static void on_idle_check(evutil_socket_t unused, short what, void *context)
{
    (void)unused;
    (void)what;
    struct connection_pool *pool = context;
    int64_t now_ms = timestamp_monotonic_ms();
    struct connection *c;
    while ((c = TAILQ_FIRST(&pool->open)) != NULL) {
        int64_t left_ms = c->asked_at_ms + pool->idle_limit_ms - now_ms;
        if (left_ms > 0) {
            wake_after(pool->idle_check, left_ms);
            return;
        }
        if (has_request_in_hand(c)) {
            note_request(c);
        } else {
            pool->counts.timed_out++;
            drop(c);
        }
    }
}

static void on_stall_check(evutil_socket_t unused, short what, void *context)
{
    (void)unused;
    (void)what;
    struct connection_pool *pool = context;
    int64_t now_ms = timestamp_monotonic_ms();
    struct connection *c;
    while ((c = TAILQ_FIRST(&pool->owing)) != NULL) {
        int64_t left_ms = c->owing_since_ms + pool->stall_limit_ms - now_ms;
        if (left_ms > 0) {
            wake_after(pool->stall_check, left_ms);
            return;
        }
        if (c->unsent.length > 0)
            pool->counts.stalled_replies++;
        else
            pool->counts.stalled_requests++;
        drop(c);
    }
}

static struct connection *choose_victim(const struct connection_pool *pool)
{
    for (struct connection *c = TAILQ_FIRST(&pool->open); c != NULL; c = TAILQ_NEXT(c, by_idleness))
        if (!has_request_in_hand(c))
            return c;
    return TAILQ_FIRST(&pool->open);
}

static bool evict(struct connection_pool *pool)
{
    struct connection *c = choose_victim(pool);
    if (c == NULL)
        return false;
    if (has_request_in_hand(c))
        take_turn(c);
    bool is_open = c->fd >= 0; /* the turn may have ended it */
    if (is_open)
        drop(c);
    return true;
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

static void end_inputs(struct connection_pool *pool)
{
    for (struct connection *c = TAILQ_FIRST(&pool->open); c != NULL; c = TAILQ_NEXT(c, by_idleness))
        end_input_if_drained(c);
}

static void on_first_request_limit(evutil_socket_t unused, short what, void *context)
{
    (void)unused;
    (void)what;
    struct connection_pool *pool = context;
    pool->first_request_limit_ms = 0;
    end_inputs(pool);
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
    pool->idle_limit_ms = settings->idle_limit_ms;
    pool->stall_limit_ms = settings->stall_limit_ms;
    TAILQ_INIT(&pool->open);
    TAILQ_INIT(&pool->owing);
    TAILQ_INIT(&pool->line);
    TAILQ_INIT(&pool->closed);
    pool->idle_check = evtimer_new(pool->base, on_idle_check, pool);
    pool->stall_check = evtimer_new(pool->base, on_stall_check, pool);
    pool->next_turn = evtimer_new(pool->base, on_next_turn, pool);
    pool->first_request_limit = evtimer_new(pool->base, on_first_request_limit, pool);
    pool->drain_limit = evtimer_new(pool->base, on_drain_limit, pool);
    if (pool->idle_check == NULL || pool->stall_check == NULL || pool->next_turn == NULL ||
        pool->first_request_limit == NULL || pool->drain_limit == NULL) {
        connection_pool_destroy(pool);
        return error_set(error, ERROR_TEMPORARY, "cannot make the timers of connections");
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
    struct event *timers[] = {pool->idle_check, pool->stall_check, pool->next_turn,
                              pool->first_request_limit, pool->drain_limit};
    for (size_t i = 0; i < ARRAY_LENGTH(timers); i++)
        if (timers[i] != NULL)
            event_free(timers[i]);
    buffer_finish(&pool->out);
    free(pool);
}

void connection_pool_add(struct connection_pool *pool, int fd,
                         const struct connection_service *service)
{
    if (pool->size >= pool->connection_limit && evict(pool))
        pool->counts.evicted++;
    struct connection *c = memory_new(1, sizeof(*c));
    c->pool = pool;
    c->service = service;
    c->fd = fd;
    c->asked_at_ms = timestamp_monotonic_ms();
    if (TAILQ_EMPTY(&pool->open))
        wake_after(pool->idle_check, pool->idle_limit_ms);
    TAILQ_INSERT_TAIL(&pool->open, c, by_idleness);
    pool->size++;
    pool->counts.opened++;
    settle(c);
}

bool connection_pool_make_room(struct connection_pool *pool)
{
    bool made_room = evict(pool);
    if (made_room)
        pool->counts.evicted_for_descriptors++;
    return made_room;
}

unsigned connection_pool_size(const struct connection_pool *pool)
{
    return pool->size;
}

struct connection_counts connection_pool_counts(const struct connection_pool *pool)
{
    return pool->counts;
}

void connection_pool_drain(struct connection_pool *pool,
                           const struct connection_drain_limits *limits,
                           void (*drained)(void *context), void *context)
{
    pool->drained = drained;
    pool->drained_context = context;
    pool->is_draining = true;
    pool->first_request_limit_ms = limits->first_request_ms;
    end_inputs(pool);
    wake_after(pool->first_request_limit, limits->first_request_ms);
    wake_after(pool->drain_limit, limits->all_ms);
    wake_next_turn(pool);
}
