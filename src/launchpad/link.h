/*
 * URLs of the web service: those that we build, and the test that a link from a page must pass
 * before it is followed. A link can only lead to another part of the collection it came from.
 */
#ifndef LPALIAS_LAUNCHPAD_LINK_H
#define LPALIAS_LAUNCHPAD_LINK_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/error.h"

/* "API/~TEAM" and "API/~TEAM/participants"; caller frees. api ends without a slash. */
char *link_to_team(const char *api, const char *team);
char *link_to_participants(const char *api, const char *team);

/* "API/~NAME/super_teams": all teams that somebody is in, by way of others too; caller frees. */
char *link_to_super_teams(const char *api, const char *name);

/*
 * The question who is behind an OpenID identifier, which only the version "devel" of the service
 * answers (facts 7.1): that of the same root, whatever version api is. Caller frees.
 */
char *link_to_login(const char *api, const char *identifier);

/*
 * Whether link, from a page of collection, may be followed: an absolute URL of visible ASCII with
 * the same scheme, host, port and path, a query and nothing else (facts 3.2, client guards).
 * Host and scheme compare without case, the default port may be spelt out, and the path may use
 * percent-encoding (RFC 3986 6.2.2, 6.2.3). ERROR_INVALID: no; the text says which part differs.
 */
bool link_check(const char *collection, const char *link, struct error *error) MUST_CHECK;

/* "scheme://authority" and the host of a URL, borrowed from it; empty if it is no plain one. */
struct span link_origin(const char *url);
struct span link_host(const char *url);

/*
 * Appends the mail address, percent-decoded, of a link "API/~NAME/+email/ADDRESS" (facts 2.1); API
 * and NAME compare as in link_check(). It is visible ASCII with other bytes above it at most, and
 * not checked further. ERROR_INVALID: another link, malformed encoding, or control bytes; the text
 * holds nothing of the address.
 */
bool link_read_email(const char *api, const char *name, const char *link, struct buffer *ret,
                     struct error *error) MUST_CHECK;

#endif
