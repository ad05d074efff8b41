/*
 * The pages for monitoring, over HTTP: /metrics, /healthz and /readyz. They hold no address and no
 * name of a person.
 */
#ifndef LPALIAS_SERVER_STATUS_PAGES_H
#define LPALIAS_SERVER_STATUS_PAGES_H

#include "base/buffer.h"
#include "loop/connection.h"

struct status_hooks {
    /* Appends the metrics. */
    void (*append_metrics)(void *context, struct buffer *out);
    /* False: not all lookups can be answered now; appends why, a line for each reason. */
    bool (*is_ready)(void *context, struct buffer *reasons);
    void *context;
};

struct status_pages;

/* hooks are copied. Never NULL. */
struct status_pages *status_pages_create(const struct status_hooks *hooks);
void status_pages_destroy(struct status_pages *pages);

/* What a connection pool calls. Lives as long as the pages. */
const struct connection_service *status_pages_service(const struct status_pages *pages);

#endif
