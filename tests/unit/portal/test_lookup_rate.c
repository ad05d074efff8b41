/* portal/lookup_rate: what is read out of an answer of /metrics. */
#include <string.h>

#include "../unit.h"
#include "portal/lookup_rate.h"

#define HEAD "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n"

static const struct {
    const char *body;
    double wanted; /* negative: nothing */
} cases[] = {
    {"lpalias_lookups_total{map=\"alias\"} 3\n", 3},
    {"lpalias_lookups_total{map=\"alias\"} 3\nlpalias_lookups_total{map=\"access\"} 4\n", 7},
    {"# HELP lpalias_lookups_total All.\nlpalias_lookups_total{a=\"b\"} 1e3\nup 1\n", 1000},
    {"lpalias_lookups_total_too{a=\"b\"} 3\n", -1},
    {"up 1\n", -1},
    {"", -1},
};

static void lookups_of_all_kinds_are_summed(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct buffer answer = {0};
        double total = -1;
        buffer_appendf(&answer, HEAD "%s", strlen(cases[i].body), cases[i].body);
        bool is_read = lookup_rate_read_total((struct span){answer.data, answer.length}, &total);
        if (is_read != (cases[i].wanted >= 0) || (is_read && total != cases[i].wanted))
            fail_msg("%s: %d %f", cases[i].body, is_read, total);
        buffer_finish(&answer);
    }
}

static void what_is_cut_or_no_page_of_metrics_counts_for_nothing(void **state)
{
    (void)state;
    static const char whole[] = "HTTP/1.1 200 OK\r\nContent-Length: 27\r\n\r\n"
                                "lpalias_lookups_total{} 12\n";
    static const char *const others[] = {
        "HTTP/1.1 503 No\r\nContent-Length: 27\r\n\r\nlpalias_lookups_total{} 12\n",
        "HTTP/1.1 200 OK\r\n\r\nlpalias_lookups_total{} 12\n",
        "lpalias_lookups_total{} 12\n",
    };
    double total;
    assert_true(lookup_rate_read_total(span_of(whole), &total));
    assert_true(total == 12);
    for (size_t length = 0; length < strlen(whole); length++)
        assert_false(lookup_rate_read_total((struct span){whole, length}, &total));
    for (size_t i = 0; i < ARRAY_LENGTH(others); i++)
        assert_false(lookup_rate_read_total(span_of(others[i]), &total));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lookups_of_all_kinds_are_summed),
        cmocka_unit_test(what_is_cut_or_no_page_of_metrics_counts_for_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
