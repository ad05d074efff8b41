/* Writing down what the DNS says of the proof of domains. */
#ifndef LPALIAS_ACTION_PROOF_H
#define LPALIAS_ACTION_PROOF_H

#include <stdbool.h>
#include <stddef.h>

#include "action/actor.h"
#include "base/error.h"
#include "domaincheck/answer.h"
#include "store/changeset.h"

/*
 * Seen makes a domain proven; absent and bogus make a proven one lost; to be unable to tell changes
 * nothing, and what was never proven cannot be lost. Domains that are not configured, or ask for
 * no proof, are passed over. A proven domain that the cache does not have yet comes into it, closed
 * and without a member. ERROR_TEMPORARY: the cache.
 */
bool action_proof(const struct action *action, const struct domaincheck_answer *answers,
                  size_t count, struct store_update_result *ret, struct error *error) MUST_CHECK;

#endif
