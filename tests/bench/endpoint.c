#include "endpoint.h"

#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

union any_address {
    struct sockaddr any;
    struct sockaddr_un un;
    struct sockaddr_in in;
};

static socklen_t parse(const char *endpoint, union any_address *ret)
{
    memset(ret, 0, sizeof(*ret));
    if (strncmp(endpoint, "unix:", 5) == 0 && strlen(endpoint + 5) < sizeof(ret->un.sun_path)) {
        ret->un.sun_family = AF_UNIX;
        strcpy(ret->un.sun_path, endpoint + 5);
        return sizeof(ret->un);
    }
    char host[32];
    unsigned short port;
    if (sscanf(endpoint, "inet:%31[0-9.]:%hu", host, &port) == 2 &&
        inet_pton(AF_INET, host, &ret->in.sin_addr) == 1) {
        ret->in.sin_family = AF_INET;
        ret->in.sin_port = htons(port);
        return sizeof(ret->in);
    }
    errx(2, "not an endpoint: %s (unix:PATH or inet:ADDRESS:PORT)", endpoint);
}

int endpoint_connect(const char *endpoint)
{
    union any_address address;
    socklen_t length = parse(endpoint, &address);
    int fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, &address.any, length) != 0)
        err(1, "cannot connect to %s", endpoint);
    if (address.any.sa_family == AF_INET)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    return fd;
}

int endpoint_listen(const char *endpoint)
{
    union any_address address;
    socklen_t length = parse(endpoint, &address);
    int fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        err(1, "cannot make a socket");
    if (address.any.sa_family == AF_UNIX)
        unlink(address.un.sun_path);
    else
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (bind(fd, &address.any, length) != 0 || listen(fd, SOMAXCONN) != 0)
        err(1, "cannot listen on %s", endpoint);
    return fd;
}
