/* What is wrong with the house is told to the operators: membership/alarm.h as an act. */
#ifndef LPALIAS_ACTION_ALARM_H
#define LPALIAS_ACTION_ALARM_H

#include <stdbool.h>
#include <stdint.h>

#include "action/actor.h"
#include "base/error.h"
#include "store/changeset.h"

struct alarm_limits {
    int64_t stale_s; /* a listing that is older is told */
    uint64_t cache_limit_bytes;
};

/*
 * Looks at the cache and puts alarms and all-clears that are due into the outbox. *ret_alarm_count
 * is how many conditions are there, told today or before. Errors as store_update.
 */
bool action_alarm(const struct action *action, const struct alarm_limits *limits,
                  size_t *ret_alarm_count, struct store_update_result *ret,
                  struct error *error) MUST_CHECK;

#endif
