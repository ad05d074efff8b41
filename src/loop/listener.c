#include "loop/listener.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/memory.h"

enum {
    BACKLOG = 4096, /* all that a large Postfix has: who finds it full is refused at once */
    ACCEPTS_PER_WAKE_UP = 64, /* the connections that are open already get their turn too */
    BACK_OFF_S = 1,
};

struct listener {
    struct loop *loop;
    struct listener_hooks hooks;
    char *name;
    int fd; /* -1 once stopped */
    bool is_inet;
    bool is_inherited;      /* lives on after this process: never shut down or removed */
    bool made_room_in_vain; /* and nobody was accepted since */
    struct event *readable;
    struct event *resume; /* accepting pauses while this is pending */
    char *unix_path;      /* NULL for inet */
    int lock_fd;
    dev_t device; /* of the bound unix socket, so that nobody else's is removed */
    ino_t inode;
};

static bool is_out_of_resources(int code)
{
    return code == EMFILE || code == ENFILE || code == ENOBUFS || code == ENOMEM;
}

static int try_accept(const struct listener *listener)
{
    return accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

/* The kernel looks for a descriptor before it looks whether anybody waits. */
static bool is_somebody_waiting(const struct listener *listener)
{
    struct pollfd waiting = {.fd = listener->fd, .events = POLLIN};
    return poll(&waiting, 1, 0) == 1 && (waiting.revents & POLLIN) != 0;
}

/* New descriptors are the lowest that are free, so fd says how many there are beyond it. */
static bool is_of_reserve(int fd)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
           (rlim_t)fd + LISTENER_RESERVED_DESCRIPTORS >= limit.rlim_cur;
}

/* A connection that stayed there would leave a gap below, which the next one would not notice. */
static int move_out_of_reserve(int fd)
{
    int moved = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (moved < 0)
        return fd;
    close(fd);
    return moved;
}

static bool make_room(const struct listener *listener)
{
    return listener->hooks.make_room != NULL && listener->hooks.make_room(listener->hooks.context);
}

/*
 * Who is not accepted waits for as long as Postfix's time limit of 100 s, while one whose idle
 * connection is closed connects anew: so an idle one makes room. Not a second one where the first
 * was lost for nothing, because the descriptors are short in the whole system.
 */
static int accept_making_room(struct listener *listener)
{
    int fd = try_accept(listener);
    int code = errno;
    bool is_short = fd < 0 && (code == EMFILE || code == ENFILE);
    if (is_short && !is_somebody_waiting(listener)) {
        code = EAGAIN;
    } else if (is_short && !listener->made_room_in_vain && make_room(listener)) {
        fd = try_accept(listener);
        code = errno;
        listener->made_room_in_vain = fd < 0;
    } else if (fd >= 0) {
        listener->made_room_in_vain = false;
        if (is_of_reserve(fd) && make_room(listener))
            fd = move_out_of_reserve(fd);
    }
    errno = code;
    return fd;
}

enum accept_result { ACCEPT_TAKEN, ACCEPT_NONE_WAITING, ACCEPT_FAILED };

static enum accept_result accept_one(struct listener *listener)
{
    int fd = accept_making_room(listener);
    if (fd < 0 && (errno == EAGAIN || errno == EINVAL))
        return ACCEPT_NONE_WAITING; /* EINVAL: shut down by listener_stop, and empty */
    if (fd < 0 && !is_out_of_resources(errno))
        return ACCEPT_TAKEN; /* that connection failed before it was ours: accept(2) */
    if (fd < 0)
        return ACCEPT_FAILED;
    int on = 1;
    if (listener->is_inet)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    listener->hooks.accepted(listener->hooks.context, fd);
    return ACCEPT_TAKEN;
}

static void back_off(struct listener *listener)
{
    char text[256];
    snprintf(text, sizeof(text), "cannot accept connections on %s: %s", listener->name,
             strerror(errno));
    struct timeval delay = {BACK_OFF_S, 0};
    event_del(listener->readable);
    event_add(listener->resume, &delay);
    listener->hooks.troubled(listener->hooks.context, text);
}

static void on_readable(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    struct listener *listener = context;
    for (int i = 0; i < ACCEPTS_PER_WAKE_UP; i++) {
        enum accept_result result = accept_one(listener);
        if (result == ACCEPT_FAILED)
            back_off(listener);
        if (result != ACCEPT_TAKEN)
            return;
    }
}

static void on_resume(evutil_socket_t unused, short what, void *context)
{
    (void)unused;
    (void)what;
    struct listener *listener = context;
    event_add(listener->readable, NULL);
}

/* Removes the socket of a dead server; anything that may be in use or is no socket stays. */
static bool clear_path(const struct sockaddr_un *name, struct error *error)
{
    const char *path = name->sun_path;
    struct stat there;
    if (lstat(path, &there) != 0)
        return errno == ENOENT ? true
                               : error_set(error, ERROR_TEMPORARY, "cannot look at %s: %s", path,
                                           strerror(errno));
    if (!S_ISSOCK(there.st_mode))
        return error_set(error, ERROR_INVALID, "%s exists and is not a socket; it was left alone",
                         path);
    CLEANUP(file_close_at)
    int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (probe < 0)
        return error_set(error, ERROR_TEMPORARY, "cannot make a socket: %s", strerror(errno));
    if (connect(probe, (const struct sockaddr *)name, sizeof(*name)) == 0 || errno == EAGAIN)
        return error_set(error, ERROR_BUSY, "another server is listening on %s", path);
    if (errno == ENOENT)
        return true;
    if (errno != ECONNREFUSED)
        return error_set(error, ERROR_TEMPORARY, "cannot tell whether a server listens on %s: %s",
                         path, strerror(errno));
    if (unlink(path) != 0 && errno != ENOENT)
        return error_set(error, ERROR_TEMPORARY, "cannot remove the old socket %s: %s", path,
                         strerror(errno));
    return true;
}

static bool lock_path(struct listener *listener, const char *path, struct error *error)
{
    struct buffer lock = {0};
    buffer_appendf(&lock, "%s.lock", path);
    bool locked = file_lock(buffer_text(&lock), &listener->lock_fd, error);
    buffer_finish(&lock);
    if (!locked && error != NULL && error->kind == ERROR_BUSY)
        return error_prefix(error, "another server is listening on %s", path);
    return locked;
}

static bool bind_unix(struct listener *listener, const char *path, struct error *error)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    if (path[0] != '/' || strlen(path) >= sizeof(name.sun_path))
        return error_set(error, ERROR_INVALID, "%s is not an absolute path of at most %zu bytes",
                         path, sizeof(name.sun_path) - 1);
    memcpy(name.sun_path, path, strlen(path));
    if (!lock_path(listener, path, error) || !clear_path(&name, error))
        return false;
    listener->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listener->fd < 0)
        return error_set(error, ERROR_TEMPORARY, "cannot make a socket: %s", strerror(errno));
    mode_t previous = umask(0117);
    int bound = bind(listener->fd, (struct sockaddr *)&name, sizeof(name));
    int code = errno;
    umask(previous);
    if (bound != 0)
        return error_set(error, ERROR_TEMPORARY, "cannot bind %s: %s", path, strerror(code));
    listener->unix_path = memory_copy_text(path);
    struct stat made;
    if (lstat(path, &made) == 0) {
        listener->device = made.st_dev;
        listener->inode = made.st_ino;
    }
    return true;
}

static bool bind_inet(struct listener *listener, const char *address, uint16_t port,
                      struct error *error)
{
    char service[8];
    snprintf(service, sizeof(service), "%u", port);
    struct addrinfo wanted = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
                              .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int code = getaddrinfo(address, service, &wanted, &found);
    if (code != 0)
        return error_set(error, ERROR_INVALID, "%s is not a numeric address: %s", address,
                         gai_strerror(code));
    int on = 1;
    listener->is_inet = true;
    listener->fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool bound = listener->fd >= 0 &&
                 setsockopt(listener->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
                 (found->ai_family != AF_INET6 ||
                  setsockopt(listener->fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) == 0) &&
                 bind(listener->fd, found->ai_addr, found->ai_addrlen) == 0;
    code = errno;
    freeaddrinfo(found);
    if (!bound)
        return error_set(error, code == EADDRINUSE ? ERROR_BUSY : ERROR_TEMPORARY,
                         "cannot bind %s port %u: %s", address, port, strerror(code));
    return true;
}

static uint16_t bound_port(int fd)
{
    struct sockaddr_storage name;
    socklen_t length = sizeof(name);
    if (getsockname(fd, (struct sockaddr *)&name, &length) != 0)
        return 0;
    return ntohs(name.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&name)->sin6_port
                                            : ((struct sockaddr_in *)&name)->sin_port);
}

static char *make_name(const struct listener *listener, const struct listener_address *address)
{
    struct buffer name = {0};
    if (address->unix_path != NULL)
        buffer_appendf(&name, "unix:%s", address->unix_path);
    else
        buffer_appendf(&name,
                       strchr(address->inet_address, ':') != NULL ? "inet:[%s]:%u" : "inet:%s:%u",
                       address->inet_address, bound_port(listener->fd));
    buffer_text(&name);
    return name.data;
}

static bool open_socket(struct listener *listener, const struct listener_address *address,
                        struct error *error)
{
    if (address->unix_path != NULL
            ? !bind_unix(listener, address->unix_path, error)
            : !bind_inet(listener, address->inet_address, address->inet_port, error))
        return false;
    listener->name = make_name(listener, address);
    if (listen(listener->fd, BACKLOG) != 0)
        return error_set(error, ERROR_TEMPORARY, "cannot listen on %s: %s", listener->name,
                         strerror(errno));
    return true;
}

static bool watch(struct listener *listener, struct error *error)
{
    if (listener->hooks.accepted == NULL)
        return true;
    struct event_base *base = loop_base(listener->loop);
    listener->readable = event_new(base, listener->fd, EV_READ | EV_PERSIST, on_readable, listener);
    listener->resume = evtimer_new(base, on_resume, listener);
    if (listener->readable == NULL || listener->resume == NULL ||
        event_add(listener->readable, NULL) != 0)
        return error_set(error, ERROR_TEMPORARY, "cannot watch %s: %s", listener->name,
                         strerror(errno));
    return true;
}

bool listener_create(struct loop *loop, const struct listener_address *address,
                     const struct listener_hooks *hooks, struct listener **ret, struct error *error)
{
    struct listener *listener = memory_new(1, sizeof(*listener));
    *listener = (struct listener){.loop = loop, .hooks = *hooks, .fd = -1, .lock_fd = -1};
    if (!open_socket(listener, address, error) || !watch(listener, error)) {
        listener_destroy(listener);
        return false;
    }
    *ret = listener;
    return true;
}

bool listener_adopt(struct loop *loop, int fd, const struct listener_address *address,
                    const struct listener_hooks *hooks, struct listener **ret, struct error *error)
{
    struct listener *listener = memory_new(1, sizeof(*listener));
    *listener = (struct listener){
        .loop = loop,
        .hooks = *hooks,
        .fd = fd,
        .is_inet = address->inet_address != NULL,
        .is_inherited = true,
        .lock_fd = -1,
    };
    listener->name = make_name(listener, address);
    if (!watch(listener, error)) {
        listener_destroy(listener);
        return false;
    }
    *ret = listener;
    return true;
}

const char *listener_name(const struct listener *listener)
{
    return listener->name;
}

/*
 * What is out of our reach may well be in reach of the clients. A path that was bound here and is
 * gone is bound again by the next process; one that was inherited stays as it is.
 */
static enum error_kind connect_error_kind(const struct listener *listener, int code)
{
    switch (code) {
    case EAGAIN:
        return ERROR_BUSY;
    case EACCES:
    case EPERM:
    case EAFNOSUPPORT:
        return ERROR_INVALID; /* a sandbox, the modes of a directory */
    case ENOENT:
    case ENOTDIR:
    case ECONNREFUSED:
        return listener->is_inherited ? ERROR_INVALID : ERROR_TEMPORARY;
    default:
        return ERROR_TEMPORARY;
    }
}

bool listener_connect(const struct listener *listener, int *ret_fd, struct error *error)
{
    struct sockaddr_storage name = {0};
    socklen_t length = sizeof(name);
    if (getsockname(listener->fd, (struct sockaddr *)&name, &length) != 0)
        return error_set(error, ERROR_TEMPORARY, "%s has no name: %s", listener->name,
                         strerror(errno));
    int fd = socket(name.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return error_set(error, connect_error_kind(listener, errno), "cannot make a socket: %s",
                         strerror(errno));
    if (connect(fd, (struct sockaddr *)&name, length) != 0 && errno != EINPROGRESS) {
        int code = errno;
        close(fd);
        return error_set(error, connect_error_kind(listener, code), "cannot connect to %s: %s",
                         listener->name,
                         code == EAGAIN ? "nobody is accepted there" : strerror(code));
    }
    *ret_fd = fd;
    return true;
}

void listener_hand_in(struct listener *listener, int fd)
{
    listener->hooks.accepted(listener->hooks.context, fd);
}

int listener_fd(const struct listener *listener)
{
    return listener->fd;
}

static void remove_own_socket(const struct listener *listener)
{
    struct stat there;
    if (listener->unix_path != NULL && lstat(listener->unix_path, &there) == 0 &&
        there.st_dev == listener->device && there.st_ino == listener->inode)
        unlink(listener->unix_path);
}

static void close_socket(struct listener *listener)
{
    if (listener->readable != NULL)
        event_free(listener->readable);
    if (listener->resume != NULL)
        event_free(listener->resume);
    listener->readable = listener->resume = NULL;
    file_close_at(&listener->fd);
}

void listener_stop(struct listener *listener)
{
    if (listener->fd < 0)
        return;
    if (listener->is_inherited) {
        close_socket(listener); /* those who wait in it are the next process's */
        return;
    }
    remove_own_socket(listener);
    /* From here on connect() is refused, and those who are waiting can still be accepted; a TCP
     * socket would drop them. */
    if (!listener->is_inet)
        shutdown(listener->fd, SHUT_RD);
    if (listener->hooks.accepted != NULL)
        for (int i = 0; i <= BACKLOG && accept_one(listener) == ACCEPT_TAKEN; i++)
            ;
    close_socket(listener);
    file_close_at(&listener->lock_fd); /* the next server need not wait for our last reply */
}

void listener_destroy(struct listener *listener)
{
    if (listener == NULL)
        return;
    if (listener->fd >= 0)
        remove_own_socket(listener);
    close_socket(listener);
    file_close_at(&listener->lock_fd);
    free(listener->unix_path);
    free(listener->name);
    free(listener);
}
