/*
 * A listening socket. Two servers never listen on one unix path: a lock file beside it says who
 * may bind (see listener_create), and only a socket that nobody answers on is ever removed.
 */
#ifndef LPALIAS_LOOP_LISTENER_H
#define LPALIAS_LOOP_LISTENER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "loop/loop.h"

/*
 * Descriptors that connections leave to the rest of the process as long as others can be closed
 * for them: the cache and the keys are opened anew while it serves.
 */
#define LISTENER_RESERVED_DESCRIPTORS 16

struct listener;

/* Where to listen: either unix_path, or inet_address with inet_port. */
struct listener_address {
    const char *unix_path;    /* absolute, or NULL */
    const char *inet_address; /* numeric IPv4 or IPv6 without brackets, or NULL */
    uint16_t inet_port;       /* 0: any free one */
};

struct listener_hooks {
    /*
     * A connection, non-blocking and close-on-exec; the hook takes over fd. NULL: the socket only
     * listens, and who made the listener accepts from listener_fd() by other means.
     */
    void (*accepted)(void *context, int fd);
    /* Connections cannot be accepted for now; it is tried again in a second. */
    void (*troubled)(void *context, const char *text);
    void *context;
    /*
     * Descriptors run out while somebody waits: closes a connection for the new one, or returns
     * false as there is none. Also called to keep LISTENER_RESERVED_DESCRIPTORS free. May be NULL.
     */
    bool (*make_room)(void *context);
};

/*
 * Binds and listens; hooks are copied. A unix socket has mode 0660 from its first moment; PATH.lock
 * is locked until listener_stop() and stays behind afterwards, as removing a lock file
 * would let two hold it. ERROR_BUSY: another server is listening there; ERROR_INVALID: not an
 * address, a path that is too long, or something else than a socket at the path;
 * ERROR_TEMPORARY: the system refuses.
 */
bool listener_create(struct loop *loop, const struct listener_address *address,
                     const struct listener_hooks *hooks, struct listener **ret,
                     struct error *error) MUST_CHECK;

/*
 * Accepts connections of a socket that listens on address already (loop/inherited.h) and that other
 * processes may hold as well. Takes over fd, which is closed on failure, too. ERROR_TEMPORARY: the
 * system refuses.
 */
bool listener_adopt(struct loop *loop, int fd, const struct listener_address *address,
                    const struct listener_hooks *hooks, struct listener **ret,
                    struct error *error) MUST_CHECK;

/*
 * "unix:/path", "inet:127.0.0.1:10041", "inet:[::1]:10041", with the port that was really bound.
 * Borrowed.
 */
const char *listener_name(const struct listener *listener);

/* The listening socket, or -1 once it was stopped. Borrowed. */
int listener_fd(const struct listener *listener);

/*
 * Makes a non-blocking connection to the listener, as its clients do; *ret_fd is the caller's.
 * ERROR_BUSY: the queue of those who wait to be accepted is full; ERROR_INVALID: this process may
 * not connect to it, or cannot find it, and no other process of this kind could; ERROR_TEMPORARY:
 * anything else.
 */
bool listener_connect(const struct listener *listener, int *ret_fd, struct error *error) MUST_CHECK;

/* Takes over fd, a non-blocking stream socket, as if it had been accepted. */
void listener_hand_in(struct listener *listener, int fd);

/*
 * Hands on the connections that are waiting, then closes the socket, which it has removed from the
 * file system before if it was still the one that was bound here, and lets go of the lock: another
 * server may listen there from then on. An adopted socket is only closed.
 */
void listener_stop(struct listener *listener);

/* Without listener_stop() before, waiting connections are lost. NULL is fine. */
void listener_destroy(struct listener *listener);

#endif
