/* socketmap: requests and replies, both directions, and what must never be sent as OK. */
#include "feed.h"
#include "wire/netstring.h"
#include "wire/socketmap.h"

static struct socketmap_request request;
static struct wire_reply reply;

static enum wire_result take_request(const char *data, size_t length, size_t *ret_consumed)
{
    return socketmap_take_request(data, length, &request, ret_consumed);
}

static enum wire_result take_reply(const char *data, size_t length, size_t *ret_consumed)
{
    return socketmap_take_reply(data, length, &reply, ret_consumed);
}

static void a_request_is_a_map_a_space_and_a_key(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct span input;
        enum wire_result wanted;
        struct span wanted_map, wanted_key;
    } cases[] = {
        {"plain", SPAN("21:alias jdoe@ubuntu.com,"), WIRE_COMPLETE, SPAN("alias"),
         SPAN("jdoe@ubuntu.com")},
        {"empty key", SPAN("6:alias ,"), WIRE_COMPLETE, SPAN("alias"), SPAN("")},
        {"key with spaces", SPAN("16:alias \"a  b\"@c d,"), WIRE_COMPLETE, SPAN("alias"),
         SPAN("\"a  b\"@c d")},
        {"key that begins with a space", SPAN("8:alias  x,"), WIRE_COMPLETE, SPAN("alias"),
         SPAN(" x")},
        {"empty map", SPAN("2: x,"), WIRE_COMPLETE, SPAN(""), SPAN("x")},
        {"any byte in the key", SPAN("8:a \0\xff\n:,x,"), WIRE_COMPLETE, SPAN("a"),
         SPAN("\0\xff\n:,x")},
        {"the first of two", SPAN("3:a b,3:a c,"), WIRE_COMPLETE, SPAN("a"), SPAN("b")},
        {"no space", SPAN("5:alias,"), WIRE_BAD, SPAN(""), SPAN("")},
        {"nothing in it", SPAN("0:,"), WIRE_BAD, SPAN(""), SPAN("")},
        {"tab is no space", SPAN("7:alias\tx,"), WIRE_BAD, SPAN(""), SPAN("")},
        {"cut", SPAN("21:alias jdoe@ubuntu"), WIRE_NEED_MORE, SPAN(""), SPAN("")},
        {"over the limit", SPAN("10001:"), WIRE_BAD, SPAN(""), SPAN("")},
        {"other protocol", SPAN("get jdoe@ubuntu.com\n"), WIRE_BAD, SPAN(""), SPAN("")},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        print_message("# %s\n", cases[i].name);
        size_t consumed = 0;
        enum wire_result result =
            take_request(cases[i].input.data, cases[i].input.length, &consumed);
        assert_int_equal(result, cases[i].wanted);
        if (result == WIRE_COMPLETE) {
            assert_span(request.map, cases[i].wanted_map);
            assert_span(request.key, cases[i].wanted_key);
        }
        feed_byte_by_byte(take_request, cases[i].input, cases[i].wanted, consumed);
    }
}

static void a_request_has_a_limit(void **state)
{
    (void)state;
    static const struct {
        size_t key_bytes; /* with "alias " in front */
        bool wanted;
    } cases[] = {
        {WIRE_QUERY_MAX_BYTES - 7, true},  {WIRE_QUERY_MAX_BYTES - 6, true},
        {WIRE_QUERY_MAX_BYTES - 5, false}, {WIRE_QUERY_MAX_BYTES, false},
        {WIRE_QUERY_MAX_BYTES + 1, false},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct span key = {feed_fill('k', cases[i].key_bytes), cases[i].key_bytes};
        struct buffer mine = {0}, foreign = {0};
        assert_int_equal(socketmap_append_request(&mine, span_of("alias"), key), cases[i].wanted);
        assert_int_equal(mine.length != 0, cases[i].wanted);

        struct buffer payload = {0};
        buffer_append_text(&payload, "alias ");
        buffer_append(&payload, key.data, key.length);
        netstring_append(&foreign, (struct span){payload.data, payload.length});
        size_t consumed = 0;
        enum wire_result wanted = cases[i].wanted ? WIRE_COMPLETE : WIRE_BAD;
        assert_int_equal(take_request(foreign.data, foreign.length, &consumed), wanted);
        if (cases[i].wanted) {
            assert_span((struct span){mine.data, mine.length},
                        (struct span){foreign.data, foreign.length});
            assert_span(request.key, key);
        }
        feed_byte_by_byte(take_request, (struct span){foreign.data, foreign.length}, wanted,
                          consumed);
        buffer_finish(&payload);
        buffer_finish(&mine);
        buffer_finish(&foreign);
    }
}

static void a_map_name_cannot_hold_a_space(void **state)
{
    (void)state;
    struct buffer out = {0};
    assert_false(socketmap_append_request(&out, span_of("a b"), span_of("c")));
    assert_int_equal(out.length, 0);
    assert_true(socketmap_append_request(&out, span_of(""), span_of("")));
    assert_string_equal(buffer_text(&out), "1: ,");
    buffer_finish(&out);
}

#define REFUSED "51:TEMP the answer cannot be sent in a socketmap reply,"

static void a_reply_is_framed_or_becomes_temp(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum wire_status status;
        struct span text;
        const char *wanted; /* REFUSED: the function says false */
    } cases[] = {
        {"value", WIRE_OK, SPAN("a@b.example"), "14:OK a@b.example,"},
        {"value of one byte", WIRE_OK, SPAN("a"), "4:OK a,"},
        {"value with spaces", WIRE_OK, SPAN("\"a b\"@c, d@e"), "15:OK \"a b\"@c, d@e,"},
        {"value in UTF-8", WIRE_OK, SPAN("\xc3\xa9@b"), "7:OK \xc3\xa9@b,"},
        {"absent", WIRE_NOTFOUND, SPAN(""), "9:NOTFOUND ,"},
        {"absent has no text", WIRE_NOTFOUND, SPAN("dropped\n"), "9:NOTFOUND ,"},
        {"reason", WIRE_TEMP, SPAN("cache unreadable"), "21:TEMP cache unreadable,"},
        {"no reason", WIRE_TEMP, SPAN(""), "5:TEMP ,"},
        {"no such map", WIRE_PERM, SPAN("no such map"), "16:PERM no such map,"},
        {"empty value", WIRE_OK, SPAN(""), REFUSED},
        {"blank value", WIRE_OK, SPAN(" "), REFUSED},
        {"blanks only", WIRE_OK, SPAN(" \t \r"), REFUSED},
        {"NUL in the value", WIRE_OK, SPAN("a@b\0c"), REFUSED},
        {"newline in the value", WIRE_OK, SPAN("a@b\nc"), REFUSED},
        {"newline at the end", WIRE_OK, SPAN("a@b\n"), REFUSED},
        {"not UTF-8", WIRE_OK, SPAN("\xe9@b"), REFUSED},
        {"newline in a reason", WIRE_TEMP, SPAN("a\nb"), REFUSED},
        {"NUL in a reason", WIRE_PERM, SPAN("\0"), REFUSED},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        print_message("# %s\n", cases[i].name);
        struct buffer out = {0};
        buffer_append_text(&out, "before");
        bool wanted = strcmp(cases[i].wanted, REFUSED) != 0;
        assert_int_equal(socketmap_append_reply(&out, cases[i].status, cases[i].text), wanted);
        assert_memory_equal(out.data, "before", 6);
        assert_string_equal(buffer_text(&out) + 6, cases[i].wanted);
        buffer_finish(&out);
    }
}

static void a_reply_has_a_limit_and_is_never_cut(void **state)
{
    (void)state;
    static const struct {
        enum wire_status status;
        size_t text_bytes;
        bool wanted;
    } cases[] = {
        {WIRE_OK, WIRE_SOCKETMAP_REPLY_MAX_BYTES - 4, true},
        {WIRE_OK, WIRE_SOCKETMAP_REPLY_MAX_BYTES - 3, true},
        {WIRE_OK, WIRE_SOCKETMAP_REPLY_MAX_BYTES - 2, false},
        {WIRE_TEMP, WIRE_SOCKETMAP_REPLY_MAX_BYTES - 5, true},
        {WIRE_TEMP, WIRE_SOCKETMAP_REPLY_MAX_BYTES - 4, false},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct span text = {feed_fill('v', cases[i].text_bytes), cases[i].text_bytes};
        struct buffer out = {0};
        assert_int_equal(socketmap_append_reply(&out, cases[i].status, text), cases[i].wanted);
        size_t consumed;
        assert_int_equal(take_reply(out.data, out.length, &consumed), WIRE_COMPLETE);
        assert_int_equal(consumed, out.length);
        if (cases[i].wanted)
            assert_span(reply.text, text);
        else
            assert_string_equal(buffer_text(&out), REFUSED);
        assert_int_equal(reply.status, cases[i].wanted ? cases[i].status : WIRE_TEMP);
        buffer_finish(&out);
    }
}

static void replies_are_written_one_behind_the_other(void **state)
{
    (void)state;
    struct buffer out = {0};
    size_t mark = socketmap_begin_reply(&out);
    buffer_append_text(&out, "a@b");
    buffer_append_text(&out, ",c@d");
    assert_true(socketmap_end_reply(&out, mark, WIRE_OK));
    mark = socketmap_begin_reply(&out);
    assert_true(socketmap_end_reply(&out, mark, WIRE_NOTFOUND));
    mark = socketmap_begin_reply(&out);
    assert_false(socketmap_end_reply(&out, mark, WIRE_OK));
    mark = socketmap_begin_reply(&out);
    buffer_append_text(&out, "why");
    assert_true(socketmap_end_reply(&out, mark, WIRE_TEMP));
    assert_string_equal(buffer_text(&out), "10:OK a@b,c@d,9:NOTFOUND ," REFUSED "8:TEMP why,");
    buffer_finish(&out);
}

static void a_reply_is_taken_or_refused(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct span input;
        enum wire_result wanted;
        enum wire_status wanted_status;
        struct span wanted_text;
    } cases[] = {
        {"found", SPAN("6:OK a@b,"), WIRE_COMPLETE, WIRE_OK, SPAN("a@b")},
        {"absent", SPAN("9:NOTFOUND ,"), WIRE_COMPLETE, WIRE_NOTFOUND, SPAN("")},
        {"absent without its space", SPAN("8:NOTFOUND,"), WIRE_COMPLETE, WIRE_NOTFOUND, SPAN("")},
        {"temporary", SPAN("8:TEMP why,"), WIRE_COMPLETE, WIRE_TEMP, SPAN("why")},
        {"timeout", SPAN("11:TIMEOUT why,"), WIRE_COMPLETE, WIRE_TEMP, SPAN("why")},
        {"permanent", SPAN("11:PERM no map,"), WIRE_COMPLETE, WIRE_PERM, SPAN("no map")},
        {"no reason", SPAN("4:TEMP,"), WIRE_COMPLETE, WIRE_TEMP, SPAN("")},
        {"found nothing", SPAN("3:OK ,"), WIRE_BAD, WIRE_OK, SPAN("")},
        {"found without a space", SPAN("2:OK,"), WIRE_BAD, WIRE_OK, SPAN("")},
        {"lower case", SPAN("6:ok a@b,"), WIRE_BAD, WIRE_OK, SPAN("")},
        {"longer word", SPAN("5:OKAY ,"), WIRE_BAD, WIRE_OK, SPAN("")},
        {"shorter word", SPAN("3:NOT,"), WIRE_BAD, WIRE_OK, SPAN("")},
        {"nothing in it", SPAN("0:,"), WIRE_BAD, WIRE_OK, SPAN("")},
        {"newline in the value", SPAN("6:OK a\nb,"), WIRE_BAD, WIRE_OK, SPAN("")},
        {"not UTF-8", SPAN("4:OK \xff,"), WIRE_BAD, WIRE_OK, SPAN("")},
        {"over the limit", SPAN("100001:"), WIRE_BAD, WIRE_OK, SPAN("")},
        {"cut", SPAN("6:OK a@"), WIRE_NEED_MORE, WIRE_OK, SPAN("")},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        print_message("# %s\n", cases[i].name);
        size_t consumed = 0;
        enum wire_result result = take_reply(cases[i].input.data, cases[i].input.length, &consumed);
        assert_int_equal(result, cases[i].wanted);
        if (result == WIRE_COMPLETE) {
            assert_int_equal(reply.status, cases[i].wanted_status);
            assert_span(reply.text, cases[i].wanted_text);
        }
        feed_byte_by_byte(take_reply, cases[i].input, cases[i].wanted, consumed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_a_map_a_space_and_a_key),
        cmocka_unit_test(a_request_has_a_limit),
        cmocka_unit_test(a_map_name_cannot_hold_a_space),
        cmocka_unit_test(a_reply_is_framed_or_becomes_temp),
        cmocka_unit_test(a_reply_has_a_limit_and_is_never_cut),
        cmocka_unit_test(replies_are_written_one_behind_the_other),
        cmocka_unit_test(a_reply_is_taken_or_refused),
    };
    return cmocka_run_group_tests_name("wire/socketmap", tests, NULL, NULL);
}
