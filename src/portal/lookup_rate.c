#include "portal/lookup_rate.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "base/timestamp.h"
#include "loop/inquiry.h"

enum {
    LIMIT_MS = 2000,
    ANSWER_MAX_BYTES = 1024 * 1024,
};

struct lookup_rate {
    struct loop *loop;
    const struct config *config;
    struct inquiry *inquiry; /* NULL: none is under way */
    bool has_total;
    double total; /* when it was last asked */
    int64_t total_ms;
    void (*done)(void *context, int64_t lookups_per_minute);
    void *context;
};

struct lookup_rate *lookup_rate_create(struct loop *loop, const struct config *config)
{
    struct lookup_rate *rate = memory_new(1, sizeof(*rate));
    rate->loop = loop;
    rate->config = config;
    return rate;
}

void lookup_rate_destroy(struct lookup_rate *rate)
{
    if (rate == NULL)
        return;
    inquiry_cancel(rate->inquiry);
    free(rate);
}

/* The body of an answer that says its length, as lpaliasd's does. False: it is not whole. */
static bool find_body(struct span answer, struct span *ret)
{
    static const char field[] = "\r\nContent-Length: ";
    const char *end = memmem(answer.data, answer.length, "\r\n\r\n", 4);
    if (end == NULL)
        return false;
    size_t head_length = (size_t)(end + 4 - answer.data);
    const char *length = memmem(answer.data, head_length, field, sizeof(field) - 1);
    if (length == NULL)
        return false;
    /* Digits end at the end of the line. */
    unsigned long long wanted = strtoull(length + sizeof(field) - 1, NULL, 10);
    *ret = (struct span){end + 4, answer.length - head_length};
    return ret->length >= wanted;
}

static bool is_over(struct span bytes)
{
    struct span body;
    return find_body(bytes, &body);
}

bool lookup_rate_read_total(struct span answer, double *ret)
{
    static const char ok[] = "HTTP/1.1 200 ", metric[] = "lpalias_lookups_total{";
    struct span body;
    bool is_some = false;
    double total = 0;
    if (answer.length < sizeof(ok) || memcmp(answer.data, ok, sizeof(ok) - 1) != 0 ||
        !find_body(answer, &body))
        return false;
    CLEANUP(memory_free_at) char *text = memory_copy_bytes(body.data, body.length);
    char *rest = NULL;
    for (char *line = strtok_r(text, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        const char *value = strstr(line, "} ");
        if (strncmp(line, metric, sizeof(metric) - 1) != 0 || value == NULL)
            continue;
        total += strtod(value + 2, NULL);
        is_some = true;
    }
    *ret = total;
    return is_some;
}

static void on_finished(void *context, struct span answer)
{
    struct lookup_rate *rate = context;
    int64_t now_ms = timestamp_monotonic_ms();
    int64_t passed_ms = now_ms - rate->total_ms;
    double total, before = rate->total;
    bool had_total = rate->has_total;
    rate->inquiry = NULL;
    rate->has_total = lookup_rate_read_total(answer, &total);
    if (rate->has_total) {
        rate->total = total;
        rate->total_ms = now_ms;
    }
    bool is_known = had_total && rate->has_total && total >= before && passed_ms > 0;
    rate->done(rate->context, is_known ? (int64_t)((total - before) * 60000 / (double)passed_ms)
                                       : LOOKUP_RATE_UNKNOWN);
}

void lookup_rate_ask(struct lookup_rate *rate,
                     void (*done)(void *context, int64_t lookups_per_minute), void *context)
{
    const struct config_listener *metrics = &rate->config->server.metrics;
    struct inquiry_request request = {
        .address = {metrics->unix_path, metrics->inet_address, metrics->inet_port},
        .question =
            span_of("GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"),
        .limit_ms = LIMIT_MS,
        .limit_bytes = ANSWER_MAX_BYTES,
        .is_over = is_over,
        .finished = on_finished,
        .context = rate,
    };
    if (metrics->text == NULL) {
        done(context, LOOKUP_RATE_UNKNOWN);
        return;
    }
    rate->done = done;
    rate->context = context;
    rate->inquiry = inquiry_start(rate->loop, &request);
}
