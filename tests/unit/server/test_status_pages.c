/* status_pages: which request gets which page, and how often metrics are made. */
#include <stdio.h>
#include <string.h>

#include "../store/clock.h"
#include "../unit.h"
#include "server/status_pages.h"

struct house {
    unsigned made; /* how often metrics were */
    bool is_ready;
};

static void append_metrics(void *context, struct buffer *out)
{
    struct house *house = context;
    house->made++;
    buffer_appendf(out, "made %u\n", house->made);
}

static bool is_ready(void *context, struct buffer *reasons)
{
    const struct house *house = context;
    if (!house->is_ready)
        buffer_append_text(reasons, "the reason\n");
    return house->is_ready;
}

#define HOST " HTTP/1.1\r\nHost: h\r\n\r\n"

static const struct {
    const char *request;
    bool is_ready;
    const char *status, *body;
    enum connection_step step;
} cases[] = {
    {"GET /metrics" HOST, false, "200 OK", "made 1\n", CONNECTION_ANSWERED},
    {"GET /metrics?name[]=x" HOST, false, "200 OK", "made 1\n", CONNECTION_ANSWERED},
    {"HEAD /metrics" HOST, false, "200 OK", "", CONNECTION_ANSWERED},
    {"GET /metrics HTTP/1.0\r\n\r\n", false, "200 OK", "made 1\n", CONNECTION_LAST},
    {"GET /readyz" HOST, true, "200 OK", "ready\n", CONNECTION_ANSWERED},
    {"GET /readyz" HOST, false, "503 Service Unavailable", "the reason\n", CONNECTION_ANSWERED},
    {"HEAD /readyz" HOST, false, "503 Service Unavailable", "", CONNECTION_ANSWERED},
    {"GET /healthz" HOST, true, "200 OK", "lpaliasd " LPALIAS_VERSION " runs\nready\n",
     CONNECTION_ANSWERED},
    {"GET /healthz" HOST, false, "200 OK", "lpaliasd " LPALIAS_VERSION " runs\nthe reason\n",
     CONNECTION_ANSWERED},
    {"GET /" HOST, true, "404 Not Found", "/metrics, /healthz or /readyz\n", CONNECTION_ANSWERED},
    {"GET /metrics/" HOST, true, "404 Not Found", "/metrics, /healthz or /readyz\n",
     CONNECTION_ANSWERED},
    {"GET /metric" HOST, true, "404 Not Found", "/metrics, /healthz or /readyz\n",
     CONNECTION_ANSWERED},
    {"POST /metrics" HOST, true, "405 Method Not Allowed", "GET or HEAD\n", CONNECTION_ANSWERED},
    {"POST /metrics HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc", true,
     "405 Method Not Allowed", "GET or HEAD\n", CONNECTION_LAST},
    {"metrics\n", true, "400 Bad Request", "not a request of HTTP/1.1\n", CONNECTION_LAST},
};

static void each_request_gets_its_page(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct house house = {.is_ready = cases[i].is_ready};
        struct status_hooks hooks = {append_metrics, is_ready, &house};
        struct status_pages *pages = status_pages_create(&hooks);
        const struct connection_service *service = status_pages_service(pages);
        struct buffer out = {0};
        size_t taken = 0;
        assert_int_equal(service->answer(service->context, span_of(cases[i].request), &out, &taken),
                         cases[i].step);
        const char *reply = buffer_text(&out);
        char start[64];
        snprintf(start, sizeof(start), "HTTP/1.1 %s\r\n", cases[i].status);
        assert_memory_equal(reply, start, strlen(start));
        assert_string_equal(strstr(reply, "\r\n\r\n") + 4, cases[i].body);
        buffer_finish(&out);
        status_pages_destroy(pages);
    }
}

/* However often they are asked for. */
static void metrics_are_made_ten_times_a_second_at_most(void **state)
{
    (void)state;
    struct house house = {.is_ready = true};
    struct status_hooks hooks = {append_metrics, is_ready, &house};
    struct status_pages *pages = status_pages_create(&hooks);
    const struct connection_service *service = status_pages_service(pages);
    struct buffer out = {0};
    size_t taken;
    for (int i = 0; i < 1000; i++, clock_ms++) {
        buffer_clear(&out);
        assert_int_equal(
            service->answer(service->context, span_of("HEAD /metrics" HOST), &out, &taken),
            CONNECTION_ANSWERED);
    }
    assert_int_equal(house.made, 10);
    buffer_finish(&out);
    status_pages_destroy(pages);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_request_gets_its_page),
        cmocka_unit_test(metrics_are_made_ten_times_a_second_at_most),
    };
    return cmocka_run_group_tests_name("server/status_pages", tests, NULL, NULL);
}
