/*
 * What the provider seems to have said of somebody, until it is known that it did. The order is
 * fixed: verify, then the nonce, then the identity; a step left out is a bug and aborts.
 */
#ifndef LPALIAS_OPENID_ASSERTION_H
#define LPALIAS_OPENID_ASSERTION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "openid/form.h"
#include "openid/identity.h"
#include "openid/refusal.h"

struct openid_assertion;

/* Takes over the fields of form, which passed the checks of openid_answer_judge(). */
struct openid_assertion *openid_assertion_create(struct openid_form *form);

/* NULL is accepted. */
void openid_assertion_destroy(struct openid_assertion *assertion);

/*
 * The body of the one check_authentication that is to be POSTed to the provider's endpoint as
 * application/x-www-form-urlencoded; borrowed from the assertion. The provider answers it once, so
 * it must never be sent again: after a timeout the login begins anew (facts 7.4).
 */
struct span openid_assertion_verification(const struct openid_assertion *assertion);

/*
 * Judges the provider's reply; status is 0 if none came. False: OPENID_REFUSAL_SIGNATURE (it says
 * is_valid:false) or OPENID_REFUSAL_CANNOT_VERIFY (no reply, another status than 200, no lines of
 * "key:value", or not exactly one is_valid).
 */
bool openid_assertion_verify(struct openid_assertion *assertion, unsigned status, struct span reply,
                             struct openid_refusal *refusal) MUST_CHECK;

/*
 * Judges the nonce at now_s. *ret_nonce (borrowed from the assertion) is to be written down until
 * *ret_forget_at_s, atomically and durably, before the identity is used; one that stood there
 * already is OPENID_REFUSAL_NONCE_USED. False: OPENID_REFUSAL_NONCE_FORM,
 * OPENID_REFUSAL_NONCE_TIME.
 */
bool openid_assertion_check_nonce(struct openid_assertion *assertion, int64_t now_s,
                                  const char **ret_nonce, int64_t *ret_forget_at_s,
                                  struct openid_refusal *refusal) MUST_CHECK;

/* Who it is; borrowed from the assertion. */
const struct openid_identity *openid_assertion_identity(const struct openid_assertion *assertion);

#endif
