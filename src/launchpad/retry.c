#include "launchpad/retry.h"

#include <inttypes.h>
#include <sodium.h>

bool retry_is_transient(const struct transfer_result *result)
{
    if (result->outcome == TRANSFER_TIMED_OUT || result->outcome == TRANSFER_NETWORK)
        return true;
    if (result->outcome != TRANSFER_ANSWERED)
        return false;
    switch (result->status) {
    case 408:
    case 429:
    case 500:
    case 502:
    case 503:
    case 504:
        return true;
    default:
        return false;
    }
}

int64_t retry_backoff_ms(unsigned number, int64_t first_ms)
{
    int64_t whole_ms = first_ms < RETRY_WAIT_MAX_MS ? first_ms : RETRY_WAIT_MAX_MS;
    for (unsigned i = 1; i < number && whole_ms > 0 && whole_ms < RETRY_WAIT_MAX_MS; i++)
        whole_ms *= 2;
    if (whole_ms > RETRY_WAIT_MAX_MS)
        whole_ms = RETRY_WAIT_MAX_MS;
    int64_t half_ms = whole_ms / 2;
    return whole_ms - half_ms + randombytes_uniform((uint32_t)half_ms + 1);
}

bool retry_wait_ms(const struct transfer_result *result, unsigned number, int64_t first_ms,
                   int64_t left_ms, int64_t *ret_wait_ms, struct error *error)
{
    int64_t wait_ms = retry_backoff_ms(number, first_ms);
    if (result->retry_after_s > RETRY_WAIT_MAX_MS / 1000)
        return error_set(error, ERROR_TEMPORARY,
                         "Retry-After asks for %" PRId64 " s, more than the %d s we wait",
                         result->retry_after_s, RETRY_WAIT_MAX_MS / 1000);
    if (result->retry_after_s * 1000 > wait_ms)
        wait_ms = result->retry_after_s * 1000;
    if (wait_ms >= left_ms)
        return error_set(error, ERROR_TEMPORARY, "no time is left to try again");
    *ret_wait_ms = wait_ms;
    return true;
}

enum transfer_family retry_family(const struct transfer_result *result, enum transfer_family asked)
{
    bool is_silent = result->outcome == TRANSFER_TIMED_OUT || result->outcome == TRANSFER_NETWORK;
    if (!is_silent || asked != TRANSFER_ANY_FAMILY)
        return TRANSFER_ANY_FAMILY;
    switch (result->family) {
    case TRANSFER_IPV4:
        return TRANSFER_IPV6;
    case TRANSFER_IPV6:
        return TRANSFER_IPV4;
    case TRANSFER_ANY_FAMILY:
        break;
    }
    return TRANSFER_ANY_FAMILY;
}
