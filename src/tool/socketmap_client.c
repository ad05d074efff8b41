#include "tool/socketmap_client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include "base/file.h"
#include "wire/socketmap.h"

enum { PATIENCE_S = 10 };

union endpoint {
    struct sockaddr any;
    struct sockaddr_un un;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
};

/* The numeric forms that the configuration allows; returns the length, 0 for none of them. */
static socklen_t endpoint_fill(union endpoint *endpoint, const struct config_listener *listener)
{
    if (listener->unix_path != NULL) {
        endpoint->un.sun_family = AF_UNIX;
        snprintf(endpoint->un.sun_path, sizeof(endpoint->un.sun_path), "%s", listener->unix_path);
        return sizeof(endpoint->un);
    }
    if (inet_pton(AF_INET, listener->inet_address, &endpoint->in.sin_addr) == 1) {
        endpoint->in.sin_family = AF_INET;
        endpoint->in.sin_port = htons(listener->inet_port);
        return sizeof(endpoint->in);
    }
    if (inet_pton(AF_INET6, listener->inet_address, &endpoint->in6.sin6_addr) == 1) {
        endpoint->in6.sin6_family = AF_INET6;
        endpoint->in6.sin6_port = htons(listener->inet_port);
        return sizeof(endpoint->in6);
    }
    return 0;
}

bool socketmap_client_connect(struct socketmap_client *client,
                              const struct config_listener *listener, struct error *error)
{
    union endpoint endpoint = {0};
    socklen_t length = endpoint_fill(&endpoint, listener);
    const struct timeval patience = {.tv_sec = PATIENCE_S};
    *client = (struct socketmap_client){.fd = -1, .name = listener->text};
    if (length == 0)
        return error_set(error, ERROR_INVALID, "%s is no address", listener->text);
    client->fd = socket(endpoint.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (client->fd < 0 ||
        setsockopt(client->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) != 0 ||
        setsockopt(client->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) != 0 ||
        connect(client->fd, &endpoint.any, length) != 0)
        return error_set(error, ERROR_TEMPORARY, "cannot reach lpaliasd at %s: %s", listener->text,
                         strerror(errno));
    return true;
}

static bool send_all(struct socketmap_client *client, const struct buffer *request,
                     struct error *error)
{
    for (size_t sent = 0; sent < request->length;) {
        ssize_t now = send(client->fd, request->data + sent, request->length - sent, MSG_NOSIGNAL);
        if (now < 0 && errno == EINTR)
            continue;
        if (now < 0)
            return error_set(error, ERROR_TEMPORARY, "%s takes no question: %s", client->name,
                             strerror(errno));
        sent += (size_t)now;
    }
    return true;
}

static bool receive_some(struct socketmap_client *client, struct error *error)
{
    ssize_t got;
    buffer_reserve(&client->received, 4096);
    do
        got = recv(client->fd, client->received.data + client->received.length, 4096, 0);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return error_set(error, ERROR_TEMPORARY, "%s does not answer: %s", client->name,
                         strerror(errno));
    if (got == 0)
        return error_set(error, ERROR_TEMPORARY, "%s hung up", client->name);
    client->received.length += (size_t)got;
    return true;
}

bool socketmap_client_ask(struct socketmap_client *client, const char *map, const char *key,
                          struct wire_reply *ret, struct error *error)
{
    CLEANUP(buffer_finish) struct buffer request = {0};
    if (!socketmap_append_request(&request, span_of(map), span_of(key)))
        return error_set(error, ERROR_INVALID,
                         "too long a question, or a blank in the name of the map");
    buffer_consume(&client->received, client->consumed);
    client->consumed = 0;
    if (!send_all(client, &request, error))
        return false;
    for (;;) {
        switch (socketmap_take_reply(client->received.data, client->received.length, ret,
                                     &client->consumed)) {
        case WIRE_COMPLETE:
            return true;
        case WIRE_BAD:
            return error_set(error, ERROR_TEMPORARY, "%s speaks no socketmap", client->name);
        case WIRE_NEED_MORE:
            if (!receive_some(client, error))
                return false;
        }
    }
}

void socketmap_client_finish(struct socketmap_client *client)
{
    file_close_at(&client->fd);
    buffer_finish(&client->received);
}
