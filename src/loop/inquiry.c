#include "loop/inquiry.h"

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/memory.h"

struct inquiry {
    struct inquiry_request request;
    struct bufferevent *connection;
    struct event *limit;
};

union endpoint {
    struct sockaddr any;
    struct sockaddr_un un;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
};

/* Returns the length; 0: it is no address. */
static socklen_t fill_endpoint(const struct listener_address *address, union endpoint *endpoint)
{
    if (address->unix_path != NULL) {
        endpoint->un.sun_family = AF_UNIX;
        snprintf(endpoint->un.sun_path, sizeof(endpoint->un.sun_path), "%s", address->unix_path);
        return sizeof(endpoint->un);
    }
    if (inet_pton(AF_INET, address->inet_address, &endpoint->in.sin_addr) == 1) {
        endpoint->in.sin_family = AF_INET;
        endpoint->in.sin_port = htons(address->inet_port);
        return sizeof(endpoint->in);
    }
    if (inet_pton(AF_INET6, address->inet_address, &endpoint->in6.sin6_addr) == 1) {
        endpoint->in6.sin6_family = AF_INET6;
        endpoint->in6.sin6_port = htons(address->inet_port);
        return sizeof(endpoint->in6);
    }
    return 0;
}

static void finish(struct inquiry *inquiry, struct span bytes)
{
    inquiry->request.finished(inquiry->request.context, bytes);
    inquiry_cancel(inquiry);
}

static void on_read(struct bufferevent *connection, void *context)
{
    struct inquiry *inquiry = context;
    struct evbuffer *input = bufferevent_get_input(connection);
    size_t length = evbuffer_get_length(input);
    struct span bytes = {(const char *)evbuffer_pullup(input, -1), length};
    if (length > inquiry->request.limit_bytes)
        finish(inquiry, span_of(""));
    else if (inquiry->request.is_over(bytes))
        finish(inquiry, bytes);
}

static void on_event(struct bufferevent *connection, short what, void *context)
{
    (void)connection;
    if ((what & BEV_EVENT_CONNECTED) == 0)
        finish(context, span_of(""));
}

static void on_limit(evutil_socket_t unused, short what, void *context)
{
    (void)unused;
    (void)what;
    finish(context, span_of(""));
}

static bool connect_and_ask(struct inquiry *inquiry)
{
    union endpoint endpoint = {0};
    socklen_t length = fill_endpoint(&inquiry->request.address, &endpoint);
    struct span question = inquiry->request.question;
    bufferevent_setcb(inquiry->connection, on_read, NULL, on_event, inquiry);
    return length != 0 &&
           bufferevent_socket_connect(inquiry->connection, &endpoint.any, (int)length) == 0 &&
           bufferevent_write(inquiry->connection, question.data, question.length) == 0 &&
           bufferevent_enable(inquiry->connection, EV_READ | EV_WRITE) == 0;
}

struct inquiry *inquiry_start(struct loop *loop, const struct inquiry_request *request)
{
    struct inquiry *inquiry = memory_new(1, sizeof(*inquiry));
    struct event_base *base = loop_base(loop);
    struct timeval limit = {request->limit_ms / 1000, (request->limit_ms % 1000) * 1000};
    inquiry->request = *request;
    /* Deferred: what fails at once is told when the loop turns. */
    inquiry->connection =
        bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
    inquiry->limit = evtimer_new(base, on_limit, inquiry);
    if (inquiry->connection == NULL || inquiry->limit == NULL)
        abort();
    if (!connect_and_ask(inquiry)) {
        bufferevent_disable(inquiry->connection, EV_READ | EV_WRITE);
        bufferevent_setcb(inquiry->connection, NULL, NULL, NULL, NULL);
        limit = (struct timeval){0};
    }
    if (event_add(inquiry->limit, &limit) != 0)
        abort(); /* a timer needs nothing but memory */
    inquiry->request.question = (struct span){0};
    return inquiry;
}

void inquiry_cancel(struct inquiry *inquiry)
{
    if (inquiry == NULL)
        return;
    bufferevent_free(inquiry->connection);
    event_free(inquiry->limit);
    free(inquiry);
}
