/*
 * Who is logged in, as the cache knows it, and what acts of that person need. Who it is says the
 * claimed identifier of the session, not its name, which may be somebody else's by now.
 */
#ifndef LPALIAS_PORTAL_MEMBER_H
#define LPALIAS_PORTAL_MEMBER_H

#include <stdbool.h>

#include "action/actor.h"
#include "base/buffer.h"
#include "base/compiler.h"
#include "base/error.h"
#include "portal/answer.h"
#include "portal/call.h"
#include "store/record.h"

struct member {
    struct action action; /* in the person's own name */
    struct keyring *ring;
    const char *identifier; /* borrowed of the session */
    bool is_known;          /* else the two below are empty */
    struct buffer name;
    struct person_record person; /* borrowed of the call's snapshot */
};

/*
 * Opens the call's snapshot. False: the call was refused, as the cache or its keys cannot be read.
 * *ret is to be finished in any case, and before the call is answered only if that is not needed
 * any more: it outlives the call.
 */
bool member_begin(struct call *call, struct member *ret) MUST_CHECK;

/* The same, of who may change something. False: also, not known here, or banned. */
bool member_begin_act(struct call *call, struct member *ret) MUST_CHECK;

/* {"done": true}; of ERROR_INVALID that refusal, as the caller knows what it means. */
void member_answer(struct call *call, bool is_done, const struct error *error,
                   enum refusal refusal);

void member_finish(struct member *member);

#endif
