/*
 * Which failed requests are asked again, and when. Only what can be over by itself is: an answer
 * that is wrong is not asked for until it is right.
 */
#ifndef LPALIAS_LAUNCHPAD_RETRY_H
#define LPALIAS_LAUNCHPAD_RETRY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "transfer/transfer.h"

/* No wait is longer, whether it is our back-off or the server's Retry-After. */
#define RETRY_WAIT_MAX_MS 60000

/* Timeouts, network errors, and the status codes 408, 429, 500, 502, 503, 504 (facts 4.1). */
bool retry_is_transient(const struct transfer_result *result) MUST_CHECK;

/*
 * Back-off before retry number (1 is the first): first_ms doubled each time, at most
 * RETRY_WAIT_MAX_MS, of which a random part between half and all is taken, so that many clients
 * that failed together do not come back together.
 */
int64_t retry_backoff_ms(unsigned number, int64_t first_ms);

/*
 * Given a transient result that may be tried again as retry number: how long to wait, at least
 * as long as Retry-After says (RFC 9110 10.2.3). ERROR_TEMPORARY: that is longer than
 * RETRY_WAIT_MAX_MS or than left_ms of the whole fetch, so waiting is of no use.
 */
bool retry_wait_ms(const struct transfer_result *result, unsigned number, int64_t first_ms,
                   int64_t left_ms, int64_t *ret_wait_ms, struct error *error) MUST_CHECK;

/*
 * The family to prefer after a failure of a request that preferred asked: once the other one, if
 * something was connected and then went silent or broke; else any.
 */
enum transfer_family retry_family(const struct transfer_result *result, enum transfer_family asked);

#endif
