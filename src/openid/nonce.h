/*
 * response_nonce: what makes each answer of the provider the only one of its kind. Whoever accepts
 * an answer must write its nonce down for good, and refuse the answer if it stood there already:
 * one atomic step, in one place for all processes, on the disk before the person is logged in.
 */
#ifndef LPALIAS_OPENID_NONCE_H
#define LPALIAS_OPENID_NONCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

#define OPENID_NONCE_MAX_BYTES 255

/*
 * How far the clocks may be apart, and how long a browser may take to bring an answer. An answer is
 * made when the person agrees and comes at once, so minutes are enough.
 */
#define OPENID_NONCE_SKEW_S 300

/*
 * "YYYY-MM-DDThh:mm:ssZ" and what makes it unique, visible ASCII, OPENID_NONCE_MAX_BYTES in all
 * (OpenID 2.0, 10.1). False: anything else.
 */
bool openid_nonce_parse(const char *nonce, int64_t *ret_at_s) MUST_CHECK;

/* Whether a nonce of at_s may still be used: within OPENID_NONCE_SKEW_S before or after now_s. */
bool openid_nonce_is_current(int64_t at_s, int64_t now_s) MUST_CHECK;

/* From then on a nonce of at_s is not current whether it was written down or not. */
int64_t openid_nonce_forget_at_s(int64_t at_s);

#endif
