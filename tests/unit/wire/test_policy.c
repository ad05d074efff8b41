/* Policy requests from bytes, byte by byte and at once, and replies to bytes. */
#include "feed.h"
#include "wire/policy.h"

static enum wire_result take(const char *data, size_t length, size_t *ret_consumed)
{
    struct policy_request request;
    return policy_take_request(data, length, &request, ret_consumed);
}

static const struct {
    struct span input;
    const char *request, *protocol_state, *recipient;
} good[] = {
    {SPAN("request=smtpd_access_policy\n\n"), "smtpd_access_policy", "", ""},
    {SPAN("request=r\nprotocol_state=RCPT\nrecipient=a@b.c\n\nrequest=x\n\n"), "r", "RCPT",
     "a@b.c"},
    /* Any order, others passed over, the last of two, "=" in a value, empty values. */
    {SPAN("recipient=a\nsize=0\nrecipient=b=c\nsender=\nprotocol_state=\nrequest=r\n\n"), "r", "",
     "b=c"},
    {SPAN("request=r\nrecipient=\"a b\"@\xc3\xbc.example \n\n"), "r", "",
     "\"a b\"@\xc3\xbc.example "},
    {SPAN("request=r\nrequests=x\nRecipient=x\nrecip=x\n\n"), "r", "", ""},
    {SPAN("request=r\nrecipient=\xff\r\n\n"), "r", "", "\xff\r"},
};

static void requests_are_taken_apart(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(good); i++) {
        struct policy_request request;
        size_t consumed;
        const char *end = strstr(good[i].input.data, "\n\n") + 2;
        feed_byte_by_byte(take, good[i].input, WIRE_COMPLETE, (size_t)(end - good[i].input.data));
        assert_int_equal(
            policy_take_request(good[i].input.data, good[i].input.length, &request, &consumed),
            WIRE_COMPLETE);
        assert_span(request.request, span_of(good[i].request));
        assert_span(request.protocol_state, span_of(good[i].protocol_state));
        assert_span(request.recipient, span_of(good[i].recipient));
    }
}

static void what_is_no_request_is_bad(void **state)
{
    (void)state;
    static const struct span bad[] = {
        SPAN("\n"),
        SPAN("\r\n"),
        SPAN("request\n"),
        SPAN("=value\n"),
        SPAN("request=r\nGET / HTTP/1.0\n"),
        SPAN("request=r\n \n"),
        SPAN("request=r\nrecipient=a\0b\n"),
        SPAN("req\0uest=r\n"),
        SPAN("recipient=a@b.c\n\n"), /* "request" is required */
        SPAN("request=\n\n"),
    };
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
        feed_byte_by_byte(take, bad[i], WIRE_BAD, 0);
}

/* A request of that many bytes, all of them but the end in one value. */
static enum wire_result take_long(size_t bytes)
{
    struct buffer request = {0};
    size_t consumed;
    buffer_append_text(&request, "request=");
    buffer_append_text(&request, feed_fill('x', bytes - strlen("request=") - 2));
    buffer_append_text(&request, "\n\n");
    enum wire_result result = take(request.data, request.length, &consumed);
    buffer_finish(&request);
    return result;
}

static void a_request_has_a_limit(void **state)
{
    (void)state;
    size_t consumed;
    assert_int_equal(take_long(POLICY_REQUEST_MAX_BYTES), WIRE_COMPLETE);
    assert_int_equal(take_long(POLICY_REQUEST_MAX_BYTES + 1), WIRE_BAD);
    assert_int_equal(
        take(feed_fill('x', POLICY_REQUEST_MAX_BYTES - 1), POLICY_REQUEST_MAX_BYTES - 1, &consumed),
        WIRE_NEED_MORE);
    assert_int_equal(
        take(feed_fill('x', POLICY_REQUEST_MAX_BYTES), POLICY_REQUEST_MAX_BYTES, &consumed),
        WIRE_BAD);
}

static void a_reply_is_one_action_or_dunno(void **state)
{
    (void)state;
    static const struct {
        struct span action;
        const char *wanted;
        bool is_fine;
    } cases[] = {
        {SPAN("DUNNO"), "action=DUNNO\n\n", true},
        {SPAN("550 5.1.6 gone"), "action=550 5.1.6 gone\n\n", true},
        {SPAN(""), "action=DUNNO\n\n", false},
        {SPAN("  "), "action=DUNNO\n\n", false},
        {SPAN("550 a\nb"), "action=DUNNO\n\n", false},
        {SPAN("550 \0"), "action=DUNNO\n\n", false},
        {SPAN("550 \xff"), "action=DUNNO\n\n", false},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct buffer out = {0};
        buffer_append_text(&out, "before");
        size_t mark = policy_begin_reply(&out);
        buffer_append(&out, cases[i].action.data, cases[i].action.length);
        assert_int_equal(policy_end_reply(&out, mark), cases[i].is_fine);
        assert_memory_equal(out.data, "before", 6);
        assert_span((struct span){out.data + 6, out.length - 6}, span_of(cases[i].wanted));
        buffer_finish(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_taken_apart),
        cmocka_unit_test(what_is_no_request_is_bad),
        cmocka_unit_test(a_request_has_a_limit),
        cmocka_unit_test(a_reply_is_one_action_or_dunno),
    };
    return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
