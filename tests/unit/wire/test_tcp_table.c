/* tcp_table: lines, their %XX encoding and their limits, both directions. */
#include "feed.h"
#include "wire/tcp_table.h"

static struct buffer decoded;
static struct tcp_table_request request;
static struct wire_reply reply;

static int forget_decoded(void **state)
{
    (void)state;
    buffer_finish(&decoded);
    return 0;
}

static enum wire_result take_request(const char *data, size_t length, size_t *ret_consumed)
{
    return tcp_table_take_request(data, length, &decoded, &request, ret_consumed);
}

static enum wire_result take_reply(const char *data, size_t length, size_t *ret_consumed)
{
    return tcp_table_take_reply(data, length, &decoded, &reply, ret_consumed);
}

static void a_request_is_a_line(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct span input;
        enum wire_result wanted;
        enum tcp_table_verb wanted_verb;
        struct span wanted_key;
    } cases[] = {
        {"plain", SPAN("get jdoe@ubuntu.com\n"), WIRE_COMPLETE, TCP_TABLE_GET,
         SPAN("jdoe@ubuntu.com")},
        {"encoded", SPAN("get %22a%20b%22@c%25\n"), WIRE_COMPLETE, TCP_TABLE_GET,
         SPAN("\"a b\"@c%")},
        {"hex of either case", SPAN("get %c3%A9%C3%a9\n"), WIRE_COMPLETE, TCP_TABLE_GET,
         SPAN("\xc3\xa9\xc3\xa9")},
        {"encoded without need", SPAN("get %61\n"), WIRE_COMPLETE, TCP_TABLE_GET, SPAN("a")},
        {"encoded newline", SPAN("get a%0Ab\n"), WIRE_COMPLETE, TCP_TABLE_GET, SPAN("a\nb")},
        {"empty key", SPAN("get \n"), WIRE_COMPLETE, TCP_TABLE_GET, SPAN("")},
        {"the first of two", SPAN("get a\nget b\n"), WIRE_COMPLETE, TCP_TABLE_GET, SPAN("a")},
        {"put", SPAN("put a b\n"), WIRE_COMPLETE, TCP_TABLE_PUT, SPAN("")},
        {"put of nothing", SPAN("put \n"), WIRE_COMPLETE, TCP_TABLE_PUT, SPAN("")},
        {"nothing", SPAN(""), WIRE_NEED_MORE, TCP_TABLE_GET, SPAN("")},
        {"cut", SPAN("get jdoe@ubuntu.com"), WIRE_NEED_MORE, TCP_TABLE_GET, SPAN("")},
        {"verb cut", SPAN("ge"), WIRE_NEED_MORE, TCP_TABLE_GET, SPAN("")},
        {"no space", SPAN("get\n"), WIRE_BAD, TCP_TABLE_GET, SPAN("")},
        {"unknown verb", SPAN("delete a\n"), WIRE_BAD, TCP_TABLE_GET, SPAN("")},
        {"verb in capitals", SPAN("GET a\n"), WIRE_BAD, TCP_TABLE_GET, SPAN("")},
        {"empty line", SPAN("\n"), WIRE_BAD, TCP_TABLE_GET, SPAN("")},
        {"other protocol", SPAN("7:alias x,"), WIRE_BAD, TCP_TABLE_GET, SPAN("")},
        {"percent at the end", SPAN("get a%\n"), WIRE_BAD, TCP_TABLE_GET, SPAN("")},
        {"one digit", SPAN("get a%4\n"), WIRE_BAD, TCP_TABLE_GET, SPAN("")},
        {"no hex", SPAN("get %4g\n"), WIRE_BAD, TCP_TABLE_GET, SPAN("")},
        {"no hex in front", SPAN("get % 4\n"), WIRE_BAD, TCP_TABLE_GET, SPAN("")},
        {"encoded NUL", SPAN("get a%00\n"), WIRE_BAD, TCP_TABLE_GET, SPAN("")},
        {"raw NUL", SPAN("get a\0b\n"), WIRE_BAD, TCP_TABLE_GET, SPAN("")},
        {"raw space", SPAN("get a b\n"), WIRE_BAD, TCP_TABLE_GET, SPAN("")},
        {"carriage return", SPAN("get a\r\n"), WIRE_BAD, TCP_TABLE_GET, SPAN("")},
        {"raw byte above ASCII", SPAN("get \xc3\xa9\n"), WIRE_BAD, TCP_TABLE_GET, SPAN("")},
        {"raw delete", SPAN("get \x7f\n"), WIRE_BAD, TCP_TABLE_GET, SPAN("")},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        print_message("# %s\n", cases[i].name);
        size_t consumed = 0;
        enum wire_result result =
            take_request(cases[i].input.data, cases[i].input.length, &consumed);
        assert_int_equal(result, cases[i].wanted);
        if (result == WIRE_COMPLETE) {
            assert_int_equal(request.verb, cases[i].wanted_verb);
            assert_span(request.key, cases[i].wanted_key);
        }
        feed_byte_by_byte(take_request, cases[i].input, cases[i].wanted, consumed);
    }
}

static void a_key_has_a_limit_after_decoding(void **state)
{
    (void)state;
    static const struct {
        char byte;
        size_t key_bytes;
        bool wanted;
    } cases[] = {
        {'k', WIRE_QUERY_MAX_BYTES - 1, true},  {'k', WIRE_QUERY_MAX_BYTES, true},
        {'k', WIRE_QUERY_MAX_BYTES + 1, false}, {' ', WIRE_QUERY_MAX_BYTES - 1, true},
        {' ', WIRE_QUERY_MAX_BYTES, true},      {' ', WIRE_QUERY_MAX_BYTES + 1, false},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct span key = {feed_fill(cases[i].byte, cases[i].key_bytes), cases[i].key_bytes};
        struct buffer mine = {0}, foreign = {0};
        assert_int_equal(tcp_table_append_request(&mine, key), cases[i].wanted);
        assert_int_equal(mine.length != 0, cases[i].wanted);

        buffer_append_text(&foreign, "get ");
        for (size_t at = 0; at < key.length; at++)
            buffer_append_text(&foreign, cases[i].byte == ' ' ? "%20" : "k");
        buffer_append_char(&foreign, '\n');
        size_t consumed;
        assert_int_equal(take_request(foreign.data, foreign.length, &consumed),
                         cases[i].wanted ? WIRE_COMPLETE : WIRE_BAD);
        if (cases[i].wanted) {
            assert_span((struct span){mine.data, mine.length},
                        (struct span){foreign.data, foreign.length});
            assert_span(request.key, key);
            assert_int_equal(consumed, foreign.length);
        }
        buffer_finish(&mine);
        buffer_finish(&foreign);
    }
}

static void a_line_without_end_is_refused_at_the_limit(void **state)
{
    (void)state;
    static const char *const verbs[] = {"get ", "put "};
    for (size_t i = 0; i < ARRAY_LENGTH(verbs); i++) {
        struct buffer line = {0};
        buffer_append_text(&line, verbs[i]);
        buffer_append(&line, feed_fill('x', TCP_TABLE_REQUEST_MAX_BYTES),
                      TCP_TABLE_REQUEST_MAX_BYTES);
        size_t consumed;
        assert_int_equal(take_request(line.data, TCP_TABLE_REQUEST_MAX_BYTES - 1, &consumed),
                         WIRE_NEED_MORE);
        assert_int_equal(take_request(line.data, TCP_TABLE_REQUEST_MAX_BYTES, &consumed), WIRE_BAD);
        assert_int_equal(take_request(line.data, TCP_TABLE_REQUEST_MAX_BYTES + 1, &consumed),
                         WIRE_BAD);
        line.data[TCP_TABLE_REQUEST_MAX_BYTES] = '\n';
        assert_int_equal(take_request(line.data, TCP_TABLE_REQUEST_MAX_BYTES + 1, &consumed),
                         WIRE_BAD);
        buffer_finish(&line);
    }
}

static void a_key_with_nul_cannot_be_asked(void **state)
{
    (void)state;
    struct buffer out = {0};
    assert_false(tcp_table_append_request(&out, (struct span){"a\0b", 3}));
    assert_int_equal(out.length, 0);
    assert_true(tcp_table_append_request(&out, (struct span){"", 0}));
    assert_string_equal(buffer_text(&out), "get \n");
    buffer_finish(&out);
}

#define REFUSED "400 the%20answer%20cannot%20be%20sent%20in%20a%20tcp_table%20reply\n"

static void a_reply_is_encoded_or_becomes_400(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum wire_status status;
        struct span text;
        const char *wanted; /* REFUSED: the function says false */
    } cases[] = {
        {"value", WIRE_OK, SPAN("a@b,c@d"), "200 a@b,c@d\n"},
        {"all that is encoded", WIRE_OK, SPAN("% \t\r\x01\x7f\xc3\xa9~!"),
         "200 %25%20%09%0D%01%7F%C3%A9~!\n"},
        {"absent", WIRE_NOTFOUND, SPAN("not found"), "500 not%20found\n"},
        {"reason", WIRE_TEMP, SPAN("cache unreadable"), "400 cache%20unreadable\n"},
        {"no such map", WIRE_PERM, SPAN("no"), "400 no\n"},
        {"no reason", WIRE_TEMP, SPAN(""), "400 \n"},
        {"empty value", WIRE_OK, SPAN(""), REFUSED},
        {"blank value", WIRE_OK, SPAN("  "), REFUSED},
        {"newline in the value", WIRE_OK, SPAN("a\nb"), REFUSED},
        {"NUL in the value", WIRE_OK, SPAN("a\0b"), REFUSED},
        {"not UTF-8", WIRE_OK, SPAN("a\xff"), REFUSED},
        {"newline in a reason", WIRE_NOTFOUND, SPAN("a\nb"), REFUSED},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        print_message("# %s\n", cases[i].name);
        struct buffer out = {0};
        buffer_append_text(&out, "before");
        bool wanted = strcmp(cases[i].wanted, REFUSED) != 0;
        assert_int_equal(tcp_table_append_reply(&out, cases[i].status, cases[i].text), wanted);
        assert_memory_equal(out.data, "before", 6);
        assert_string_equal(buffer_text(&out) + 6, cases[i].wanted);
        buffer_finish(&out);
    }
}

static void a_reply_has_a_limit_after_encoding(void **state)
{
    (void)state;
    static const struct {
        size_t plain_bytes;
        size_t escaped_bytes; /* each becomes three */
        bool wanted;
    } cases[] = {
        {WIRE_TCP_TABLE_REPLY_MAX_BYTES - 6, 0, true},
        {WIRE_TCP_TABLE_REPLY_MAX_BYTES - 5, 0, true},
        {WIRE_TCP_TABLE_REPLY_MAX_BYTES - 4, 0, false},
        {WIRE_TCP_TABLE_REPLY_MAX_BYTES - 9, 1, true},
        {WIRE_TCP_TABLE_REPLY_MAX_BYTES - 8, 1, true},
        {WIRE_TCP_TABLE_REPLY_MAX_BYTES - 7, 1, false},
        {1, 1363, true},
        {2, 1363, true},
        {3, 1363, false},
        {100000, 0, false},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct buffer text = {0}, out = {0};
        buffer_append(&text, feed_fill('v', cases[i].plain_bytes), cases[i].plain_bytes);
        buffer_append(&text, feed_fill(' ', cases[i].escaped_bytes), cases[i].escaped_bytes);
        struct span value = {text.data, text.length};
        assert_int_equal(tcp_table_append_reply(&out, WIRE_OK, value), cases[i].wanted);
        assert_true(out.length <= WIRE_TCP_TABLE_REPLY_MAX_BYTES);
        size_t consumed;
        assert_int_equal(take_reply(out.data, out.length, &consumed), WIRE_COMPLETE);
        assert_int_equal(consumed, out.length);
        assert_int_equal(reply.status, cases[i].wanted ? WIRE_OK : WIRE_TEMP);
        if (cases[i].wanted)
            assert_span(reply.text, value);
        else
            assert_string_equal(buffer_text(&out), REFUSED);
        buffer_finish(&text);
        buffer_finish(&out);
    }
}

static void replies_are_written_one_behind_the_other(void **state)
{
    (void)state;
    struct buffer out = {0};
    size_t mark = tcp_table_begin_reply(&out);
    buffer_append_text(&out, "a@b");
    buffer_append_text(&out, ", c@d");
    assert_true(tcp_table_end_reply(&out, mark, WIRE_OK));
    mark = tcp_table_begin_reply(&out);
    assert_false(tcp_table_end_reply(&out, mark, WIRE_OK));
    mark = tcp_table_begin_reply(&out);
    buffer_append_text(&out, "none");
    assert_true(tcp_table_end_reply(&out, mark, WIRE_NOTFOUND));
    assert_string_equal(buffer_text(&out), "200 a@b,%20c@d\n" REFUSED "500 none\n");
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
        {"found", SPAN("200 a@b\n"), WIRE_COMPLETE, WIRE_OK, SPAN("a@b")},
        {"encoded", SPAN("200 a%20%c3%A9\n"), WIRE_COMPLETE, WIRE_OK, SPAN("a \xc3\xa9")},
        {"not encoded", SPAN("200 a \xc3\xa9\n"), WIRE_COMPLETE, WIRE_OK, SPAN("a \xc3\xa9")},
        {"absent", SPAN("500 no such key\n"), WIRE_COMPLETE, WIRE_NOTFOUND, SPAN("no such key")},
        {"absent without words", SPAN("500 \n"), WIRE_COMPLETE, WIRE_NOTFOUND, SPAN("")},
        {"trouble", SPAN("400 why\n"), WIRE_COMPLETE, WIRE_TEMP, SPAN("why")},
        {"found nothing", SPAN("200 \n"), WIRE_BAD, WIRE_OK, SPAN("")},
        {"blank", SPAN("200 %20\n"), WIRE_BAD, WIRE_OK, SPAN("")},
        {"newline inside", SPAN("200 a%0Ab\n"), WIRE_BAD, WIRE_OK, SPAN("")},
        {"NUL inside", SPAN("200 a%00b\n"), WIRE_BAD, WIRE_OK, SPAN("")},
        {"not UTF-8", SPAN("200 %FF\n"), WIRE_BAD, WIRE_OK, SPAN("")},
        {"bad escape", SPAN("200 100%\n"), WIRE_BAD, WIRE_OK, SPAN("")},
        {"unknown status", SPAN("250 a\n"), WIRE_BAD, WIRE_OK, SPAN("")},
        {"no space", SPAN("200\n"), WIRE_BAD, WIRE_OK, SPAN("")},
        {"words", SPAN("OK a@b\n"), WIRE_BAD, WIRE_OK, SPAN("")},
        {"cut", SPAN("200 a@b"), WIRE_NEED_MORE, WIRE_OK, SPAN("")},
        {"status cut", SPAN("50"), WIRE_NEED_MORE, WIRE_OK, SPAN("")},
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

static void a_reply_line_without_end_is_refused_at_the_limit(void **state)
{
    (void)state;
    struct buffer line = {0};
    buffer_append_text(&line, "200 ");
    buffer_append(&line, feed_fill('v', WIRE_TCP_TABLE_REPLY_MAX_BYTES),
                  WIRE_TCP_TABLE_REPLY_MAX_BYTES);
    feed_byte_by_byte(take_reply, (struct span){line.data, WIRE_TCP_TABLE_REPLY_MAX_BYTES - 1},
                      WIRE_NEED_MORE, 0);
    feed_byte_by_byte(take_reply, (struct span){line.data, line.length}, WIRE_BAD, 0);
    line.data[WIRE_TCP_TABLE_REPLY_MAX_BYTES - 1] = '\n';
    feed_byte_by_byte(take_reply, (struct span){line.data, line.length}, WIRE_COMPLETE,
                      WIRE_TCP_TABLE_REPLY_MAX_BYTES);
    buffer_finish(&line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_request_is_a_line, forget_decoded),
        cmocka_unit_test_teardown(a_key_has_a_limit_after_decoding, forget_decoded),
        cmocka_unit_test_teardown(a_line_without_end_is_refused_at_the_limit, forget_decoded),
        cmocka_unit_test(a_key_with_nul_cannot_be_asked),
        cmocka_unit_test(a_reply_is_encoded_or_becomes_400),
        cmocka_unit_test_teardown(a_reply_has_a_limit_after_encoding, forget_decoded),
        cmocka_unit_test(replies_are_written_one_behind_the_other),
        cmocka_unit_test_teardown(a_reply_is_taken_or_refused, forget_decoded),
        cmocka_unit_test_teardown(a_reply_line_without_end_is_refused_at_the_limit, forget_decoded),
    };
    return cmocka_run_group_tests_name("wire/tcp_table", tests, NULL, NULL);
}
