/* transfer: outcomes, limits and order, against sockets of our own on the loopback. */
#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../unit.h"
#include "base/timestamp.h"
#include "transfer/transfer.h"

#define FAR_MS 60000

/* A port of the loopback: reserved only (connections are refused), listening, or answering. */
struct door {
    int fd;
    char url[64];
    const char *answer;
    int connections;
    char request[4096]; /* the last one, to be read once the door is closed */
    pthread_t thread;
};

static void door_open(struct door *door, const char *scheme)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    *door = (struct door){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    assert_return_code(bind(door->fd, (struct sockaddr *)&address, length), 0);
    assert_return_code(getsockname(door->fd, (struct sockaddr *)&address, &length), 0);
    snprintf(door->url, sizeof(door->url), "%s://127.0.0.1:%u/x", scheme, ntohs(address.sin_port));
}

/* Up to the end of an HTTP request, or the first bytes of a TLS greeting (RFC 8446 5.1). */
static void read_request(int fd, char bytes[4096])
{
    size_t length = 0;
    memset(bytes, 0, 4096);
    while (length < 4095 && memmem(bytes, length, "\r\n\r\n", 4) == NULL) {
        ssize_t got = read(fd, bytes + length, 4095 - length);
        if (got <= 0 || bytes[0] == 22)
            return;
        length += (size_t)got;
    }
}

static void *answer_all(void *context)
{
    struct door *door = context;
    for (int fd; (fd = accept(door->fd, NULL, NULL)) >= 0; close(fd)) {
        door->connections++;
        read_request(fd, door->request);
        (void)!send(fd, door->answer, strlen(door->answer), MSG_NOSIGNAL);
    }
    return NULL;
}

static void door_answer(struct door *door, const char *scheme, const char *answer)
{
    door_open(door, scheme);
    assert_return_code(listen(door->fd, 16), 0);
    door->answer = answer;
    assert_int_equal(pthread_create(&door->thread, NULL, answer_all, door), 0);
}

static void door_close(struct door *door)
{
    shutdown(door->fd, SHUT_RDWR);
    if (door->answer != NULL)
        pthread_join(door->thread, NULL);
    close(door->fd);
}

/* What finished() was told, copied while it was there. */
struct seen {
    int count;
    int sent_count;
    enum transfer_outcome outcome;
    unsigned status;
    int64_t retry_after_s;
    enum transfer_family family;
    int64_t at_ms;
    char body[64], content_type[64], header[64], problem[300];
    struct transfer_pool *pool;          /* not NULL: start the next exchange in it */
    const struct transfer_request *next; /* once */
};

static void note(void *context, const struct transfer_result *result)
{
    struct seen *seen = context;
    const char *header = transfer_header(result, "x-lazr-oopsid");
    seen->count++;
    seen->sent_count += result->sent;
    seen->outcome = result->outcome;
    seen->status = result->status;
    seen->retry_after_s = result->retry_after_s;
    seen->family = result->family;
    seen->at_ms = timestamp_monotonic_ms();
    snprintf(seen->body, sizeof(seen->body), "%.*s", (int)result->body.length,
             result->body.length != 0 ? result->body.data : "");
    snprintf(seen->content_type, sizeof(seen->content_type), "%s", result->content_type);
    snprintf(seen->header, sizeof(seen->header), "%s", header != NULL ? header : "-");
    snprintf(seen->problem, sizeof(seen->problem), "%s", result->problem);
    if (seen->pool != NULL) {
        transfer_pool_start(seen->pool, seen->next);
        seen->pool = NULL;
    }
}

static struct transfer_request request_to(const char *url, struct seen *seen)
{
    return (struct transfer_request){
        .url = url,
        .accept = "text/plain",
        .timeout_ms = FAR_MS,
        .limit_bytes = 5,
        .finished = note,
        .context = seen,
    };
}

static struct transfer_pool *pool_of(unsigned concurrency)
{
    struct transfer_pool *pool;
    struct error error;
    assert_true(transfer_pool_create(concurrency, &pool, &error));
    return pool;
}

static void run_one(const struct transfer_request *request)
{
    struct transfer_pool *pool = pool_of(4);
    transfer_pool_start(pool, request);
    transfer_pool_run(pool, timestamp_monotonic_ms() + FAR_MS);
    transfer_pool_destroy(pool);
}

static void an_answer_comes_with_what_is_asked_of_it(void **state)
{
    (void)state;
    struct door door;
    struct seen seen = {0};
    door_answer(&door, "http",
                "HTTP/1.1 503 Busy\r\nContent-Type: text/plain;x=y\r\nRetry-After: 7\r\n"
                "X-Lazr-OopsId: OOPS-1\r\nContent-Length: 5\r\n\r\n12345");
    struct transfer_request request = request_to(door.url, &seen);
    run_one(&request);
    door_close(&door);
    assert_int_equal(seen.count, 1);
    assert_int_equal(seen.outcome, TRANSFER_ANSWERED);
    assert_int_equal(seen.status, 503);
    assert_int_equal(seen.retry_after_s, 7);
    assert_int_equal(seen.family, TRANSFER_IPV4);
    assert_int_equal(seen.sent_count, 1);
    assert_string_equal(seen.body, "12345");
    assert_string_equal(seen.content_type, "text/plain;x=y");
    assert_string_equal(seen.header, "OOPS-1");
    assert_string_equal(seen.problem, "");
}

static void answers_have_outcomes(void **state)
{
    (void)state;
    static const struct {
        const char *scheme, *answer;
        enum transfer_outcome wanted;
        unsigned status;
    } cases[] = {
        {"http", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", TRANSFER_ANSWERED, 200},
        {"http", "HTTP/1.0 200 OK\r\n\r\n12345", TRANSFER_ANSWERED, 200},
        {"http", "HTTP/1.1 304 Not Modified\r\n\r\n", TRANSFER_ANSWERED, 304},
        {"http", "HTTP/1.1 302 Found\r\nLocation: /y\r\nContent-Length: 0\r\n\r\n",
         TRANSFER_ANSWERED, 302},
        {"http", "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n123456", TRANSFER_TOO_LARGE, 0},
        {"http", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n123", TRANSFER_NETWORK, 0},
        {"http", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\n12345",
         TRANSFER_PROTOCOL, 0},
        {"http", "", TRANSFER_NETWORK, 0},
        {"http", "220 mail ready\r\n", TRANSFER_PROTOCOL, 0},
        {"https", "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", TRANSFER_TLS, 0},
        {"ftp", "220 ready\r\n", TRANSFER_PROTOCOL, 0},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct door door;
        struct seen seen = {0};
        /* Under valgrind the reading of the certificates may take longer than a connection may. */
        if (cases[i].wanted == TRANSFER_TLS && getenv("LPALIAS_VALGRIND") != NULL)
            continue;
        door_answer(&door, cases[i].scheme, cases[i].answer);
        struct transfer_request request = request_to(door.url, &seen);
        run_one(&request);
        door_close(&door);
        if (seen.outcome != cases[i].wanted || seen.status != cases[i].status)
            fail_msg("case %zu: outcome %d, status %u, %s", i, (int)seen.outcome, seen.status,
                     seen.problem);
        assert_int_equal(seen.count, 1);
        assert_int_equal(*seen.problem == '\0', cases[i].wanted == TRANSFER_ANSWERED);
        assert_in_range(door.connections, 0, 1);
    }
}

static void urls_that_are_none_of_ours_are_refused(void **state)
{
    (void)state;
    static const char *const urls[] = {"", "http://", "file:///etc/passwd", "gopher://127.0.0.1/",
                                       "http://user@127.0.0.1/"};
    for (size_t i = 0; i < ARRAY_LENGTH(urls); i++) {
        struct seen seen = {0};
        struct transfer_request request = request_to(urls[i], &seen);
        run_one(&request);
        assert_int_equal(seen.count, 1);
        assert_int_equal(seen.outcome, TRANSFER_PROTOCOL);
    }
}

static void a_closed_port_is_a_network_error_in_any_family(void **state)
{
    (void)state;
    static const enum transfer_family families[] = {TRANSFER_ANY_FAMILY, TRANSFER_IPV4,
                                                    TRANSFER_IPV6};
    struct door door;
    door_open(&door, "http");
    for (size_t i = 0; i < ARRAY_LENGTH(families); i++) {
        struct seen seen = {0};
        struct transfer_request request = request_to(door.url, &seen);
        request.family = families[i];
        run_one(&request);
        assert_int_equal(seen.count, 1);
        assert_int_equal(seen.outcome, TRANSFER_NETWORK);
    }
    door_close(&door);
}

static void a_preferred_family_does_not_exclude_the_other(void **state)
{
    (void)state;
    struct door door;
    struct seen seen = {0};
    door_answer(&door, "http", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    struct transfer_request request = request_to(door.url, &seen);
    request.family = TRANSFER_IPV6;
    run_one(&request);
    door_close(&door);
    assert_int_equal(seen.outcome, TRANSFER_ANSWERED);
    assert_int_equal(seen.family, TRANSFER_IPV4);
}

static void a_silent_server_costs_the_timeout(void **state)
{
    (void)state;
    struct door door;
    struct seen seen = {0};
    door_open(&door, "http");
    assert_return_code(listen(door.fd, 16), 0);
    struct transfer_request request = request_to(door.url, &seen);
    request.timeout_ms = 200;
    run_one(&request);
    assert_int_equal(seen.outcome, TRANSFER_TIMED_OUT);
    assert_int_equal(seen.family, TRANSFER_IPV4);
    door_close(&door);
}

static void no_more_are_sent_than_allowed_and_the_deadline_ends_all(void **state)
{
    (void)state;
    struct door door;
    struct seen seen = {0};
    door_open(&door, "http");
    assert_return_code(listen(door.fd, 16), 0);
    struct transfer_request request = request_to(door.url, &seen);
    struct transfer_pool *pool = pool_of(2);
    for (int i = 0; i < 5; i++)
        transfer_pool_start(pool, &request);
    assert_int_equal(seen.count, 0);
    transfer_pool_run(pool, timestamp_monotonic_ms() + 100);
    assert_int_equal(seen.count, 5);
    assert_int_equal(seen.outcome, TRANSFER_EXPIRED);
    assert_int_equal(seen.sent_count, 2);
    transfer_pool_destroy(pool);
    door_close(&door);
}

static void what_expiry_starts_waits_for_the_next_run(void **state)
{
    (void)state;
    struct door door;
    struct seen seen = {0};
    door_answer(&door, "http", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    struct transfer_request request = request_to(door.url, &seen);
    struct transfer_pool *pool = pool_of(2);
    seen.pool = pool;
    seen.next = &request;
    transfer_pool_start(pool, &request);
    transfer_pool_run(pool, timestamp_monotonic_ms());
    assert_int_equal(seen.count, 1);
    assert_int_equal(seen.outcome, TRANSFER_EXPIRED);
    assert_int_equal(seen.sent_count, 0);
    transfer_pool_run(pool, timestamp_monotonic_ms() + FAR_MS);
    assert_int_equal(seen.count, 2);
    assert_int_equal(seen.outcome, TRANSFER_ANSWERED);
    transfer_pool_destroy(pool);
    door_close(&door);
}

static void a_start_can_be_put_off(void **state)
{
    (void)state;
    struct door door;
    struct seen early = {0}, late = {0}, chained = {0};
    door_answer(&door, "http", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    struct transfer_request early_request = request_to(door.url, &early);
    struct transfer_request late_request = request_to(door.url, &late);
    struct transfer_request chained_request = request_to(door.url, &chained);
    struct transfer_pool *pool = pool_of(1);
    late_request.start_at_ms = timestamp_monotonic_ms() + 60;
    early.pool = pool;
    early.next = &chained_request;
    transfer_pool_start(pool, &late_request);
    transfer_pool_start(pool, &early_request);
    transfer_pool_run(pool, timestamp_monotonic_ms() + FAR_MS);
    assert_int_equal(early.count + late.count + chained.count, 3);
    assert_true(late.at_ms >= late_request.start_at_ms);
    assert_true(early.at_ms <= late.at_ms);
    transfer_pool_destroy(pool);
    door_close(&door);
}

#define EMPTY_ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

static void authorization_goes_with_the_request_that_has_one(void **state)
{
    (void)state;
    static const char *const values[] = {"OAuth realm=\"x\", a=\"b\"", NULL};
    for (size_t i = 0; i < ARRAY_LENGTH(values); i++) {
        struct door door;
        struct seen seen = {0};
        door_answer(&door, "http", EMPTY_ANSWER);
        struct transfer_request request = request_to(door.url, &seen);
        request.authorization = values[i];
        run_one(&request);
        door_close(&door);
        assert_int_equal(seen.outcome, TRANSFER_ANSWERED);
        assert_non_null(strstr(door.request, "\r\nAccept: text/plain\r\n"));
        const char *line = strstr(door.request, "\r\nAuthorization:");
        assert_int_equal(line != NULL, values[i] != NULL);
        if (line != NULL)
            assert_memory_equal(line, "\r\nAuthorization: OAuth realm=\"x\", a=\"b\"\r\n", 40);
    }
}

/* A proxy reads what is sent over plain http, and an answer from elsewhere sends us nowhere. */
static void authorization_goes_to_the_host_of_the_url_only(void **state)
{
    (void)state;
    struct door door, other;
    char answer[256];
    door_answer(&other, "http", EMPTY_ANSWER);
    snprintf(answer, sizeof(answer),
             "HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n", other.url);
    door_answer(&door, "http", answer);
    struct seen seen = {0};
    struct transfer_request request = request_to(door.url, &seen);
    request.authorization = "OAuth secret";
    assert_return_code(setenv("http_proxy", other.url, 1), 0);
    run_one(&request);
    assert_int_equal(seen.status, 302);
    assert_int_equal(other.connections, 0);
    /* The proxy is one: without anything secret it is asked. */
    request.authorization = NULL;
    run_one(&request);
    assert_return_code(unsetenv("http_proxy"), 0);
    door_close(&door);
    door_close(&other);
    assert_int_equal(seen.status, 200);
    assert_int_equal(other.connections, 1);
    assert_non_null(strstr(door.request, "OAuth secret"));
    assert_null(strstr(other.request, "OAuth"));
}

static void a_pool_can_be_dropped_with_work_in_it(void **state)
{
    (void)state;
    struct seen seen = {0};
    struct transfer_request request = request_to("http://127.0.0.1:9/", &seen);
    struct transfer_pool *pool = pool_of(1);
    transfer_pool_start(pool, &request);
    transfer_pool_start(pool, &request);
    transfer_pool_destroy(pool);
    transfer_pool_destroy(NULL);
    assert_int_equal(seen.count, 0);
}

int main(void)
{
    static const char *const proxies[] = {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy",
                                          "ALL_PROXY"};
    for (size_t i = 0; i < ARRAY_LENGTH(proxies); i++)
        unsetenv(proxies[i]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_comes_with_what_is_asked_of_it),
        cmocka_unit_test(answers_have_outcomes),
        cmocka_unit_test(urls_that_are_none_of_ours_are_refused),
        cmocka_unit_test(a_closed_port_is_a_network_error_in_any_family),
        cmocka_unit_test(a_preferred_family_does_not_exclude_the_other),
        cmocka_unit_test(a_silent_server_costs_the_timeout),
        cmocka_unit_test(no_more_are_sent_than_allowed_and_the_deadline_ends_all),
        cmocka_unit_test(what_expiry_starts_waits_for_the_next_run),
        cmocka_unit_test(a_start_can_be_put_off),
        cmocka_unit_test(authorization_goes_with_the_request_that_has_one),
        cmocka_unit_test(authorization_goes_to_the_host_of_the_url_only),
        cmocka_unit_test(a_pool_can_be_dropped_with_work_in_it),
    };
    return cmocka_run_group_tests_name("transfer", tests, NULL, NULL);
}
