/* timestamp: Launchpad's date form, and ages for people. */
#include <string.h>

#include "../unit.h"
#include "base/timestamp.h"

static void launchpad_dates_are_read_to_the_microsecond(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t wanted_us; /* -1: refused */
    } cases[] = {
        {"1970-01-01T00:00:00+00:00", 0},
        {"2005-06-06T08:59:51.596025+00:00", 1118048391596025},
        {"2005-06-06T08:59:51.5+00:00", 1118048391500000},
        {"2005-06-06T08:59:51Z", 1118048391000000},
        {"2005-06-06T10:59:51+02:00", 1118048391000000},
        {"2005-06-06T08:59:51", -1},
        {"2005-06-06 08:59:51Z", -1},
        {"2005-13-06T08:59:51Z", -1},
        {"2005-06-06T08:59:51.Z", -1},
        {"2005-06-06T08:59:51.1234567Z", -1},
        {"2005-06-06T08:59:51Zx", -1},
        {"tag:launchpad.net:2008:redacted", -1},
        {"", -1},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        int64_t us = -1;
        assert_int_equal(timestamp_parse_iso_us(cases[i].text, &us), cases[i].wanted_us >= 0);
        assert_int_equal(us, cases[i].wanted_us);
    }
}

static void a_time_is_written_in_utc(void **state)
{
    (void)state;
    char text[TIMESTAMP_TEXT_BYTES];
    assert_string_equal(timestamp_format(1118048391, text), "2005-06-06T08:59:51Z");
}

static void an_age_is_told_in_its_largest_unit(void **state)
{
    (void)state;
    char text[32];
    assert_string_equal(timestamp_format_age(0, text), "just now");
    assert_string_equal(timestamp_format_age(-5, text), "just now");
    assert_string_equal(timestamp_format_age(1, text), "1 second");
    assert_string_equal(timestamp_format_age(7300, text), "2 hours");
    assert_string_equal(timestamp_format_age(86400 * 3, text), "3 days");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(launchpad_dates_are_read_to_the_microsecond),
        cmocka_unit_test(a_time_is_written_in_utc),
        cmocka_unit_test(an_age_is_told_in_its_largest_unit),
    };
    return cmocka_run_group_tests_name("base/timestamp", tests, NULL, NULL);
}
