/*
 * Listening sockets that were opened before this process and live on after it: the protocol of
 * sd_listen_fds(3), which systemd's socket units and `systemd-socket-activate` speak. Connections
 * that come while no server runs wait in such a socket.
 */
#ifndef LPALIAS_LOOP_INHERITED_H
#define LPALIAS_LOOP_INHERITED_H

#include <stdbool.h>

#include "base/compiler.h"
#include "base/error.h"
#include "loop/listener.h"

struct inherited;

/*
 * Takes over the descriptors that LISTEN_PID and LISTEN_FDS hand to this process, and takes those
 * variables out of the environment. *ret is never NULL on success, as there may well be none.
 * ERROR_INVALID: the variables make no sense, or what they name is no listening stream socket.
 */
bool inherited_take(struct inherited **ret, struct error *error) MUST_CHECK;

/*
 * The socket that listens on address, which the caller takes over; -1: there is none. Each is given
 * once.
 */
int inherited_claim(struct inherited *inherited, const struct listener_address *address) MUST_CHECK;

/*
 * Listens on address: with the socket that was handed over for it (listener_adopt), else with a new
 * one (listener_create), and with the errors of these.
 */
bool inherited_listen(struct inherited *inherited, struct loop *loop,
                      const struct listener_address *address, const struct listener_hooks *hooks,
                      struct listener **ret, struct error *error) MUST_CHECK;

/*
 * ERROR_INVALID, with its name: a socket was not claimed, so that those who connect to it would
 * never be answered.
 */
bool inherited_all_claimed(const struct inherited *inherited, struct error *error) MUST_CHECK;

/* Closes what was not claimed. NULL is fine. */
void inherited_destroy(struct inherited *inherited);

#endif
