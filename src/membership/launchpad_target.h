/*
 * The weakest of a person's three sources of targets: the preferred address on Launchpad, which
 * is proven by Launchpad's own word and only kept for people without a stronger proven target.
 */
#ifndef LPALIAS_MEMBERSHIP_LAUNCHPAD_TARGET_H
#define LPALIAS_MEMBERSHIP_LAUNCHPAD_TARGET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/error.h"
#include "launchpad/listing.h"
#include "membership/projection.h"
#include "store/record.h"

/*
 * Brings the Launchpad target of person, the row as it is to be, into line with seen: the person
 * in count listings, NULL where absent. What says most counts: an address before none before
 * unknown; somebody of another date_created_us says nothing.
 *
 * - Unknown (redacted, fetched without credentials, or nowhere seen) changes nothing, and an
 *   address that is no target (inside a domain of ours, or by no rule of ours) is as unknown.
 * - A person with a proven target of the operator or of their own loses the Launchpad one.
 * - An address takes the place of the one before, at once: a field is not subject to paging.
 * - None takes the target away from those who are live nowhere. It leaves it with the live: one
 *   listing makes no live alias pending, and who has no preferred address any more is not valid
 *   (facts 2.1), for which there is a rule with a grace of its own.
 *
 * Where something changes, person->sealed_targets is sealed anew into *sealed, which must outlive
 * the use of person, and *ret_is_changed is set; it is cleared otherwise. Nothing is put: whoever
 * puts the row puts what follows from it in every domain, and the event. What does not open is left
 * for the projection to complain of. ERROR_TEMPORARY: the cache, or a key is missing.
 */
bool launchpad_target_fold(const struct planning *planning, const char *name,
                           const struct listing_person *const *seen, size_t count,
                           struct person_record *person, struct buffer *sealed,
                           bool *ret_is_changed, struct error *error) MUST_CHECK;

/* Puts the event of a change that was folded into person. */
void launchpad_target_put_event(const struct planning *planning, const char *name,
                                const struct person_record *person);

#endif
