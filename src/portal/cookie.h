/* Cookies: RFC 6265, with the prefix __Host- of its successor. */
#ifndef LPALIAS_PORTAL_COOKIE_H
#define LPALIAS_PORTAL_COOKIE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"

/*
 * Browsers keep a __Host- cookie to the very host that set it, over a connection they trust, for
 * all paths; http://localhost is one that they trust.
 */
#define COOKIE_SESSION "__Host-lpalias"
/* Binds a login to the browser; it also comes along when the provider makes the browser POST. */
#define COOKIE_LOGIN "__Host-lpalias-login"

enum cookie_same_site { COOKIE_LAX, COOKIE_NONE };

/*
 * Appends the value of the cookie of that name in a Cookie header (may be NULL). False: it is not
 * there, or there twice, which a browser does not do with such a name.
 */
bool cookie_find(const char *header, const char *name, struct buffer *ret_value);

/* Appends a Set-Cookie value; max_age_s 0 takes the cookie away. */
void cookie_append(struct buffer *out, const char *name, const char *value,
                   enum cookie_same_site same_site, int64_t max_age_s);

#endif
