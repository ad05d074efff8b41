#include "loop/loop.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/log.h"
#include "base/memory.h"

struct timer {
    struct event *event;
    void (*tick)(void *context);
    void *context;
    struct loop *once_on; /* NULL: it ticks again and again */
    SLIST_ENTRY(timer) entries;
};

struct watched_signal {
    struct event *event;
    void (*hook)(void *context);
    void *context;
    SLIST_ENTRY(watched_signal) entries;
};

struct loop {
    struct event_base *base;
    struct event *sigterm;
    struct event *sigint;
    void (*stop)(void *context);
    void *stop_context;
    void (*before_sleep)(void *context);
    void *before_sleep_context;
    SLIST_HEAD(, timer) timers;
    SLIST_HEAD(, watched_signal) signals;
    bool stopped;
};

/* libevent has no caller that it could hand its text to. */
static void log_libevent(int severity, const char *text)
{
    enum log_level level = severity == EVENT_LOG_ERR    ? LOG_LEVEL_ERROR
                           : severity == EVENT_LOG_WARN ? LOG_LEVEL_WARNING
                                                        : LOG_LEVEL_DEBUG;
    log_write(level, "libevent: %s", text);
}

bool loop_create(struct loop **ret, struct error *error)
{
    event_set_log_callback(log_libevent);
    signal(SIGPIPE, SIG_IGN);
    struct event_base *base = event_base_new();
    if (base == NULL)
        return error_set(error, ERROR_TEMPORARY, "cannot make an event loop: %s", strerror(errno));
    struct loop *loop = memory_new(1, sizeof(*loop));
    loop->base = base;
    SLIST_INIT(&loop->timers);
    SLIST_INIT(&loop->signals);
    *ret = loop;
    return true;
}

static void event_drop(struct event *event)
{
    if (event != NULL)
        event_free(event);
}

void loop_destroy(struct loop *loop)
{
    if (loop == NULL)
        return;
    while (!SLIST_EMPTY(&loop->timers)) {
        struct timer *timer = SLIST_FIRST(&loop->timers);
        SLIST_REMOVE_HEAD(&loop->timers, entries);
        event_free(timer->event);
        free(timer);
    }
    while (!SLIST_EMPTY(&loop->signals)) {
        struct watched_signal *watched = SLIST_FIRST(&loop->signals);
        SLIST_REMOVE_HEAD(&loop->signals, entries);
        event_drop(watched->event);
        free(watched);
    }
    event_drop(loop->sigterm);
    event_drop(loop->sigint);
    event_base_free(loop->base);
    free(loop);
}

struct event_base *loop_base(struct loop *loop)
{
    return loop->base;
}

static void on_signal(evutil_socket_t signal_number, short what, void *context)
{
    (void)signal_number;
    (void)what;
    struct loop *loop = context;
    void (*stop)(void *) = loop->stop;
    loop->stop = NULL;
    if (stop != NULL)
        stop(loop->stop_context);
}

bool loop_on_signal(struct loop *loop, void (*stop)(void *context), void *context,
                    struct error *error)
{
    loop->stop = stop;
    loop->stop_context = context;
    loop->sigterm = evsignal_new(loop->base, SIGTERM, on_signal, loop);
    loop->sigint = evsignal_new(loop->base, SIGINT, on_signal, loop);
    if (loop->sigterm == NULL || loop->sigint == NULL || evsignal_add(loop->sigterm, NULL) != 0 ||
        evsignal_add(loop->sigint, NULL) != 0)
        return error_set(error, ERROR_TEMPORARY, "cannot watch signals: %s", strerror(errno));
    return true;
}

/* Blocks or unblocks one signal. */
static void mask_signal(int how, int signal_number)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, signal_number);
    sigprocmask(how, &set, NULL);
}

void loop_hold_signal(int signal_number)
{
    mask_signal(SIG_BLOCK, signal_number);
}

static void on_watched_signal(evutil_socket_t signal_number, short what, void *context)
{
    (void)signal_number;
    (void)what;
    struct watched_signal *watched = context;
    watched->hook(watched->context);
}

bool loop_watch_signal(struct loop *loop, int signal_number, void (*hook)(void *context),
                       void *context, struct error *error)
{
    struct watched_signal *watched = memory_new(1, sizeof(*watched));
    watched->hook = hook;
    watched->context = context;
    watched->event = evsignal_new(loop->base, signal_number, on_watched_signal, watched);
    SLIST_INSERT_HEAD(&loop->signals, watched, entries);
    if (watched->event == NULL || evsignal_add(watched->event, NULL) != 0)
        return error_set(error, ERROR_TEMPORARY, "cannot watch signals: %s", strerror(errno));
    mask_signal(SIG_UNBLOCK, signal_number);
    return true;
}

void loop_before_sleep(struct loop *loop, void (*hook)(void *context), void *context)
{
    loop->before_sleep = hook;
    loop->before_sleep_context = context;
}

static void on_timer(evutil_socket_t unused, short what, void *context)
{
    (void)unused;
    (void)what;
    struct timer timer = *(struct timer *)context;
    if (timer.once_on != NULL) {
        SLIST_REMOVE(&timer.once_on->timers, (struct timer *)context, timer, entries);
        event_free(timer.event);
        free(context);
    }
    timer.tick(timer.context);
}

static void add_timer(struct loop *loop, int64_t ms, bool is_once, void (*tick)(void *context),
                      void *context)
{
    struct timer *timer = memory_new(1, sizeof(*timer));
    timer->tick = tick;
    timer->context = context;
    timer->once_on = is_once ? loop : NULL;
    timer->event = event_new(loop->base, -1, is_once ? 0 : EV_PERSIST, on_timer, timer);
    struct timeval time = {ms / 1000, (ms % 1000) * 1000};
    if (timer->event == NULL || event_add(timer->event, &time) != 0)
        abort(); /* a timer needs nothing but memory */
    SLIST_INSERT_HEAD(&loop->timers, timer, entries);
}

void loop_every(struct loop *loop, int64_t period_ms, void (*tick)(void *context), void *context)
{
    add_timer(loop, period_ms, false, tick, context);
}

void loop_once(struct loop *loop, int64_t delay_ms, void (*tick)(void *context), void *context)
{
    add_timer(loop, delay_ms, true, tick, context);
}

bool loop_run(struct loop *loop, struct error *error)
{
    loop->stopped = false;
    while (!loop->stopped) {
        if (event_base_loop(loop->base, EVLOOP_ONCE) < 0)
            return error_set(error, ERROR_TEMPORARY, "the event loop failed: %s", strerror(errno));
        if (loop->before_sleep != NULL)
            loop->before_sleep(loop->before_sleep_context);
    }
    return true;
}

void loop_stop(struct loop *loop)
{
    loop->stopped = true;
    event_base_loopbreak(loop->base);
}
