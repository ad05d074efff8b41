/* The identifier of an account of the provider, which is what a person is known by. */
#ifndef LPALIAS_OPENID_CLAIMED_ID_H
#define LPALIAS_OPENID_CLAIMED_ID_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "openid/provider.h"

/* Of the id behind the prefix; as a rule it has 7 (facts 7.1). */
#define OPENID_CLAIMED_ID_MAX_ID_BYTES 64

/* The very prefix of the provider and an id of [A-Za-z0-9_-]+ behind it, nothing else. */
bool openid_claimed_id_is_of(const struct openid_provider *provider,
                             const char *claimed_id) MUST_CHECK;

/*
 * Appends what Launchpad calls that account, whatever host the provider has: what its
 * getByOpenIDIdentifier understands (facts 7.1). claimed_id passed openid_claimed_id_is_of().
 */
void openid_claimed_id_append_for_launchpad(const struct openid_provider *provider,
                                            const char *claimed_id, struct buffer *out);

#endif
