/* What became of one request to the web service, in words and as a question. */
#ifndef LPALIAS_LAUNCHPAD_OUTCOME_H
#define LPALIAS_LAUNCHPAD_OUTCOME_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "transfer/transfer.h"

/*
 * Appends one line. is_logged_in: credentials were sent, so an answer that may be about them is not
 * quoted.
 */
void outcome_append(struct buffer *out, const struct transfer_result *result, bool is_logged_in);

/* Whether the answer says that it is JSON. */
bool outcome_is_json(const struct transfer_result *result) MUST_CHECK;

#endif
