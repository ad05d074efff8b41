/* What the server counts while it runs; one for the process. Zeroed: nothing yet. */
#ifndef LPALIAS_SERVER_COUNTERS_H
#define LPALIAS_SERVER_COUNTERS_H

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
#include "lookup/lookup.h"

#define COUNTERS_PROTOCOLS (CONFIG_POLICY + 1)
#define COUNTERS_NO_MAP    LOOKUP_MAP_COUNT /* stands for all names that are no map */

/* How a request ended. */
enum lookup_outcome {
    OUTCOME_FOUND,
    OUTCOME_ABSENT,
    OUTCOME_TEMPORARY, /* cannot tell, or the answer could not be sent as it is */
    OUTCOME_NO_MAP,
    OUTCOME_NOT_ASKED, /* a request that no map is asked for: "put", another policy state */
};
#define COUNTERS_OUTCOMES (OUTCOME_NOT_ASKED + 1)

/* Upper bounds of how long a lookup took; the last bucket has none. */
#define COUNTERS_LATENCY_BOUNDS_US                                              \
    {                                                                           \
        5, 10, 25, 50, 100, 250, 500, 1000, 2500, 10000, 50000, 250000, 1000000 \
    }
#define COUNTERS_LATENCY_BUCKETS 14

struct counters {
    uint64_t lookups[COUNTERS_PROTOCOLS][LOOKUP_MAP_COUNT + 1][COUNTERS_OUTCOMES];
    uint64_t latency[COUNTERS_LATENCY_BUCKETS]; /* of all lookups, each in one bucket */
    int64_t latency_sum_ns;
    uint64_t unsendable_replies;
    uint64_t reloads, refused_reloads;
    bool is_last_reload_refused;
};

/* A request of which the reply is written; both times of timestamp_monotonic_ns(). */
void counters_note_lookup(struct counters *counters, enum config_protocol protocol, unsigned map,
                          enum lookup_outcome outcome, int64_t began_ns, int64_t now_ns);

/* As in metrics and the log: "socketmap", "tcp_table", "policy". */
const char *counters_protocol_name(enum config_protocol protocol);

void counters_note_reload(struct counters *counters, bool is_refused);

#endif
