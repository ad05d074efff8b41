/*
 * The pages for monitoring: /metrics, /healthz and /readyz. They hold no address and no name of a
 * person.
 */
#ifndef LPALIAS_SERVER_STATUS_PAGES_H
#define LPALIAS_SERVER_STATUS_PAGES_H

#include "base/buffer.h"
#include "loop/http_server.h"

struct status_hooks {
    /* Appends the metrics. */
    void (*append_metrics)(void *context, struct buffer *out);
    /* False: not all lookups can be answered now; appends why, a line for each reason. */
    bool (*is_ready)(void *context, struct buffer *reasons);
    void *context;
};

struct status_question {
    const char *method, *path; /* as http_request_method() and http_request_path() */
    bool has_valid_host;
};

struct status_pages;

/* hooks are copied. Never NULL. */
struct status_pages *status_pages_create(const struct status_hooks *hooks);
void status_pages_destroy(struct status_pages *pages);

/* What *ret points to is borrowed until the next question. */
void status_pages_answer(struct status_pages *pages, const struct status_question *question,
                         struct http_answer *ret);

#endif
