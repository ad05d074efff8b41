/* netstring: the frame, whole, in pieces, broken and at its limits. */
#include <stdio.h>

#include "feed.h"
#include "wire/netstring.h"

#define LIMIT_BYTES 20

static struct span taken;

static enum wire_result take(const char *data, size_t length, size_t *ret_consumed)
{
    return netstring_take(data, length, LIMIT_BYTES, &taken, ret_consumed);
}

static void a_frame_is_taken_or_refused(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct span input;
        enum wire_result wanted;
        struct span wanted_payload;
    } cases[] = {
        {"plain", SPAN("5:hello,"), WIRE_COMPLETE, SPAN("hello")},
        {"empty payload", SPAN("0:,"), WIRE_COMPLETE, SPAN("")},
        {"any byte", SPAN("4:\0,\n:,"), WIRE_COMPLETE, SPAN("\0,\n:")},
        {"only the first of two", SPAN("1:a,1:b,"), WIRE_COMPLETE, SPAN("a")},
        {"rubbish behind it", SPAN("1:a,x"), WIRE_COMPLETE, SPAN("a")},
        {"at the limit", SPAN("20:abcdefghijklmnopqrst,"), WIRE_COMPLETE,
         SPAN("abcdefghijklmnopqrst")},
        {"one below the limit", SPAN("19:abcdefghijklmnopqrs,"), WIRE_COMPLETE,
         SPAN("abcdefghijklmnopqrs")},
        {"one above the limit", SPAN("21:"), WIRE_BAD, SPAN("")},
        {"nothing", SPAN(""), WIRE_NEED_MORE, SPAN("")},
        {"no colon yet", SPAN("5"), WIRE_NEED_MORE, SPAN("")},
        {"payload cut", SPAN("5:hell"), WIRE_NEED_MORE, SPAN("")},
        {"comma to come", SPAN("5:hello"), WIRE_NEED_MORE, SPAN("")},
        {"zero, comma to come", SPAN("0:"), WIRE_NEED_MORE, SPAN("")},
        {"wrong end", SPAN("5:hello;"), WIRE_BAD, SPAN("")},
        {"payload longer than said", SPAN("4:hello,"), WIRE_BAD, SPAN("")},
        {"no digits", SPAN(":,"), WIRE_BAD, SPAN("")},
        {"leading zero", SPAN("05:hello,"), WIRE_BAD, SPAN("")},
        {"two zeros", SPAN("00:,"), WIRE_BAD, SPAN("")},
        {"sign", SPAN("+5:hello,"), WIRE_BAD, SPAN("")},
        {"minus", SPAN("-1:"), WIRE_BAD, SPAN("")},
        {"blank in front", SPAN(" 5:hello,"), WIRE_BAD, SPAN("")},
        {"blank behind the length", SPAN("5 :hello,"), WIRE_BAD, SPAN("")},
        {"hex", SPAN("0x5:hello,"), WIRE_BAD, SPAN("")},
        {"letter", SPAN("GET / HTTP/1.1"), WIRE_BAD, SPAN("")},
        {"byte above ASCII", SPAN("\xb2:ab,"), WIRE_BAD, SPAN("")},
        {"too many digits", SPAN("18446744073709551617:"), WIRE_BAD, SPAN("")},
        {"more digits than fit", SPAN("99999999999999999999999999"), WIRE_BAD, SPAN("")},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        print_message("# %s\n", cases[i].name);
        size_t consumed = 0;
        enum wire_result result = take(cases[i].input.data, cases[i].input.length, &consumed);
        assert_int_equal(result, cases[i].wanted);
        if (result == WIRE_COMPLETE)
            assert_span(taken, cases[i].wanted_payload);
        feed_byte_by_byte(take, cases[i].input, cases[i].wanted, consumed);
    }
}

static void a_hopeless_length_is_refused_at_the_digit_that_shows_it(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t max_bytes;
        enum wire_result wanted;
    } cases[] = {
        {"1", 9, WIRE_NEED_MORE},        {"10", 9, WIRE_BAD},
        {"10", 10, WIRE_NEED_MORE},      {"100", 99, WIRE_BAD},
        {"9999", 10000, WIRE_NEED_MORE}, {"10000", 10000, WIRE_NEED_MORE},
        {"10001", 10000, WIRE_BAD},      {"1", 0, WIRE_BAD},
        {"0:", 0, WIRE_NEED_MORE},       {"0:,", 0, WIRE_COMPLETE},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct span payload;
        size_t consumed;
        assert_int_equal(netstring_take(cases[i].text, strlen(cases[i].text), cases[i].max_bytes,
                                        &payload, &consumed),
                         cases[i].wanted);
    }
}

static void what_is_appended_is_taken_again(void **state)
{
    (void)state;
    static const size_t lengths[] = {0, 1, 9, 10, 11, 99, 100, 101, 9999, 10000, 99999, 100000};
    struct buffer out = {0};
    for (size_t i = 0; i < ARRAY_LENGTH(lengths); i++) {
        struct span wanted = {feed_fill('x', lengths[i]), lengths[i]};
        size_t start = out.length;
        netstring_append(&out, wanted);
        struct span payload;
        size_t consumed;
        assert_int_equal(
            netstring_take(out.data + start, out.length - start, lengths[i], &payload, &consumed),
            WIRE_COMPLETE);
        assert_span(payload, wanted);
        assert_int_equal(consumed, out.length - start);
    }
    buffer_finish(&out);
}

static void a_prefix_is_the_length_in_decimal(void **state)
{
    (void)state;
    static const size_t lengths[] = {0, 7, 10, 12345, 100000, SIZE_MAX};
    for (size_t i = 0; i < ARRAY_LENGTH(lengths); i++) {
        char wanted[32];
        char got[NETSTRING_PREFIX_MAX_BYTES];
        snprintf(wanted, sizeof(wanted), "%zu:", lengths[i]);
        size_t bytes = netstring_format_prefix(lengths[i], got);
        assert_span((struct span){got, bytes}, span_of(wanted));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frame_is_taken_or_refused),
        cmocka_unit_test(a_hopeless_length_is_refused_at_the_digit_that_shows_it),
        cmocka_unit_test(what_is_appended_is_taken_again),
        cmocka_unit_test(a_prefix_is_the_length_in_decimal),
    };
    return cmocka_run_group_tests_name("wire/netstring", tests, NULL, NULL);
}
