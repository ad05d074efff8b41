#include "loop/canary.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"

enum { REPLY_MAX_BYTES = 4096 };

struct canary {
    struct canary_settings settings;
    struct event_base *base;
    struct buffer question;
    struct buffer reply;
    struct event *period;
    struct event *event; /* of the question that is under way, else NULL */
    int fd;
    bool is_out_of_reach;
    unsigned periods_waited;     /* of the question that is under way */
    unsigned periods_unanswered; /* since the last answer */
    bool is_silent;
    struct error trouble; /* what became of the last question that was not answered */
};

static void end_question(struct canary *canary)
{
    if (canary->event != NULL)
        event_free(canary->event);
    canary->event = NULL;
    file_close_at(&canary->fd);
    canary->reply.length = 0;
}

static void fail(struct canary *canary, const char *what, int code)
{
    error_set(&canary->trouble, ERROR_TEMPORARY, "%s: %s", what, strerror(code));
    end_question(canary);
}

static void take_answer(struct canary *canary)
{
    end_question(canary);
    canary->periods_unanswered = 0;
    canary->is_silent = false;
    canary->settings.answered(canary->settings.context);
}

static void receive(struct canary *canary)
{
    char bytes[REPLY_MAX_BYTES];
    ssize_t got = recv(canary->fd, bytes, sizeof(bytes), 0);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0) {
        fail(canary, "the connection ended", got < 0 ? errno : ECONNRESET);
        return;
    }
    buffer_append(&canary->reply, bytes, (size_t)got);
    if (canary->settings.is_whole((struct span){canary->reply.data, canary->reply.length}))
        take_answer(canary);
    else if (canary->reply.length > REPLY_MAX_BYTES)
        fail(canary, "the reply has no end", EMSGSIZE);
}

static void on_readable(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    receive(context);
}

static bool watch(struct canary *canary, short what, event_callback_fn callback)
{
    if (canary->event != NULL)
        event_free(canary->event);
    canary->event = event_new(canary->base, canary->fd, what | EV_PERSIST, callback, canary);
    return canary->event != NULL && event_add(canary->event, NULL) == 0;
}

/* The connection stands: ask. */
static void on_writable(evutil_socket_t fd, short what, void *context)
{
    (void)what;
    struct canary *canary = context;
    ssize_t sent = send(fd, canary->question.data, canary->question.length, MSG_NOSIGNAL);
    if (sent != (ssize_t)canary->question.length)
        fail(canary, "cannot send the question", sent < 0 ? errno : EMSGSIZE);
    else if (!watch(canary, EV_READ, on_readable))
        fail(canary, "cannot wait for the reply", errno);
}

/* All of the way but the listener. */
static bool connect_past_listener(struct canary *canary)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0)
        return error_set(&canary->trouble, ERROR_TEMPORARY, "cannot make a socket: %s",
                         strerror(errno));
    canary->fd = ends[0];
    listener_hand_in(canary->settings.listener, ends[1]);
    return true;
}

static bool open_connection(struct canary *canary)
{
    if (!canary->is_out_of_reach &&
        listener_connect(canary->settings.listener, &canary->fd, &canary->trouble))
        return true;
    if (!canary->is_out_of_reach && canary->trouble.kind == ERROR_INVALID) {
        canary->is_out_of_reach = true;
        canary->settings.out_of_reach(canary->settings.context, canary->trouble.text);
    }
    return canary->is_out_of_reach && connect_past_listener(canary);
}

static void begin_question(struct canary *canary)
{
    canary->periods_waited = 0;
    if (open_connection(canary) && !watch(canary, EV_WRITE, on_writable))
        fail(canary, "cannot wait for the connection", errno);
}

/*
 * Periods are counted and not measured: where the whole process stood still, for a debugger or a
 * machine that slept, the question is not late but has only just begun.
 */
static void on_period(evutil_socket_t unused, short what, void *context)
{
    (void)unused;
    (void)what;
    struct canary *canary = context;
    canary->periods_unanswered++;
    if (canary->fd >= 0 && ++canary->periods_waited < CANARY_PATIENCE_PERIODS)
        return;
    if (canary->fd >= 0)
        fail(canary, "no reply", ETIMEDOUT);
    if (canary->periods_unanswered >= CANARY_PATIENCE_PERIODS && !canary->is_silent) {
        canary->is_silent = true;
        canary->settings.silent(canary->settings.context, canary->trouble.text);
    }
    begin_question(canary);
}

struct canary *canary_create(struct loop *loop, const struct canary_settings *settings)
{
    struct canary *canary = memory_new(1, sizeof(*canary));
    canary->settings = *settings;
    canary->base = loop_base(loop);
    canary->fd = -1;
    buffer_append(&canary->question, settings->question.data, settings->question.length);
    canary->period = event_new(canary->base, -1, EV_PERSIST, on_period, canary);
    struct timeval period = {settings->period_ms / 1000, (settings->period_ms % 1000) * 1000};
    if (canary->period == NULL || event_add(canary->period, &period) != 0)
        abort(); /* a timer needs nothing but memory */
    begin_question(canary);
    return canary;
}

void canary_destroy(struct canary *canary)
{
    if (canary == NULL)
        return;
    end_question(canary);
    event_free(canary->period);
    buffer_finish(&canary->question);
    buffer_finish(&canary->reply);
    free(canary);
}
