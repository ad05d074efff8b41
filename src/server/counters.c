#include "server/counters.h"

const char *counters_protocol_name(enum config_protocol protocol)
{
    static const char *const names[COUNTERS_PROTOCOLS] = {
        [CONFIG_SOCKETMAP] = "socketmap",
        [CONFIG_TCP_TABLE] = "tcp_table",
        [CONFIG_POLICY] = "policy",
    };
    return names[protocol];
}

static unsigned bucket_of(int64_t duration_ns)
{
    static const int64_t bounds_us[] = COUNTERS_LATENCY_BOUNDS_US;
    _Static_assert(ARRAY_LENGTH(bounds_us) + 1 == COUNTERS_LATENCY_BUCKETS, "and one without");
    unsigned bucket = 0;
    while (bucket < ARRAY_LENGTH(bounds_us) && duration_ns > bounds_us[bucket] * 1000)
        bucket++;
    return bucket;
}

void counters_note_lookup(struct counters *counters, enum config_protocol protocol, unsigned map,
                          enum lookup_outcome outcome, int64_t began_ns, int64_t now_ns)
{
    counters->lookups[protocol][map][outcome]++;
    counters->latency[bucket_of(now_ns - began_ns)]++;
    counters->latency_sum_ns += now_ns - began_ns;
}

void counters_note_reload(struct counters *counters, bool is_refused)
{
    if (is_refused)
        counters->refused_reloads++;
    else
        counters->reloads++;
    counters->is_last_reload_refused = is_refused;
}
