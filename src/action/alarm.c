#include "action/alarm.h"

#include "membership/alarm.h"

bool action_alarm(const struct action *action, const struct alarm_limits *limits,
                  size_t *ret_alarm_count, struct store_update_result *ret, struct error *error)
{
    struct alarm_request request = {
        .house = action->house,
        .ring = action->ring,
        .stale_s = limits->stale_s,
        .cache_limit_bytes = limits->cache_limit_bytes,
        .now_s = action->now_s,
    };
    if (!store_update(action->store, alarm_plan, &request, ret, error))
        return false;
    *ret_alarm_count = request.alarm_count;
    return true;
}
