/* exposition: the bytes of Prometheus' text format. */
#include <string.h>

#include "../unit.h"
#include "server/exposition.h"

static void a_metric_has_help_type_and_samples(void **state)
{
    (void)state;
    struct buffer out = {0};
    const struct exposition_label labels[] = {{"map", "alias"}, {"outcome", "found"}};
    exposition_begin(&out, "a_total", EXPOSITION_COUNTER, "How many.");
    exposition_sample(&out, "a_total", labels, 2, 7);
    exposition_sample(&out, "a_total", labels, 1, 0);
    exposition_single(&out, "b", EXPOSITION_GAUGE, "Now.", 0.25);
    exposition_begin(&out, "c", EXPOSITION_HISTOGRAM, "Spread.");
    assert_string_equal(buffer_text(&out), "# HELP a_total How many.\n# TYPE a_total counter\n"
                                           "a_total{map=\"alias\",outcome=\"found\"} 7\n"
                                           "a_total{map=\"alias\"} 0\n"
                                           "# HELP b Now.\n# TYPE b gauge\nb 0.25\n"
                                           "# HELP c Spread.\n# TYPE c histogram\n");
    buffer_finish(&out);
}

static const struct {
    double value;
    const char *wanted;
} values[] = {
    {0, "n 0\n"},
    {1795624675, "n 1795624675\n"},
    {17592186044416, "n 17592186044416\n"}, /* the largest cache-limit */
    {3.6224e-05, "n 3.6224e-05\n"},
    {-1, "n -1\n"},
};

static void numbers_are_exact(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(values); i++) {
        struct buffer out = {0};
        exposition_sample(&out, "n", NULL, 0, values[i].value);
        assert_string_equal(buffer_text(&out), values[i].wanted);
        buffer_finish(&out);
    }
}

static void label_values_are_escaped(void **state)
{
    (void)state;
    struct buffer out = {0};
    exposition_sample(&out, "n", &(struct exposition_label){"l", "a\"b\\c\nd"}, 1, 1);
    assert_string_equal(buffer_text(&out), "n{l=\"a\\\"b\\\\c\\nd\"} 1\n");
    buffer_finish(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_metric_has_help_type_and_samples),
        cmocka_unit_test(numbers_are_exact),
        cmocka_unit_test(label_values_are_escaped),
    };
    return cmocka_run_group_tests_name("server/exposition", tests, NULL, NULL);
}
