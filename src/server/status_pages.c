#include "server/status_pages.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/timestamp.h"
#include "server/exposition.h"

#define PLAIN_TEXT "text/plain; charset=utf-8"

/* Metrics that are younger are shown again, so that who asks all the time costs next to nothing. */
enum { METRICS_FRESH_MS = 100 };

struct status_pages {
    struct status_hooks hooks;
    struct buffer body; /* of the answer at hand, as the headers */
    struct http_header headers[3];
    struct buffer metrics;
    int64_t metrics_made_ms; /* monotonic */
};

/* Of HTTP (RFC 9110 15). */
enum {
    STATUS_OK = 200,
    STATUS_BAD_REQUEST = 400,
    STATUS_NOT_FOUND = 404,
    STATUS_METHOD_NOT_ALLOWED = 405,
    STATUS_UNAVAILABLE = 503,
};

static unsigned show_metrics(struct status_pages *pages)
{
    int64_t now_ms = timestamp_monotonic_ms();
    if (pages->metrics.length == 0 || now_ms - pages->metrics_made_ms >= METRICS_FRESH_MS) {
        buffer_clear(&pages->metrics);
        pages->hooks.append_metrics(pages->hooks.context, &pages->metrics);
        pages->metrics_made_ms = now_ms;
    }
    buffer_append(&pages->body, pages->metrics.data, pages->metrics.length);
    return STATUS_OK;
}

/* That this is read at all is the answer; the reasons are for who looks. */
static unsigned show_health(struct status_pages *pages)
{
    buffer_append_text(&pages->body, "lpaliasd " LPALIAS_VERSION " runs\n");
    if (!pages->hooks.is_ready(pages->hooks.context, &pages->body))
        return STATUS_OK;
    buffer_append_text(&pages->body, "ready\n");
    return STATUS_OK;
}

static unsigned show_readiness(struct status_pages *pages)
{
    if (!pages->hooks.is_ready(pages->hooks.context, &pages->body))
        return STATUS_UNAVAILABLE;
    buffer_append_text(&pages->body, "ready\n");
    return STATUS_OK;
}

static const struct page {
    const char *path;
    const char *content_type;
    unsigned (*show)(struct status_pages *pages); /* appends the body; the status */
} page_table[] = {
    {"/metrics", EXPOSITION_CONTENT_TYPE, show_metrics},
    {"/healthz", PLAIN_TEXT, show_health},
    {"/readyz", PLAIN_TEXT, show_readiness},
};

static const struct page *find_page(const char *path)
{
    for (size_t i = 0; i < ARRAY_LENGTH(page_table); i++)
        if (strcmp(path, page_table[i].path) == 0)
            return &page_table[i];
    return NULL;
}

static unsigned refuse(struct status_pages *pages, unsigned status, const char *text)
{
    buffer_append_text(&pages->body, text);
    return status;
}

static bool is_allowed(const char *method)
{
    return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
}

/* The status; fills the body. */
static unsigned show(struct status_pages *pages, const struct status_question *question,
                     const char **ret_content_type)
{
    const struct page *page = find_page(question->path);
    *ret_content_type = PLAIN_TEXT;
    buffer_clear(&pages->body);
    if (!question->has_valid_host)
        return refuse(pages, STATUS_BAD_REQUEST, "not one Host\n");
    if (page == NULL)
        return refuse(pages, STATUS_NOT_FOUND, "/metrics, /healthz or /readyz\n");
    if (!is_allowed(question->method))
        return refuse(pages, STATUS_METHOD_NOT_ALLOWED, "GET or HEAD\n");
    *ret_content_type = page->content_type;
    return page->show(pages);
}

void status_pages_answer(struct status_pages *pages, const struct status_question *question,
                         struct http_answer *ret)
{
    const char *content_type;
    unsigned status = show(pages, question, &content_type);
    const struct http_header headers[] = {
        {"Content-Type", content_type},
        {"Cache-Control", "no-store"},
        {"Allow", "GET, HEAD"},
    };
    _Static_assert(ARRAY_LENGTH(headers) == ARRAY_LENGTH(pages->headers), "room for all");
    memcpy(pages->headers, headers, sizeof(headers));
    *ret = (struct http_answer){
        .status = status,
        .headers = pages->headers,
        /* Only who used another method is told which there are. */
        .header_count = ARRAY_LENGTH(headers) - (status == STATUS_METHOD_NOT_ALLOWED ? 0 : 1),
        .body = {pages->body.data, pages->body.length},
    };
}

struct status_pages *status_pages_create(const struct status_hooks *hooks)
{
    struct status_pages *pages = memory_new(1, sizeof(*pages));
    pages->hooks = *hooks;
    return pages;
}

void status_pages_destroy(struct status_pages *pages)
{
    if (pages == NULL)
        return;
    buffer_finish(&pages->body);
    buffer_finish(&pages->metrics);
    free(pages);
}
