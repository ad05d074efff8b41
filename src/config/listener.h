/* Where the server listens: "unix:/path" or "inet:ADDRESS:PORT", numeric so that no DNS is asked.
 */
#ifndef LPALIAS_CONFIG_LISTENER_H
#define LPALIAS_CONFIG_LISTENER_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "config/config.h"

/*
 * Fills the fields text, unix_path, inet_address and inet_port of ret_listener, which
 * listener_finish() frees; the address is written in its canonical form. False: "is ...; hint"
 * was appended to wrong.
 */
bool listener_parse(const char *text, struct config_listener *ret_listener,
                    struct buffer *wrong) MUST_CHECK;

/* Only this host can reach it: a unix socket, 127.0.0.0/8 or ::1, mapped into IPv6 too. */
bool listener_is_local(const struct config_listener *listener);

/* Both cannot be open at a time. Port 0 is a new one each time. */
bool listener_is_same(const struct config_listener *a, const struct config_listener *b);

/* A numeric IPv4 or IPv6 address in its canonical form, or NULL if it is none. Caller frees. */
char *listener_canonical_address(const char *address);

void listener_finish(struct config_listener *listener);

#endif
