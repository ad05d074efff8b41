/* status_pages: which question gets which page, and how often metrics are made. */
#include <string.h>

#include "../store/clock.h"
#include "../unit.h"
#include "server/exposition.h"
#include "server/status_pages.h"

#define PLAIN_TEXT "text/plain; charset=utf-8"

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

#define NAMES "/metrics, /healthz or /readyz\n"
#define RUNS  "lpaliasd " LPALIAS_VERSION " runs\n"

static const struct {
    struct status_question question;
    bool is_ready;
    unsigned status;
    const char *content_type, *body;
} cases[] = {
    {{"GET", "/metrics", true}, false, 200, EXPOSITION_CONTENT_TYPE, "made 1\n"},
    {{"HEAD", "/metrics", true}, false, 200, EXPOSITION_CONTENT_TYPE, "made 1\n"},
    {{"GET", "/readyz", true}, true, 200, PLAIN_TEXT, "ready\n"},
    {{"GET", "/readyz", true}, false, 503, PLAIN_TEXT, "the reason\n"},
    {{"HEAD", "/readyz", true}, false, 503, PLAIN_TEXT, "the reason\n"},
    {{"GET", "/healthz", true}, true, 200, PLAIN_TEXT, RUNS "ready\n"},
    {{"GET", "/healthz", true}, false, 200, PLAIN_TEXT, RUNS "the reason\n"},
    {{"GET", "/", true}, true, 404, PLAIN_TEXT, NAMES},
    {{"GET", "", true}, true, 404, PLAIN_TEXT, NAMES},
    {{"GET", "/metrics/", true}, true, 404, PLAIN_TEXT, NAMES},
    {{"GET", "/metric", true}, true, 404, PLAIN_TEXT, NAMES},
    {{"POST", "/metric", true}, true, 404, PLAIN_TEXT, NAMES},
    {{"POST", "/metrics", true}, true, 405, PLAIN_TEXT, "GET or HEAD\n"},
    {{"GET", "/metrics", false}, true, 400, PLAIN_TEXT, "not one Host\n"},
};

static const char *header(const struct http_answer *answer, const char *name)
{
    for (size_t i = 0; i < answer->header_count; i++)
        if (strcmp(answer->headers[i].name, name) == 0)
            return answer->headers[i].value;
    return NULL;
}

static void each_question_gets_its_page(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct house house = {.is_ready = cases[i].is_ready};
        struct status_hooks hooks = {append_metrics, is_ready, &house};
        struct status_pages *pages = status_pages_create(&hooks);
        struct http_answer answer;
        status_pages_answer(pages, &cases[i].question, &answer);
        assert_int_equal(answer.status, cases[i].status);
        assert_true(span_is_text(answer.body, cases[i].body));
        assert_string_equal(header(&answer, "Content-Type"), cases[i].content_type);
        assert_string_equal(header(&answer, "Cache-Control"), "no-store");
        if (answer.status == 405)
            assert_string_equal(header(&answer, "Allow"), "GET, HEAD");
        else
            assert_null(header(&answer, "Allow"));
        status_pages_destroy(pages);
    }
}

/* However often they are asked for. */
static void metrics_are_made_ten_times_a_second_at_most(void **state)
{
    (void)state;
    static const struct status_question question = {"HEAD", "/metrics", true};
    struct house house = {.is_ready = true};
    struct status_hooks hooks = {append_metrics, is_ready, &house};
    struct status_pages *pages = status_pages_create(&hooks);
    struct http_answer answer;
    for (int i = 0; i < 1000; i++, clock_ms++) {
        status_pages_answer(pages, &question, &answer);
        assert_int_equal(answer.status, 200);
    }
    assert_int_equal(house.made, 10);
    status_pages_destroy(pages);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_question_gets_its_page),
        cmocka_unit_test(metrics_are_made_ten_times_a_second_at_most),
    };
    return cmocka_run_group_tests_name("server/status_pages", tests, NULL, NULL);
}
