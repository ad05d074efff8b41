/* openid/form: decoding, its limits, and that encoding is its inverse. */
#include <stdlib.h>
#include <string.h>

#include "../unit.h"
#include "openid/form.h"

static void fields_are_decoded_in_their_order(void **state)
{
    (void)state;
    /* Decoded fields as "name=value;" */
    static const struct {
        const char *text, *wanted;
    } cases[] = {
        {"", ""},
        {"a=b", "a=b;"},
        {"a=b&a=c&b=", "a=b;a=c;b=;"},
        {"a", "a=;"},
        {"&&a=b&", "a=b;"},
        {"=b", "=b;"},
        {"=", "=;"},
        {"a=b=c", "a=b=c;"},
        {"a%3Db=c%26d", "a=b=c&d;"},
        {"a+b=c%20d%2b", "a b=c d+;"},
        {"x.y=1&x_y=2&x[y]=3", "x.y=1;x_y=2;x[y]=3;"},
        {"n=%C3%A9%e2%82%ac\xc3\xa9", "n=\xc3\xa9\xe2\x82\xac\xc3\xa9;"},
        {"a;b=c", "a;b=c;"},
        {"a=%0a", "a=\n;"},
        {"a=%2541", "a=%41;"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct openid_form form;
        struct error error = {0};
        struct buffer found = {0};
        if (!openid_form_parse(span_of(cases[i].text), &form, &error))
            fail_msg("%s: %s", cases[i].text, error.text);
        for (size_t k = 0; k < form.count; k++)
            buffer_appendf(&found, "%s=%s;", form.fields[k].name, form.fields[k].value);
        assert_string_equal(buffer_text(&found), cases[i].wanted);
        buffer_finish(&found);
        openid_form_finish(&form);
    }
}

static void what_is_no_form_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t length; /* 0: that of the text */
        const char *words;
    } cases[] = {
        {"SECRET=%", 0, "percent"},        {"SECRET=%4", 0, "percent"},
        {"SECRET%4", 0, "percent"},        {"SECRET=%4&1", 0, "percent"},
        {"SECRET=%zz", 0, "percent"},      {"SECRET=%4z", 0, "percent"},
        {"SECRET=% 41", 0, "percent"},     {"SECRET=%00", 0, "NUL"},
        {"%00=SECRET", 0, "NUL"},          {"SECRET=x\0y", 10, "NUL"},
        {"SECRET=%ff", 0, "UTF-8"},        {"SECRET=\xff", 0, "UTF-8"},
        {"SECRET=%c0%80", 0, "UTF-8"},     {"SECRET=%ed%a0%80", 0, "UTF-8"},
        {"good=1&SECRET=%c3", 0, "UTF-8"}, {"SECRET=%41", 8, "percent"},
        {"SECRET=%41", 9, "percent"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct openid_form form;
        struct error error = {0};
        size_t length = cases[i].length != 0 ? cases[i].length : strlen(cases[i].text);
        if (openid_form_parse((struct span){cases[i].text, length}, &form, &error))
            fail_msg("%s", cases[i].text);
        assert_error(error, ERROR_INVALID, cases[i].words);
        assert_null(strstr(error.text, "SECRET"));
    }
}

static void a_form_has_limits(void **state)
{
    (void)state;
    struct buffer text = {0};
    struct openid_form form;
    struct error error = {0};
    for (size_t i = 0; i < OPENID_FORM_MAX_FIELDS; i++)
        buffer_append_text(&text, "a=b&");
    assert_true(openid_form_parse((struct span){text.data, text.length}, &form, &error));
    assert_int_equal(form.count, OPENID_FORM_MAX_FIELDS);
    assert_int_equal(openid_form_count(&form, "a"), OPENID_FORM_MAX_FIELDS);
    openid_form_finish(&form);
    buffer_append_char(&text, 'a');
    assert_false(openid_form_parse((struct span){text.data, text.length}, &form, &error));
    assert_error(error, ERROR_INVALID, "100 fields");

    buffer_clear(&text);
    while (text.length < OPENID_FORM_MAX_BYTES)
        buffer_append_char(&text, 'a');
    assert_true(openid_form_parse((struct span){text.data, text.length}, &form, &error));
    openid_form_finish(&form);
    buffer_append_char(&text, 'a');
    assert_false(openid_form_parse((struct span){text.data, text.length}, &form, &error));
    assert_error(error, ERROR_INVALID, "32768 bytes");
    buffer_finish(&text);
}

static void what_is_appended_is_read_again(void **state)
{
    (void)state;
    char every_byte[128];
    for (size_t i = 0; i < sizeof(every_byte) - 1; i++)
        every_byte[i] = (char)(i + 1);
    every_byte[sizeof(every_byte) - 1] = '\0';
    struct buffer text = {0};
    openid_form_append(&text, every_byte, "\xc3\xa9");
    openid_form_append(&text, "b", every_byte);
    assert_null(strpbrk(buffer_text(&text), " +:/?#\n"));
    struct openid_form form;
    assert_true(openid_form_parse((struct span){text.data, text.length}, &form, NULL));
    assert_int_equal(form.count, 2);
    assert_string_equal(openid_form_value(&form, every_byte), "\xc3\xa9");
    assert_string_equal(openid_form_value(&form, "b"), every_byte);
    assert_null(openid_form_value(&form, "c"));
    openid_form_finish(&form);
    buffer_finish(&text);
}

static void fields_are_parted_where_there_is_something_to_part(void **state)
{
    (void)state;
    static const struct {
        const char *before, *wanted;
    } cases[] = {
        {"", "a=b"},
        {"https://h/?", "https://h/?a=b"},
        {"https://h/?x=y", "https://h/?x=y&a=b"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct buffer text = {0};
        buffer_append_text(&text, cases[i].before);
        openid_form_append(&text, "a", "b");
        assert_string_equal(buffer_text(&text), cases[i].wanted);
        buffer_finish(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_decoded_in_their_order),
        cmocka_unit_test(what_is_no_form_is_refused),
        cmocka_unit_test(a_form_has_limits),
        cmocka_unit_test(what_is_appended_is_read_again),
        cmocka_unit_test(fields_are_parted_where_there_is_something_to_part),
    };
    return cmocka_run_group_tests_name("openid/form", tests, NULL, NULL);
}
