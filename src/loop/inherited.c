#include "loop/inherited.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"

enum {
    FIRST_DESCRIPTOR = 3, /* SD_LISTEN_FDS_START */
    DESCRIPTORS_MAX = 1024,
};

struct inherited {
    int *fds; /* -1 once claimed */
    size_t count;
};

union socket_name {
    struct sockaddr any;
    struct sockaddr_un unix_path;
    struct sockaddr_in four;
    struct sockaddr_in6 six;
};

/* Zero-ended, as the path of a unix socket need not be. */
static bool read_name(int fd, union socket_name *ret)
{
    socklen_t length = sizeof(*ret) - 1;
    memset(ret, 0, sizeof(*ret));
    return getsockname(fd, &ret->any, &length) == 0;
}

static bool is_listening_stream(int fd)
{
    int type = 0;
    int is_listening = 0;
    socklen_t length = sizeof(int);
    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0 && type == SOCK_STREAM &&
           getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &length) == 0 &&
           is_listening != 0;
}

static bool take(int fd, struct inherited *inherited, struct error *error)
{
    if (!is_listening_stream(fd))
        return error_set(error, ERROR_INVALID,
                         "descriptor %d of LISTEN_FDS is no listening stream socket", fd);
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 ||
        fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
        return error_set(error, ERROR_TEMPORARY, "cannot set up descriptor %d of LISTEN_FDS: %s",
                         fd, strerror(errno));
    inherited->fds[inherited->count++] = fd;
    return true;
}

/* How many descriptors are for this process; the variables may still be those of a parent. */
static bool read_environment(size_t *ret_count, struct error *error)
{
    const char *process = getenv("LISTEN_PID");
    const char *count = getenv("LISTEN_FDS");
    uint64_t number;
    *ret_count = 0;
    if (process == NULL || count == NULL)
        return true;
    if (!text_parse_number(process, 1, INT32_MAX, &number))
        return error_set(error, ERROR_INVALID, "LISTEN_PID is no process id: %s", process);
    if ((pid_t)number != getpid())
        return true;
    if (!text_parse_number(count, 0, DESCRIPTORS_MAX, &number))
        return error_set(error, ERROR_INVALID, "LISTEN_FDS is no number up to %d: %s",
                         DESCRIPTORS_MAX, count);
    *ret_count = (size_t)number;
    return true;
}

bool inherited_take(struct inherited **ret, struct error *error)
{
    size_t count;
    if (!read_environment(&count, error))
        return false;
    struct inherited *inherited = memory_new(1, sizeof(*inherited));
    inherited->fds = memory_new(count, sizeof(*inherited->fds));
    for (size_t i = 0; i < count; i++) {
        if (take(FIRST_DESCRIPTOR + (int)i, inherited, error))
            continue;
        inherited_destroy(inherited);
        return false;
    }
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
    *ret = inherited;
    return true;
}

static bool is_inet(const union socket_name *name, const struct listener_address *address)
{
    struct in6_addr wanted; /* holds an IPv4 address as well */
    bool is_six = name->any.sa_family == AF_INET6;
    if (!is_six && name->any.sa_family != AF_INET)
        return false;
    const void *bytes = is_six ? (const void *)&name->six.sin6_addr : &name->four.sin_addr;
    uint16_t port = ntohs(is_six ? name->six.sin6_port : name->four.sin_port);
    return inet_pton(name->any.sa_family, address->inet_address, &wanted) == 1 &&
           port == address->inet_port &&
           memcmp(&wanted, bytes, is_six ? sizeof(struct in6_addr) : sizeof(struct in_addr)) == 0;
}

static bool is_at(int fd, const struct listener_address *address)
{
    union socket_name name;
    if (!read_name(fd, &name))
        return false;
    return address->unix_path != NULL ? name.any.sa_family == AF_UNIX &&
                                            strcmp(name.unix_path.sun_path, address->unix_path) == 0
                                      : is_inet(&name, address);
}

int inherited_claim(struct inherited *inherited, const struct listener_address *address)
{
    for (size_t i = 0; i < inherited->count; i++) {
        int fd = inherited->fds[i];
        if (fd >= 0 && is_at(fd, address)) {
            inherited->fds[i] = -1;
            return fd;
        }
    }
    return -1;
}

static void append_name(struct buffer *text, int fd)
{
    union socket_name name;
    char address[INET6_ADDRSTRLEN] = "";
    bool is_read = read_name(fd, &name);
    if (is_read && name.any.sa_family == AF_UNIX)
        buffer_appendf(text, "unix:%s", name.unix_path.sun_path);
    else if (is_read && name.any.sa_family == AF_INET)
        buffer_appendf(text, "inet:%s:%u",
                       inet_ntop(AF_INET, &name.four.sin_addr, address, sizeof(address)),
                       ntohs(name.four.sin_port));
    else if (is_read && name.any.sa_family == AF_INET6)
        buffer_appendf(text, "inet:[%s]:%u",
                       inet_ntop(AF_INET6, &name.six.sin6_addr, address, sizeof(address)),
                       ntohs(name.six.sin6_port));
    else
        buffer_appendf(text, "descriptor %d", fd);
}

bool inherited_listen(struct inherited *inherited, struct loop *loop,
                      const struct listener_address *address, const struct listener_hooks *hooks,
                      struct listener **ret, struct error *error)
{
    int fd = inherited_claim(inherited, address);
    return fd >= 0 ? listener_adopt(loop, fd, address, hooks, ret, error)
                   : listener_create(loop, address, hooks, ret, error);
}

bool inherited_all_claimed(const struct inherited *inherited, struct error *error)
{
    for (size_t i = 0; i < inherited->count; i++) {
        if (inherited->fds[i] < 0)
            continue;
        CLEANUP(buffer_finish) struct buffer name = {0};
        append_name(&name, inherited->fds[i]);
        return error_set(error, ERROR_INVALID,
                         "%s was handed over by the service manager and is no listener of the "
                         "configuration",
                         buffer_text(&name));
    }
    return true;
}

void inherited_destroy(struct inherited *inherited)
{
    if (inherited == NULL)
        return;
    for (size_t i = 0; i < inherited->count; i++)
        file_close_at(&inherited->fds[i]);
    free(inherited->fds);
    free(inherited);
}
