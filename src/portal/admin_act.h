/* What an admin does to the cache, in the admin's own name. */
#ifndef LPALIAS_PORTAL_ADMIN_ACT_H
#define LPALIAS_PORTAL_ADMIN_ACT_H

#include <stdbool.h>

#include "action/actor.h"
#include "base/buffer.h"
#include "base/compiler.h"
#include "base/error.h"

struct call;

struct admin_act {
    struct action action; /* borrows from the others */
    struct buffer actor;  /* "admin:NAME", in the audit log */
    struct keyring *ring;
};

/* False: the call was refused, as the keys cannot be read. *ret is to be finished in any case. */
bool admin_act_begin(struct call *call, struct admin_act *ret) MUST_CHECK;

/* ERROR_INVALID is that something has changed since the call was looked at. */
void admin_act_answer(struct call *call, bool is_done, const struct error *error);

void admin_act_finish(struct admin_act *act);

#endif
