/* Who is asking, behind proxies. */
#ifndef LPALIAS_PORTAL_CLIENT_H
#define LPALIAS_PORTAL_CLIENT_H

#include "base/buffer.h"
#include "config/config.h"

/*
 * Appends what limits count by: the numeric IPv4 address, or the /64 of the IPv6 one. peer is the
 * other end of the connection ("" of a unix socket). forwarded_for (X-Forwarded-For or NULL) is
 * believed when the peer is a proxy, that is on this host or in trusted; and in it, from the right,
 * for as long as it names such ones.
 */
void client_append_address(struct buffer *out, const char *peer, const char *forwarded_for,
                           const struct config_list *trusted);

#endif
