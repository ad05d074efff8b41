#include "server/status_pages.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/timestamp.h"
#include "server/exposition.h"
#include "wire/bare_http.h"

#define PLAIN_TEXT "text/plain; charset=utf-8"

/* Metrics that are younger are shown again, so that who asks all the time costs next to nothing. */
enum { METRICS_FRESH_MS = 100 };

struct status_pages {
    struct connection_service service;
    struct status_hooks hooks;
    struct buffer body; /* of the reply at hand */
    struct buffer metrics;
    int64_t metrics_made_ms; /* monotonic */
};

static enum bare_http_status show_metrics(struct status_pages *pages)
{
    int64_t now_ms = timestamp_monotonic_ms();
    if (pages->metrics.length == 0 || now_ms - pages->metrics_made_ms >= METRICS_FRESH_MS) {
        buffer_clear(&pages->metrics);
        pages->hooks.append_metrics(pages->hooks.context, &pages->metrics);
        pages->metrics_made_ms = now_ms;
    }
    buffer_append(&pages->body, pages->metrics.data, pages->metrics.length);
    return BARE_HTTP_OK;
}

/* That this is read at all is the answer; the reasons are for who looks. */
static enum bare_http_status show_health(struct status_pages *pages)
{
    buffer_append_text(&pages->body, "lpaliasd " LPALIAS_VERSION " runs\n");
    if (!pages->hooks.is_ready(pages->hooks.context, &pages->body))
        return BARE_HTTP_OK;
    buffer_append_text(&pages->body, "ready\n");
    return BARE_HTTP_OK;
}

static enum bare_http_status show_readiness(struct status_pages *pages)
{
    if (!pages->hooks.is_ready(pages->hooks.context, &pages->body))
        return BARE_HTTP_UNAVAILABLE;
    buffer_append_text(&pages->body, "ready\n");
    return BARE_HTTP_OK;
}

static const struct page {
    const char *path;
    const char *content_type;
    enum bare_http_status (*show)(struct status_pages *pages); /* appends the body */
} page_table[] = {
    {"/metrics", EXPOSITION_CONTENT_TYPE, show_metrics},
    {"/healthz", PLAIN_TEXT, show_health},
    {"/readyz", PLAIN_TEXT, show_readiness},
};

static const struct page *find_page(struct span path)
{
    for (size_t i = 0; i < ARRAY_LENGTH(page_table); i++)
        if (span_is_text(path, page_table[i].path))
            return &page_table[i];
    return NULL;
}

static enum bare_http_status refuse(struct status_pages *pages, enum bare_http_status status,
                                    const char *text)
{
    buffer_append_text(&pages->body, text);
    return status;
}

/* Fills the body and all of the reply that follows from the request. */
static void answer_request(struct status_pages *pages, const struct bare_http_request *request,
                           struct bare_http_reply *reply)
{
    const struct page *page = find_page(request->path);
    reply->is_head = span_is_text(request->method, "HEAD");
    reply->is_last = request->is_last;
    if (page == NULL)
        reply->status = refuse(pages, BARE_HTTP_NOT_FOUND, "/metrics, /healthz or /readyz\n");
    else if (!reply->is_head && !span_is_text(request->method, "GET"))
        reply->status = refuse(pages, BARE_HTTP_METHOD_NOT_ALLOWED, "GET or HEAD\n");
    else
        reply->status = page->show(pages);
    reply->content_type = page != NULL ? page->content_type : PLAIN_TEXT;
}

static enum connection_step answer(void *context, struct span bytes, struct buffer *out,
                                   size_t *ret_taken)
{
    struct status_pages *pages = context;
    struct bare_http_request request;
    struct bare_http_reply reply = {.content_type = PLAIN_TEXT, .now_s = timestamp_now_s()};
    enum wire_result result = bare_http_take_request(bytes.data, bytes.length, &request, ret_taken);
    if (result == WIRE_NEED_MORE)
        return CONNECTION_NEED_MORE;
    buffer_clear(&pages->body);
    if (result == WIRE_COMPLETE) {
        answer_request(pages, &request, &reply);
    } else {
        reply.status = refuse(pages, BARE_HTTP_BAD_REQUEST, "not a request of HTTP/1.1\n");
        reply.is_last = true;
    }
    reply.body = (struct span){pages->body.data, pages->body.length};
    bare_http_append_reply(out, &reply);
    return reply.is_last ? CONNECTION_LAST : CONNECTION_ANSWERED;
}

struct status_pages *status_pages_create(const struct status_hooks *hooks)
{
    struct status_pages *pages = memory_new(1, sizeof(*pages));
    pages->hooks = *hooks;
    pages->service = (struct connection_service){answer, pages, BARE_HTTP_REQUEST_MAX_BYTES};
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

const struct connection_service *status_pages_service(const struct status_pages *pages)
{
    return &pages->service;
}
