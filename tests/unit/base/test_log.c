/* log: the form of a line. */
#include <string.h>

#include "../unit.h"
#include "base/log.h"

static const struct {
    const char *text, *value, *wanted;
} cases[] = {
    {"plain", "word", "level=info msg=\"plain\" name=word\n"},
    {"two words", "two words", "level=info msg=\"two words\" name=\"two words\"\n"},
    {"a \"b\"", "a\"b", "level=info msg=\"a \\\"b\\\"\" name=\"a\\\"b\"\n"},
    {"", "", "level=info msg=\"\" name=\"\"\n"},
    {"a\nlevel=error", "a\nlevel=error",
     "level=info msg=\"a\\x0alevel=error\" name=\"a\\x0alevel=error\"\n"},
    {"x", "a=b", "level=info msg=\"x\" name=\"a=b\"\n"},
    {"x", "back\\slash", "level=info msg=\"x\" name=\"back\\\\slash\"\n"},
    {"\xff", "\xc3\xa9", "level=info msg=\"\\xff\" name=\"\xc3\xa9\"\n"},
    {"no value", NULL, "level=info msg=\"no value\"\n"},
};

static void test_lines(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buffer line = {0};
        log_append_line(&line, LOG_LEVEL_INFO, cases[i].text, LOG_FIELDS({"name", cases[i].value}));
        assert_string_equal(buffer_text(&line), cases[i].wanted);
        buffer_finish(&line);
    }
}

static unsigned sunk;

static bool take(enum log_level level, const char *text, const struct log_field *fields)
{
    assert_int_equal(level, LOG_LEVEL_WARNING);
    assert_string_equal(text, "7 \"seven\"");
    assert_null(fields[0].name);
    sunk++;
    return true;
}

static void test_a_sink_gets_what_the_level_lets_pass(void **state)
{
    (void)state;
    log_set_sink(take);
    log_set_level(LOG_LEVEL_WARNING);
    log_warning("%d \"%s\"", 7, "seven");
    log_info("not this one");
    log_set_sink(NULL);
    log_set_level(LOG_LEVEL_INFO);
    assert_int_equal(sunk, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_a_sink_gets_what_the_level_lets_pass),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
