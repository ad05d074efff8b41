/* address: every form of key that facts of real Postfix daemons show, and targets. */
#include <string.h>

#include "../unit.h"
#include "address/address.h"

#define TAG_500                                                                                  \
    "x123456789x123456789x123456789x123456789x123456789x123456789x123456789x123456789x123456789" \
    "x123456789x123456789x123456789x123456789x123456789x123456789x123456789x123456789x123456789" \
    "x123456789x123456789x123456789x123456789x123456789x123456789x123456789x123456789x123456789" \
    "x123456789x123456789x123456789x123456789x123456789x123456789x123456789x123456789x123456789" \
    "x123456789x123456789x123456789x123456789x123456789x123456789x123456789x123456789x123456789" \
    "x123456789x123456789x123456789x123456789x123456789"

static void keys_are_split_folded_and_converted(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        enum address_form wanted;
        const char *local;
        const char *domain;
    } cases[] = {
        {"jdoe@ubuntu.com", ADDRESS_FULL, "jdoe", "ubuntu.com"},
        {"JDoe@Ubuntu.COM", ADDRESS_FULL, "jdoe", "ubuntu.com"},
        {"JDoe+Tag@ubuntu.com", ADDRESS_FULL, "jdoe+tag", "ubuntu.com"},
        {"user%other@ubuntu.com", ADDRESS_FULL, "user%other", "ubuntu.com"},
        {"+tag@ubuntu.com", ADDRESS_FULL, "+tag", "ubuntu.com"},
        {"jos\xc3\xa9@ubuntu.com", ADDRESS_FULL, "jos\xc3\xa9", "ubuntu.com"},
        {"a@b\xc3\xbc"
         "cher.example",
         ADDRESS_FULL, "a", "xn--bcher-kva.example"},
        {"a@B\xc3\x9c"
         "CHER.example",
         ADDRESS_FULL, "a", "xn--bcher-kva.example"},
        {"a@XN--bcher-kva.example", ADDRESS_FULL, "a", "xn--bcher-kva.example"},
        {"jdoe+" TAG_500 "@ubuntu.com", ADDRESS_FULL, "jdoe+" TAG_500, "ubuntu.com"},
        {"ubuntu.com", ADDRESS_BARE, "", "ubuntu.com"},
        {"UBUNTU.com", ADDRESS_BARE, "", "ubuntu.com"},
        {"localhost", ADDRESS_BARE, "", "localhost"},
        {"", ADDRESS_ODD, NULL, NULL},
        {"@", ADDRESS_ODD, NULL, NULL},
        {"@ubuntu.com", ADDRESS_ODD, NULL, NULL},
        {"jdoe@", ADDRESS_ODD, NULL, NULL},
        {"<>", ADDRESS_ODD, NULL, NULL},
        {"*", ADDRESS_ODD, NULL, NULL},
        {"a@b@ubuntu.com", ADDRESS_ODD, NULL, NULL},
        {"\"a@b\"@ubuntu.com", ADDRESS_ODD, NULL, NULL},
        {"\"jdoe\"@ubuntu.com", ADDRESS_ODD, NULL, NULL},
        {"john doe@ubuntu.com", ADDRESS_ODD, NULL, NULL},
        {"jdoe.@ubuntu.com", ADDRESS_ODD, NULL, NULL},
        {".jdoe@ubuntu.com", ADDRESS_ODD, NULL, NULL},
        {"j..doe@ubuntu.com", ADDRESS_ODD, NULL, NULL},
        {"user@[192.0.2.9]", ADDRESS_ODD, NULL, NULL},
        {"[192.0.2.9]", ADDRESS_ODD, NULL, NULL},
        {"jdoe@ubuntu.com.", ADDRESS_ODD, NULL, NULL},
        {"jdoe@ubuntu..com", ADDRESS_ODD, NULL, NULL},
        {"jdoe@-ubuntu.com", ADDRESS_ODD, NULL, NULL},
        {"jdoe\x80@ubuntu.com", ADDRESS_ODD, NULL, NULL},
        {"jdoe@ubuntu\xff.com", ADDRESS_ODD, NULL, NULL},
        {"j\ndoe@ubuntu.com", ADDRESS_ODD, NULL, NULL},
        {"jdoe+" TAG_500 TAG_500 "@ubuntu.com", ADDRESS_ODD, NULL, NULL},
        {"a@" TAG_500, ADDRESS_ODD, NULL, NULL},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct address address;
        size_t length = strlen(cases[i].key);
        enum address_form form = address_parse(cases[i].key, length, &address);
        if (form != cases[i].wanted)
            fail_msg("\"%s\": form %d, wanted %d", cases[i].key, form, cases[i].wanted);
        if (form == ADDRESS_ODD)
            continue;
        assert_string_equal(address.local, cases[i].local);
        assert_string_equal(address.domain, cases[i].domain);
        assert_int_equal(address.local_length, strlen(address.local));
        assert_int_equal(address.domain_length, strlen(address.domain));
    }
}

static void a_nul_byte_makes_a_key_odd(void **state)
{
    (void)state;
    struct address address;
    assert_int_equal(address_parse("jd\0e@ubuntu.com", 15, &address), ADDRESS_ODD);
    assert_int_equal(address_parse("jdoe@ubu\0tu.com", 15, &address), ADDRESS_ODD);
}

static void launchpad_names_that_are_local_parts(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool wanted;
    } cases[] = {
        {"jdoe", true},
        {"a", true},
        {"007", true},
        {"a+b.c-d", true},
        {"zed+a.b-9", true},
        {"", false},
        {"dot.", false},
        {"a..b", false},
        {".a", false},
        {"a b", false},
        {"x123456789x123456789x123456789x123456789x123456789x123456789x123", true},
        {"x123456789x123456789x123456789x123456789x123456789x123456789x1234", false},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        assert_int_equal(address_is_legal_local(cases[i].name, strlen(cases[i].name)),
                         cases[i].wanted);
}

static void extensions_are_cut_from_right_to_left_never_to_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *local;
        const char *delimiters;
        const char *cuts; /* what is left after each, space-separated */
    } cases[] = {
        {"jdoe", "+", ""},   {"jdoe+tag", "+", "jdoe"}, {"a+b+c", "+", "a+b a"},  {"+tag", "+", ""},
        {"+a+b", "+", "+a"}, {"++", "+", "+"},          {"a-b+c", "+-", "a-b a"}, {"a+b", "", ""},
        {"a+b", NULL, ""},   {"jdoe+", "+", "jdoe"},    {"a++b", "+", "a+ a"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct buffer seen = {0};
        size_t length = strlen(cases[i].local);
        while ((length = address_next_cut(cases[i].local, length, cases[i].delimiters)) != 0) {
            if (seen.length != 0)
                buffer_append_char(&seen, ' ');
            buffer_append(&seen, cases[i].local, length);
        }
        assert_string_equal(buffer_text(&seen), cases[i].cuts);
        buffer_finish(&seen);
    }
}

static void an_extension_goes_back_before_the_at(void **state)
{
    (void)state;
    static const struct {
        const char *target, *extension, *wanted;
    } cases[] = {
        {"j@home.example", "+tag", "j+tag@home.example"},
        {"j@home.example", "", "j@home.example"},
        {"\"j d\"@home.example", "+tag", "\"j d+tag\"@home.example"},
        {"\"a@b\"@home.example", "+tag", "\"a@b+tag\"@home.example"},
        /* 60 + 4 bytes fit, 60 + 5 do not. */
        {"x123456789x123456789x123456789x123456789x123456789x123456789@h.example", "+tag",
         "x123456789x123456789x123456789x123456789x123456789x123456789+tag@h.example"},
        {"x123456789x123456789x123456789x123456789x123456789x123456789@h.example", "+tags",
         "x123456789x123456789x123456789x123456789x123456789x123456789@h.example"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct buffer out = {0};
        address_append_extended(&out, span_of(cases[i].target), span_of(cases[i].extension));
        assert_string_equal(buffer_text(&out), cases[i].wanted);
        buffer_finish(&out);
    }
}

static void targets_are_checked_and_made_canonical(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *wanted; /* NULL: refused */
    } cases[] = {
        {"John.Doe@Home.EXAMPLE", "John.Doe@home.example"},
        {"j@b\xc3\xbc"
         "cher.example",
         "j@xn--bcher-kva.example"},
        {"\"j d\"@home.example", "\"j d\"@home.example"},
        {"\"a\\\"b\"@home.example", "\"a\\\"b\"@home.example"},
        {"jdoe", NULL},
        {"@home.example", NULL},
        {"jdoe@", NULL},
        {"jdoe@localhost", NULL},
        {"j doe@home.example", NULL},
        {"a,b@home.example", NULL},
        {"j@home.example,k@home.example", NULL},
        {"\"a\nb\"@home.example", NULL},
        {"\"a\"b\"@home.example", NULL},
        {"\"a\\\"@home.example", NULL},
        {"jdoe@[192.0.2.9]", NULL},
        {"j\xff@home.example", NULL},
        {"|/bin/sh@home.example", "|/bin/sh@home.example"},
        {"x123456789x123456789x123456789x123456789x123456789x123456789x1234@h.example", NULL},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct buffer out = {0};
        const char *wrong = address_check_target(cases[i].text, strlen(cases[i].text), &out);
        if ((wrong == NULL) != (cases[i].wanted != NULL))
            fail_msg("\"%s\": %s", cases[i].text, wrong != NULL ? wrong : "accepted");
        if (wrong == NULL)
            assert_string_equal(buffer_text(&out), cases[i].wanted);
        else
            assert_int_equal(out.length, 0);
        buffer_finish(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_split_folded_and_converted),
        cmocka_unit_test(a_nul_byte_makes_a_key_odd),
        cmocka_unit_test(launchpad_names_that_are_local_parts),
        cmocka_unit_test(extensions_are_cut_from_right_to_left_never_to_nothing),
        cmocka_unit_test(an_extension_goes_back_before_the_at),
        cmocka_unit_test(targets_are_checked_and_made_canonical),
    };
    return cmocka_run_group_tests_name("address", tests, NULL, NULL);
}
