/*
 * The physical limit: a server that answers every netstring with the same OK reply and does
 * nothing else: epoll, one recv into a shared buffer, one send. What lpaliasd adds to this is the
 * price of lookup, storage and good manners.
 */
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"
#include "endpoint.h"
#include "wire/netstring.h"
#include "wire/socketmap.h"

#define READ_BYTES 16384

struct client {
    int fd;
    struct buffer partial; /* start of a request whose end is still to come */
};

static struct buffer reply;

static void accept_all(int epoll_fd, int listen_fd)
{
    for (;;) {
        int fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
            return;
        struct client *client = memory_new(1, sizeof(*client));
        client->fd = fd;
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
        if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0)
            err(1, "epoll_ctl");
    }
}

/* Appends one reply to out for each whole request; returns how many bytes those were. */
static size_t answer(const char *data, size_t length, struct buffer *out, bool *ret_is_bad)
{
    size_t done = 0;
    for (;;) {
        struct span payload;
        size_t consumed;
        enum wire_result result =
            netstring_take(data + done, length - done, WIRE_QUERY_MAX_BYTES, &payload, &consumed);
        *ret_is_bad = result == WIRE_BAD;
        if (result != WIRE_COMPLETE)
            return done;
        buffer_append(out, reply.data, reply.length);
        done += consumed;
    }
}

static bool serve(struct client *client, char *shared, struct buffer *out)
{
    ssize_t got = recv(client->fd, shared, READ_BYTES, 0);
    if (got <= 0)
        return got < 0 && (errno == EAGAIN || errno == EINTR);
    bool is_bad;
    buffer_clear(out);
    if (client->partial.length != 0) {
        buffer_append(&client->partial, shared, (size_t)got);
        buffer_consume(&client->partial,
                       answer(client->partial.data, client->partial.length, out, &is_bad));
    } else {
        size_t done = answer(shared, (size_t)got, out, &is_bad);
        buffer_append(&client->partial, shared + done, (size_t)got - done);
    }
    if (client->partial.length == 0)
        buffer_finish(&client->partial);
    /* A client has one request in flight: its reply fits into the socket or the client is gone. */
    return !is_bad && (out->length == 0 || send(client->fd, out->data, out->length, MSG_NOSIGNAL) ==
                                               (ssize_t)out->length);
}

static void serve_forever(int epoll_fd, int listen_fd)
{
    static char shared[READ_BYTES];
    struct buffer out = {0};
    struct epoll_event events[256];
    for (;;) {
        int count = epoll_wait(epoll_fd, events, ARRAY_LENGTH(events), -1);
        if (count < 0 && errno != EINTR)
            err(1, "epoll_wait");
        for (int i = 0; i < count; i++) {
            struct client *client = events[i].data.ptr;
            if (client == NULL) {
                accept_all(epoll_fd, listen_fd);
            } else if (!serve(client, shared, &out)) {
                close(client->fd);
                buffer_finish(&client->partial);
                free(client);
            }
        }
    }
}

int main(int argc, char **argv)
{
    if (argc != 3)
        errx(2, "usage: %s ENDPOINT VALUE", argv[0]);
    /* Whoever started it may be killed: it must not stay behind. */
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (!socketmap_append_reply(&reply, WIRE_OK, span_of(argv[2])))
        errx(2, "not a value: %s", argv[2]);
    int listen_fd = endpoint_listen(argv[1]);
    int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    if (epoll_fd < 0 || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listen_fd, &event) != 0)
        err(1, "epoll");
    serve_forever(epoll_fd, listen_fd);
}
