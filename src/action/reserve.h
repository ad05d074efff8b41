/* Reserving a name of a domain by hand: it is nobody's from now on. */
#ifndef LPALIAS_ACTION_RESERVE_H
#define LPALIAS_ACTION_RESERVE_H

#include <stdbool.h>

#include "action/actor.h"
#include "base/error.h"
#include "store/changeset.h"

/*
 * The name is kept as a static alias that is refused; action_alias_remove takes that away. reason:
 * text for the audit log, may be "". ERROR_INVALID: somebody has it or may still be written to
 * under it, it is a role, an extension of a known name, or nobody's already; ERROR_TEMPORARY.
 */
bool action_reserve(const struct action *action, const char *domain, const char *local,
                    const char *reason, struct store_update_result *ret,
                    struct error *error) MUST_CHECK;

#endif
