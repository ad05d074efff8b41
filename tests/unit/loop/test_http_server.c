/* loop/http_server: what a handler sees of a request, and answers that come later or too late. */
#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../unit.h"
#include "base/memory.h"
#include "loop/http_server.h"

#define WAITING_MAX 8

struct world {
    struct loop *loop;
    struct http_server *server;
    struct inherited *inherited;
    struct sockaddr_in address;
    struct http_request *waiting[WAITING_MAX]; /* those of /later */
    size_t waiting_count;
    struct buffer seen; /* what the handler saw */
    bool drained;
};

/* The other end, in a thread of its own; the loop ends with the script. */
struct client {
    struct world *world;
    void (*script)(struct client *client);
    void *context;
    char got[4096];
    pthread_t thread;
};

#define FILLING_BYTES 12000

static struct world world;
static char filling[FILLING_BYTES + 1]; /* the answer to /fill */

static void note_request(const struct http_request *request)
{
    struct span body = http_request_body(request);
    const char *last = http_request_header(request, "x-twice");
    buffer_appendf(&world.seen, "%s %s ? %s peer %s twice %s of %zu body %.*s\n",
                   http_request_method(request), http_request_path(request),
                   http_request_query(request), http_request_peer(request),
                   last != NULL ? last : "none", http_request_header_count(request, "X-Twice"),
                   (int)body.length, body.data);
}

static void answer(struct http_request *request, const char *text)
{
    static const struct http_header headers[] = {{"Content-Type", "text/plain"}, {"X-Ours", "1"}};
    struct http_answer answer = {200, headers, 2, span_of(text)};
    http_request_answer(request, &answer);
}

static void handle(void *context, struct http_request *request)
{
    (void)context;
    note_request(request);
    if (strcmp(http_request_path(request), "/later") == 0)
        world.waiting[world.waiting_count++] = request;
    else if (strcmp(http_request_path(request), "/fill") == 0)
        answer(request, filling);
    else
        answer(request, "at once");
}

static void troubled(void *context, const char *text)
{
    (void)context;
    fail_msg("%s", text);
}

static int make(void **unused)
{
    (void)unused;
    struct error error = {0};
    struct http_server_settings settings = {10, 2000, 1000, 60000, 60000, NULL, 0};
    struct http_server_hooks hooks = {handle, troubled, NULL};
    struct listener_address address = {.inet_address = "127.0.0.1"};
    world = (struct world){0};
    assert_true(loop_create(&world.loop, &error));
    assert_true(inherited_take(&world.inherited, &error));
    assert_true(http_server_create(world.loop, &settings, &hooks, &world.server, &error));
    assert_true(http_server_listen(world.server, &address, world.inherited, &error));
    const char *port = strrchr(http_server_listener_name(world.server, 0), ':') + 1;
    world.address = (struct sockaddr_in){.sin_family = AF_INET,
                                         .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                         .sin_port = htons((uint16_t)atoi(port))};
    return 0;
}

static int take_away(void **unused)
{
    (void)unused;
    http_server_destroy(world.server);
    inherited_destroy(world.inherited);
    loop_destroy(world.loop);
    buffer_finish(&world.seen);
    return 0;
}

static int open_connection(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&world.address, sizeof(world.address)) != 0)
        abort();
    return fd;
}

static void send_text(int fd, const char *text)
{
    if (send(fd, text, strlen(text), MSG_NOSIGNAL) != (ssize_t)strlen(text))
        abort();
}

/* Until the other end closes. */
static void read_all(int fd, char *got, size_t size)
{
    size_t length = 0;
    for (ssize_t some; (some = recv(fd, got + length, size - 1 - length, 0)) > 0;)
        length += (size_t)some;
    got[length] = '\0';
    close(fd);
}

static void *run_script(void *context)
{
    struct client *client = context;
    client->script(client);
    return NULL;
}

static void run(void)
{
    struct error error = {0};
    assert_true(loop_run(world.loop, &error));
}

static void start(struct client *client, void (*script)(struct client *client), void *context)
{
    *client = (struct client){.world = &world, .script = script, .context = context};
    assert_int_equal(pthread_create(&client->thread, NULL, run_script, client), 0);
}

static void when_waiting(void *context)
{
    size_t wanted = *(size_t *)context;
    if (world.waiting_count >= wanted)
        loop_stop(world.loop);
}

static void stop_when_closed(void *context)
{
    (void)context;
    if (world.seen.length > 0 && http_server_size(world.server) == 0)
        loop_stop(world.loop);
}

#define CLOSE "Connection: close\r\n"

static void send_everything(struct client *client)
{
    int fd = open_connection();
    send_text(fd, "POST /a%20b?c=d?e HTTP/1.1\r\n" CLOSE "X-Twice: 1\r\nContent-Length: 5\r\n"
                  "x-twice: 2\r\n\r\nhello");
    read_all(fd, client->got, sizeof(client->got));
}

static void a_handler_sees_the_request_as_it_was_sent(void **unused)
{
    (void)unused;
    struct client client;
    start(&client, send_everything, NULL);
    loop_every(world.loop, 10, stop_when_closed, NULL);
    run();
    pthread_join(client.thread, NULL);
    assert_string_equal(buffer_text(&world.seen),
                        "POST /a%20b ? c=d?e peer 127.0.0.1 twice 2 of 2 body hello\n");
    assert_int_equal(strncmp(client.got, "HTTP/1.1 200 OK\r\n", 17), 0);
    assert_non_null(strstr(client.got, "\r\nX-Ours: 1\r\n"));
    assert_non_null(strstr(client.got, "\r\nContent-Length: 7\r\n"));
    assert_non_null(strstr(client.got, "\r\n\r\nat once"));
}

static void ask_later(struct client *client)
{
    int fd = open_connection();
    send_text(fd, "GET /later HTTP/1.1\r\n" CLOSE "\r\n");
    read_all(fd, client->got, sizeof(client->got));
}

static void ask_now(struct client *client)
{
    int fd = open_connection();
    send_text(fd, "GET /now HTTP/1.1\r\n" CLOSE "\r\n");
    read_all(fd, client->got, sizeof(client->got));
}

static void stop_when_one_is_left(void *context)
{
    (void)context;
    if (http_server_size(world.server) == 1 && strstr(buffer_text(&world.seen), "/now") != NULL)
        loop_stop(world.loop);
}

static void an_answer_can_come_later_and_others_do_not_wait_for_it(void **unused)
{
    (void)unused;
    struct client later, now;
    size_t one = 1;
    start(&later, ask_later, NULL);
    loop_every(world.loop, 10, when_waiting, &one);
    run();
    one = WAITING_MAX + 1; /* not again */
    start(&now, ask_now, NULL);
    loop_every(world.loop, 10, stop_when_one_is_left, NULL);
    run();
    pthread_join(now.thread, NULL);
    assert_non_null(strstr(now.got, "at once"));
    answer(world.waiting[0], "at last");
    loop_every(world.loop, 10, stop_when_closed, NULL);
    run();
    pthread_join(later.thread, NULL);
    assert_non_null(strstr(later.got, "\r\n\r\nat last"));
}

static void ask_and_go(struct client *client)
{
    (void)client;
    int fd = open_connection();
    struct linger reset = {1, 0};
    send_text(fd, "GET /later HTTP/1.1\r\n\r\n");
    shutdown(fd, SHUT_WR);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    while (world.waiting_count == 0) /* until it was handed out */
        usleep(1000);
    close(fd);
}

static void stop_when_all_were_seen_and_closed(void *context)
{
    (void)context;
    if (strstr(buffer_text(&world.seen), "/now") != NULL && http_server_size(world.server) == 0)
        loop_stop(world.loop);
}

static void a_peer_that_has_gone_makes_no_difference(void **unused)
{
    (void)unused;
    struct client gone, now;
    size_t one = 1;
    start(&gone, ask_and_go, NULL);
    loop_every(world.loop, 10, when_waiting, &one);
    run();
    pthread_join(gone.thread, NULL);
    one = WAITING_MAX + 1;
    answer(world.waiting[0], "nobody hears it");
    start(&now, ask_now, NULL);
    loop_every(world.loop, 10, stop_when_all_were_seen_and_closed, NULL);
    run();
    pthread_join(now.thread, NULL);
    assert_non_null(strstr(now.got, "at once"));
}

/* ---- a peer that goes while something waits to be written to it ---- */

static char unix_directory[] = "/tmp/lpalias-http-XXXXXX";

static void listen_on_unix(struct sockaddr_un *address)
{
    struct error error = {0};
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    assert_non_null(mkdtemp(unix_directory));
    snprintf(address->sun_path, sizeof(address->sun_path), "%s/http", unix_directory);
    struct listener_address where = {.unix_path = address->sun_path};
    assert_true(http_server_listen(world.server, &where, world.inherited, &error));
}

static void remove_unix_directory(const struct sockaddr_un *address)
{
    char lock[sizeof(address->sun_path) + 5];
    snprintf(lock, sizeof(lock), "%s.lock", address->sun_path);
    unlink(address->sun_path);
    unlink(lock);
    assert_int_equal(rmdir(unix_directory), 0);
    memcpy(unix_directory + strlen(unix_directory) - 6, "XXXXXX", 6); /* for another test */
}

static void wait_for(int fd, unsigned long request, int wanted)
{
    int found = -1;
    while (ioctl(fd, request, &found) == 0 && found != wanted)
        usleep(1000);
}

/* How many answers of that length there are until Linux lets nobody write to a unix socket. */
static int count_until_full(int length)
{
    int ends[2], taken, limit, count = 1;
    socklen_t size = sizeof(limit);
    char *bytes = memory_new((size_t)length, 1);
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0 ||
        getsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &limit, &size) != 0 ||
        send(ends[0], bytes, (size_t)length, 0) != length || ioctl(ends[0], TIOCOUTQ, &taken) != 0)
        abort();
    while (count * taken * 4 <= limit) /* as unix_writable() has it */
        count++;
    free(bytes);
    close(ends[0]);
    close(ends[1]);
    return count;
}

/* Reads nothing: its socket is full, so that "100 Continue" waits when it goes. */
static void fill_and_ask_and_go(struct client *client)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), length = 0, wanted = 1;
    struct sockaddr_un *address = client->context;
    if (connect(fd, (struct sockaddr *)address, sizeof(*address)) != 0)
        abort();
    for (int i = 1; i <= wanted; i++) {
        send_text(fd, "GET /fill HTTP/1.1\r\n\r\n");
        while (length < FILLING_BYTES && ioctl(fd, FIONREAD, &length) == 0)
            usleep(1000);
        wait_for(fd, FIONREAD, i * length);
        wanted = count_until_full(length);
    }
    send_text(fd, "POST /later HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n");
    wait_for(fd, TIOCOUTQ, 0); /* read, and to be continued */
    send_text(fd, "x");
    while (world.waiting_count == 0) /* until it was handed out */
        usleep(1000);
    close(fd);
}

static void make_one_go(struct sockaddr_un *address)
{
    struct client gone;
    memset(filling, 'f', FILLING_BYTES);
    listen_on_unix(address);
    start(&gone, fill_and_ask_and_go, address);
    loop_every(world.loop, 10, stop_when_closed, NULL);
    run();
    pthread_join(gone.thread, NULL);
    assert_int_equal(world.waiting_count, 1);
}

static void a_peer_that_goes_before_its_answer_makes_no_difference(void **unused)
{
    (void)unused;
    struct sockaddr_un address;
    make_one_go(&address);
    answer(world.waiting[0], "nobody hears it");
    remove_unix_directory(&address);
}

static void a_request_whose_peer_has_gone_can_be_dropped(void **unused)
{
    (void)unused;
    struct sockaddr_un address;
    make_one_go(&address);
    remove_unix_directory(&address);
}

static void what_is_open_can_be_dropped(void **unused)
{
    (void)unused;
    struct client later;
    size_t one = 1;
    int half = open_connection();
    send_text(half, "GET /ha");
    start(&later, ask_later, NULL);
    loop_every(world.loop, 10, when_waiting, &one);
    run();
    assert_int_equal(http_server_size(world.server), 2);
    http_server_destroy(world.server);
    world.server = NULL;
    pthread_join(later.thread, NULL);
    assert_string_equal(later.got, "");
    close(half);
}

static void on_drained(void *context)
{
    (void)context;
    world.drained = true;
    loop_stop(world.loop);
}

static void draining_waits_for_answers(void **unused)
{
    (void)unused;
    struct client later;
    size_t one = 1;
    start(&later, ask_later, NULL);
    loop_every(world.loop, 10, when_waiting, &one);
    run();
    one = WAITING_MAX + 1;
    http_server_drain(world.server, 60000, on_drained, NULL);
    assert_false(world.drained);
    answer(world.waiting[0], "before the end");
    run();
    assert_true(world.drained);
    pthread_join(later.thread, NULL);
    assert_non_null(strstr(later.got, "before the end"));
}

static void draining_has_an_end(void **unused)
{
    (void)unused;
    struct client later;
    size_t one = 1;
    start(&later, ask_later, NULL);
    loop_every(world.loop, 10, when_waiting, &one);
    run();
    one = WAITING_MAX + 1;
    http_server_drain(world.server, 20, on_drained, NULL);
    run();
    assert_true(world.drained);
    http_server_destroy(world.server);
    world.server = NULL;
    pthread_join(later.thread, NULL);
    assert_string_equal(later.got, "");
}

static void draining_an_empty_one_is_done_at_once(void **unused)
{
    (void)unused;
    http_server_drain(world.server, 60000, on_drained, NULL);
    run();
    assert_true(world.drained);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_handler_sees_the_request_as_it_was_sent, make, take_away),
        cmocka_unit_test_setup_teardown(an_answer_can_come_later_and_others_do_not_wait_for_it,
                                        make, take_away),
        cmocka_unit_test_setup_teardown(a_peer_that_has_gone_makes_no_difference, make, take_away),
        cmocka_unit_test_setup_teardown(a_peer_that_goes_before_its_answer_makes_no_difference,
                                        make, take_away),
        cmocka_unit_test_setup_teardown(a_request_whose_peer_has_gone_can_be_dropped, make,
                                        take_away),
        cmocka_unit_test_setup_teardown(what_is_open_can_be_dropped, make, take_away),
        cmocka_unit_test_setup_teardown(draining_waits_for_answers, make, take_away),
        cmocka_unit_test_setup_teardown(draining_has_an_end, make, take_away),
        cmocka_unit_test_setup_teardown(draining_an_empty_one_is_done_at_once, make, take_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
