/* HTTP requests from bytes, byte by byte and at once, and replies to bytes. */
#include "feed.h"
#include "wire/bare_http.h"

#define H "Host: h\r\n"

static enum wire_result take(const char *data, size_t length, size_t *ret_consumed)
{
    struct bare_http_request request;
    return bare_http_take_request(data, length, &request, ret_consumed);
}

static const struct {
    struct span input;
    const char *method, *path;
    bool is_last;
} good[] = {
    {SPAN("GET /metrics HTTP/1.1\r\n" H "\r\n"), "GET", "/metrics", false},
    {SPAN("HEAD / HTTP/1.1\nhost:\n\n"), "HEAD", "/", false},
    {SPAN("GET /a?b=/c&d HTTP/1.1\r\n" H "Accept: */*\r\n\r\nGET"), "GET", "/a", false},
    {SPAN("GET /%2e HTTP/1.9\r\n" H "\r\n"), "GET", "/%2e", false},
    {SPAN("GET /a HTTP/1.1\r\n" H "Connection: Close\r\n\r\n"), "GET", "/a", true},
    {SPAN("GET /a HTTP/1.1\r\n" H "connection: te , CLOSE\t\r\n\r\n"), "GET", "/a", true},
    {SPAN("GET /a HTTP/1.1\r\n" H "Connection: closed, \r\n\r\n"), "GET", "/a", false},
    {SPAN("GET /a HTTP/1.0\r\n\r\n"), "GET", "/a", true},
    {SPAN("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"), "GET", "/a", false},
    /* What follows is a body, which nobody reads. */
    {SPAN("POST /a HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nabcde"), "POST", "/a", true},
    {SPAN("POST /a HTTP/1.1\r\n" H "Content-Length: 0\r\n\r\n"), "POST", "/a", false},
    {SPAN("GET /a HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), "GET", "/a",
     true},
};

static void requests_are_taken_apart(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(good); i++) {
        struct bare_http_request request;
        size_t consumed;
        assert_int_equal(
            bare_http_take_request(good[i].input.data, good[i].input.length, &request, &consumed),
            WIRE_COMPLETE);
        feed_byte_by_byte(take, good[i].input, WIRE_COMPLETE, consumed);
        assert_int_equal(good[i].input.data[consumed - 1], '\n');
        assert_span(request.method, span_of(good[i].method));
        assert_span(request.path, span_of(good[i].path));
        assert_int_equal(request.is_last, good[i].is_last);
    }
}

static void what_is_no_request_is_bad(void **state)
{
    (void)state;
    static const struct span bad[] = {
        SPAN("\n"),
        SPAN("\r\n"),
        SPAN("GET /\r\n"),
        SPAN("GET  / HTTP/1.1\r\n"),
        SPAN("GET / HTTP/1.1 \r\n"),
        SPAN("GET /a b HTTP/1.1\r\n"),
        SPAN("GET / HTTP/2.0\r\n"),
        SPAN("GET / HTTP/1.x\r\n"),
        SPAN("GET / HTTP/1.\0\r\n"),
        SPAN("GET / http/1.1\r\n"),
        SPAN("get / HTTP/1.1\r\n"),
        SPAN("GET HTTP/1.1\r\n"),
        SPAN("GET * HTTP/1.1\r\n"),
        SPAN("GET http://h/ HTTP/1.1\r\n"),
        SPAN("GET /\x80 HTTP/1.1\r\n"),
        SPAN("GET /\0 HTTP/1.1\r\n"),
        SPAN("PRI * HTTP/2.0\r\n"),
        SPAN("11:alias a@b.c,\n"),
        SPAN("GET / HTTP/1.1\r\n\r\n"), /* RFC 9112 3.2: a Host, and only one */
        SPAN("GET / HTTP/1.1\r\n" H H "\r\n"),
        SPAN("GET / HTTP/1.0\r\n" H H "\r\n"),
        SPAN("GET / HTTP/1.1\r\n" H " folded\r\n"),
        SPAN("GET / HTTP/1.1\r\nHost : h\r\n"),
        SPAN("GET / HTTP/1.1\r\n: h\r\n"),
        SPAN("GET / HTTP/1.1\r\nHost\r\n"),
        SPAN("GET / HTTP/1.1\r\nA: b\0c\r\n"),
        SPAN("GET / HTTP/1.1\r\nA: b\rc\r\n"),
    };
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
        feed_byte_by_byte(take, bad[i], WIRE_BAD, 0);
}

static void a_request_without_end_is_bad(void **state)
{
    (void)state;
    static const char start[] = "GET / HTTP/1.1\r\n" H "A: ";
    struct buffer input = {0};
    size_t consumed;
    buffer_append_text(&input, start);
    buffer_append(&input, feed_fill('a', BARE_HTTP_REQUEST_MAX_BYTES), BARE_HTTP_REQUEST_MAX_BYTES);
    assert_int_equal(take(input.data, BARE_HTTP_REQUEST_MAX_BYTES - 1, &consumed), WIRE_NEED_MORE);
    assert_int_equal(take(input.data, BARE_HTTP_REQUEST_MAX_BYTES, &consumed), WIRE_BAD);
    memcpy(input.data + BARE_HTTP_REQUEST_MAX_BYTES - 4, "\r\n\r\n", 4);
    assert_int_equal(take(input.data, BARE_HTTP_REQUEST_MAX_BYTES, &consumed), WIRE_COMPLETE);
    buffer_finish(&input);
}

#define DATE "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n" /* the example of RFC 9110 5.6.7 */
#define NOW  784111777
#define TEXT "Content-Type: text/plain\r\n"
#define LAST "Cache-Control: no-store\r\n"

static const struct {
    struct bare_http_reply reply;
    const char *wanted;
} replies[] = {
    {{BARE_HTTP_OK, "text/plain", SPAN("hello"), .now_s = NOW},
     "HTTP/1.1 200 OK\r\n" DATE TEXT "Content-Length: 5\r\n" LAST "\r\nhello"},
    {{BARE_HTTP_OK, "text/plain", SPAN("hello"), .is_head = true, .is_last = true, .now_s = NOW},
     "HTTP/1.1 200 OK\r\n" DATE TEXT "Content-Length: 5\r\n" LAST "Connection: close\r\n\r\n"},
    {{BARE_HTTP_METHOD_NOT_ALLOWED, "text/plain", SPAN(""), .now_s = NOW},
     "HTTP/1.1 405 Method Not Allowed\r\n" DATE TEXT "Content-Length: 0\r\n" LAST
     "Allow: GET, HEAD\r\n\r\n"},
    {{BARE_HTTP_UNAVAILABLE, "text/plain", SPAN("why\n"), .now_s = NOW},
     "HTTP/1.1 503 Service Unavailable\r\n" DATE TEXT "Content-Length: 4\r\n" LAST "\r\nwhy\n"},
};

static void replies_say_their_length(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(replies); i++) {
        struct buffer out = {0};
        bare_http_append_reply(&out, &replies[i].reply);
        assert_string_equal(buffer_text(&out), replies[i].wanted);
        buffer_finish(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_taken_apart),
        cmocka_unit_test(what_is_no_request_is_bad),
        cmocka_unit_test(a_request_without_end_is_bad),
        cmocka_unit_test(replies_say_their_length),
    };
    return cmocka_run_group_tests_name("bare_http", tests, NULL, NULL);
}
