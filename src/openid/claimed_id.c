#include "openid/claimed_id.h"

#include <string.h>

static const char id_bytes[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";

bool openid_claimed_id_is_of(const struct openid_provider *provider, const char *claimed_id)
{
    size_t prefix_length = strlen(provider->identifiers);
    if (strncmp(claimed_id, provider->identifiers, prefix_length) != 0)
        return false;
    const char *id = claimed_id + prefix_length;
    size_t length = strspn(id, id_bytes);
    return length != 0 && length <= OPENID_CLAIMED_ID_MAX_ID_BYTES && id[length] == '\0';
}

void openid_claimed_id_append_for_launchpad(const struct openid_provider *provider,
                                            const char *claimed_id, struct buffer *out)
{
    buffer_append_text(out, "https://login.launchpad.net/+id/");
    buffer_append_text(out, claimed_id + strlen(provider->identifiers));
}
