/*
 * Who asks: OAuth 1.0 credentials of a Launchpad account, from the file that launchpadlib writes
 * and reads (facts 5; launchpadlib credentials.py, lazr.restfulclient authorize/oauth.py). They let
 * their holder act as that account, so they are kept in locked memory that is wiped, and no text
 * that is made here holds any of them.
 */
#ifndef LPALIAS_LAUNCHPAD_CREDENTIALS_H
#define LPALIAS_LAUNCHPAD_CREDENTIALS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/error.h"

struct credentials;

/*
 * Reads the section [1] of a file of Python's ConfigParser: consumer_key, consumer_secret (may be
 * empty), access_token, access_secret; "%%" is a percent sign. ERROR_INVALID: group or others may
 * read or write the file, it is no regular file, or it is not of that form (line number in the
 * text); ERROR_TEMPORARY: it cannot be read, or there is no memory to lock.
 */
bool credentials_read(const char *path, struct credentials **ret, struct error *error) MUST_CHECK;

/* Wipes and frees; NULL is accepted. */
void credentials_destroy(struct credentials *credentials);

/*
 * Appends the value of an Authorization header, signed as PLAINTEXT (RFC 5849 3.4.4, 3.5.1), with
 * a nonce of its own. The realm is the origin of api and comes first, as Launchpad's parser drops
 * what stands before the first comma. out grows once, so that whoever wipes it wipes all copies.
 */
void credentials_append_header(const struct credentials *credentials, const char *api,
                               int64_t now_s, struct buffer *out);

/*
 * True if nobody on the way can read what is sent to that URL: https, or http to a loopback
 * address or to "localhost" (RFC 6761 6.3, which curl resolves by itself).
 */
bool credentials_are_safe_to_send(const char *url) MUST_CHECK;

#endif
