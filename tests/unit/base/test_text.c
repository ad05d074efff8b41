/* text: case, UTF-8, escapes, and values with units. */
#include <string.h>

#include "../unit.h"
#include "base/text.h"

static void utf8_is_judged_as_rfc_3629_says(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t length;
        bool wanted;
    } cases[] = {
        {"", 0, true},
        {"plain", 5, true},
        {"\xc3\xa9", 2, true},
        {"\xe2\x82\xac", 3, true},
        {"\xf0\x9f\x98\x80", 4, true},
        {"\xc3", 1, false},
        {"\x80", 1, false},
        {"\xc0\xaf", 2, false},
        {"\xed\xa0\x80", 3, false},
        {"\xf4\x90\x80\x80", 4, false},
        {"a\0b", 3, false},
        {"\xe2\x82", 2, false},
        {"\xff", 1, false},
        {"\xe0\x80\x80", 3, false},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        assert_int_equal(text_is_utf8(cases[i].text, cases[i].length), cases[i].wanted);
}

static void percent_encodings_are_decoded(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum text_plus plus;
        const char *wanted; /* NULL: it is none */
    } cases[] = {
        {"", TEXT_PLUS_IS_BLANK, ""},
        {"a+b", TEXT_PLUS_IS_PLUS, "a+b"},
        {"a+b", TEXT_PLUS_IS_BLANK, "a b"},
        {"%2b%2B+", TEXT_PLUS_IS_BLANK, "++ "},
        {"%c3%A9%2f", TEXT_PLUS_IS_PLUS, "\xc3\xa9/"},
        {"%2541", TEXT_PLUS_IS_PLUS, "%41"},
        {"%", TEXT_PLUS_IS_PLUS, NULL},
        {"a%4", TEXT_PLUS_IS_PLUS, NULL},
        {"%4g", TEXT_PLUS_IS_PLUS, NULL},
        {"%g4", TEXT_PLUS_IS_PLUS, NULL},
        {"% 4", TEXT_PLUS_IS_PLUS, NULL},
        {"%%41", TEXT_PLUS_IS_PLUS, NULL},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct buffer out = {0};
        bool is_one = text_append_percent_decoded(&out, span_of(cases[i].text), cases[i].plus);
        assert_int_equal(is_one, cases[i].wanted != NULL);
        if (is_one)
            assert_string_equal(buffer_text(&out), cases[i].wanted);
        buffer_finish(&out);
    }
    struct buffer out = {0}; /* what stands behind the text is none of it */
    assert_false(text_append_percent_decoded(&out, (struct span){"%41", 2}, TEXT_PLUS_IS_PLUS));
    buffer_finish(&out);
}

static void escaped_text_cannot_forge_a_line(void **state)
{
    (void)state;
    struct buffer out = {0};
    text_append_escaped(&out, "a\"b\\c\nlevel=error \xff \xc2\x85 \xc3\xa9");
    assert_string_equal(buffer_text(&out), "a\\\"b\\\\c\\x0alevel=error \\xff \\xc2\\x85 \xc3\xa9");
    buffer_finish(&out);
}

static void a_unit_is_part_of_a_duration(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t wanted_ms; /* -1: refused */
    } cases[] = {
        {"0", 0},          {"250ms", 250},
        {"1s", 1000},      {"10m", 600000},
        {"2h", 7200000},   {"1d", 86400000},
        {"1w", 604800000}, {"10", -1},
        {"", -1},          {"s", -1},
        {"1 s", -1},       {"-1s", -1},
        {"1y", -1},        {"99999999999999999999s", -1},
        {"10001d", -1},    {"1.5h", -1},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        int64_t ms = -1;
        assert_int_equal(text_parse_duration_ms(cases[i].text, &ms), cases[i].wanted_ms >= 0);
        assert_int_equal(ms, cases[i].wanted_ms);
    }
}

static void a_unit_is_part_of_a_size(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t wanted; /* UINT64_MAX: refused */
    } cases[] = {
        {"0", 0},           {"64k", 65536},      {"16G", 16ULL << 30},
        {"1T", 1ULL << 40}, {"7b", 7},           {"64", UINT64_MAX},
        {"k", UINT64_MAX},  {"1kb", UINT64_MAX}, {"18446744073709551615T", UINT64_MAX},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        uint64_t bytes = UINT64_MAX;
        assert_int_equal(text_parse_bytes(cases[i].text, &bytes) && bytes == cases[i].wanted,
                         cases[i].wanted != UINT64_MAX);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf8_is_judged_as_rfc_3629_says),
        cmocka_unit_test(percent_encodings_are_decoded),
        cmocka_unit_test(escaped_text_cannot_forge_a_line),
        cmocka_unit_test(a_unit_is_part_of_a_duration),
        cmocka_unit_test(a_unit_is_part_of_a_size),
    };
    return cmocka_run_group_tests_name("base/text", tests, NULL, NULL);
}
