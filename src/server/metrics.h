/*
 * What a monitoring system is told: the counters of the server and how the cache is, by domain. No
 * personal data, and labels of few values only: domains, maps, protocols, listeners and states.
 *
 * Whatever needs a walk over the cache is counted beforehand in small steps between lookups
 * (store/census.h), so that writing all of it takes no longer than there are domains.
 */
#ifndef LPALIAS_SERVER_METRICS_H
#define LPALIAS_SERVER_METRICS_H

#include "base/buffer.h"
#include "config/config.h"
#include "loop/connection.h"
#include "loop/loop.h"
#include "server/cache_health.h"
#include "server/counters.h"
#include "store/reader.h"

/* Rows of the cache that are counted at a time, and the pause before the next ones. */
#define METRICS_COUNT_ROWS     500
#define METRICS_COUNT_PAUSE_MS 10

struct metrics;

/* A listener, for its counters. */
struct metrics_listener {
    const char *name, *protocol;
    uint64_t accepted, accept_failures;
};

/* The server at the moment; all borrowed for the call. */
struct metrics_facts {
    const struct config *config;
    const struct counters *counters;
    const struct metrics_listener *listeners;
    size_t listener_count;
    struct connection_counts connections; /* of Postfix */
    unsigned connection_count, connection_limit;
    enum cache_health cache_health;
};

/* loop and reader are borrowed and must outlive it. Never NULL. */
struct metrics *metrics_create(struct loop *loop, struct store_reader *reader);
void metrics_destroy(struct metrics *metrics);

/* To be called every few seconds: looks at the cache's readers, and counts if it has changed. */
void metrics_tick(struct metrics *metrics);

/* Appends all metrics in Prometheus' text format; wakes the reader. */
void metrics_append(struct metrics *metrics, const struct metrics_facts *facts, struct buffer *out);

#endif
