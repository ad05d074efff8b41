#include "openid/nonce.h"

#include <string.h>

#include "base/timestamp.h"

#define NONCE_TIME_BYTES 20

bool openid_nonce_parse(const char *nonce, int64_t *ret_at_s)
{
    size_t length = strlen(nonce);
    if (length < NONCE_TIME_BYTES || length > OPENID_NONCE_MAX_BYTES ||
        nonce[NONCE_TIME_BYTES - 1] != 'Z')
        return false;
    for (const char *at = nonce; *at != '\0'; at++)
        if (*at <= ' ' || *at > '~')
            return false;
    char time[NONCE_TIME_BYTES + 1] = {0};
    memcpy(time, nonce, NONCE_TIME_BYTES);
    int64_t at_us;
    if (!timestamp_parse_iso_us(time, &at_us))
        return false;
    *ret_at_s = at_us / 1000000;
    return true;
}

bool openid_nonce_is_current(int64_t at_s, int64_t now_s)
{
    return at_s >= now_s - OPENID_NONCE_SKEW_S && at_s <= now_s + OPENID_NONCE_SKEW_S;
}

int64_t openid_nonce_forget_at_s(int64_t at_s)
{
    return at_s + OPENID_NONCE_SKEW_S + 1;
}
