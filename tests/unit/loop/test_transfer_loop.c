/* loop/transfer_loop and transfer/driver: many transfers on one loop, some of them hanging. */
#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../unit.h"
#include "base/timestamp.h"
#include "loop/transfer_loop.h"
#include "transfer/transfer.h"

#define FAR_MS      60000
#define GOOD_COUNT  100
#define HANGS_COUNT 20

/* A listening port of the loopback; answers only with a thread. */
struct door {
    int fd;
    char url[64];
    char request[4096]; /* the last one, to be read once the door is closed */
    int connections;
    int posts;
    pthread_t thread;
};

struct kept {
    struct door *door;
    int fd;
};

static void door_open(struct door *door)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    *door = (struct door){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    assert_return_code(bind(door->fd, (struct sockaddr *)&address, length), 0);
    assert_return_code(getsockname(door->fd, (struct sockaddr *)&address, &length), 0);
    assert_return_code(listen(door->fd, 2 * GOOD_COUNT), 0);
    snprintf(door->url, sizeof(door->url), "http://127.0.0.1:%u/x", ntohs(address.sin_port));
}

static bool is_whole(const char *request)
{
    const char *end = strstr(request, "\r\n\r\n");
    const char *length = strstr(request, "Content-Length: ");
    return end != NULL && (length == NULL || strlen(end + 4) >= strtoul(length + 16, NULL, 10));
}

static void *answer_all(void *context)
{
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
    struct door *door = context;
    for (int fd; (fd = accept(door->fd, NULL, NULL)) >= 0; close(fd)) {
        size_t length = 0;
        door->connections++;
        memset(door->request, 0, sizeof(door->request));
        while (!is_whole(door->request)) {
            ssize_t got = read(fd, door->request + length, sizeof(door->request) - 1 - length);
            if (got <= 0)
                break;
            length += (size_t)got;
        }
        (void)!send(fd, answer, strlen(answer), MSG_NOSIGNAL);
    }
    return NULL;
}

static void door_answer(struct door *door)
{
    door_open(door);
    assert_int_equal(pthread_create(&door->thread, NULL, answer_all, door), 0);
}

static void door_close(struct door *door, bool answered)
{
    shutdown(door->fd, SHUT_RDWR);
    if (answered)
        pthread_join(door->thread, NULL);
    close(door->fd);
}

struct world {
    struct loop *loop;
    struct transfer_pool *pool;
    struct transfer_loop *transfers;
    int outcomes[TRANSFER_PROTOCOL + 1];
    int expected; /* the loop ends after so many */
    int left;     /* follow-ups that a callback starts */
    const char *url;
};

static void world_make(struct world *world, unsigned concurrency)
{
    struct error error = {0};
    *world = (struct world){0};
    assert_true(loop_create(&world->loop, &error));
    assert_true(transfer_pool_create(concurrency, &world->pool, &error));
    assert_true(transfer_loop_create(world->loop, world->pool, &world->transfers, &error));
}

static void world_end(struct world *world)
{
    transfer_pool_destroy(world->pool);
    transfer_loop_destroy(world->transfers);
    loop_destroy(world->loop);
}

static void run(struct world *world, int expected)
{
    struct error error = {0};
    world->expected = expected;
    assert_true(loop_run(world->loop, &error));
}

static void note(void *context, const struct transfer_result *result);

static void start(struct world *world, const char *url, int64_t timeout_ms)
{
    struct transfer_request request = {
        .url = url,
        .accept = "*/*",
        .timeout_ms = timeout_ms,
        .limit_bytes = 100,
        .finished = note,
        .context = world,
    };
    transfer_pool_start(world->pool, &request);
}

static void note(void *context, const struct transfer_result *result)
{
    struct world *world = context;
    world->outcomes[result->outcome]++;
    if (world->left > 0) {
        world->left--;
        start(world, world->url, FAR_MS);
    }
    if (--world->expected == 0)
        loop_stop(world->loop);
}

static void who_hangs_holds_up_nobody_else(void **state)
{
    (void)state;
    struct world world;
    struct door good, silent;
    door_answer(&good);
    door_open(&silent);
    world_make(&world, GOOD_COUNT + HANGS_COUNT);
    int64_t begun_ms = timestamp_monotonic_ms();
    for (int i = 0; i < HANGS_COUNT; i++)
        start(&world, silent.url, FAR_MS);
    for (int i = 0; i < GOOD_COUNT; i++)
        start(&world, good.url, FAR_MS);
    run(&world, GOOD_COUNT);
    assert_int_equal(world.outcomes[TRANSFER_ANSWERED], GOOD_COUNT);
    assert_true(timestamp_monotonic_ms() - begun_ms < FAR_MS);
    world_end(&world); /* with those that still hang */
    door_close(&good, true);
    door_close(&silent, false);
}

static void who_hangs_costs_its_own_timeout_only(void **state)
{
    (void)state;
    struct world world;
    struct door good, silent;
    door_answer(&good);
    door_open(&silent);
    world_make(&world, 2); /* so that the good ones wait for the silent ones to end */
    start(&world, silent.url, 200);
    start(&world, silent.url, 200);
    start(&world, good.url, FAR_MS);
    start(&world, good.url, FAR_MS);
    run(&world, 4);
    assert_int_equal(world.outcomes[TRANSFER_ANSWERED], 2);
    assert_int_equal(world.outcomes[TRANSFER_TIMED_OUT], 2);
    world_end(&world);
    door_close(&good, true);
    door_close(&silent, false);
}

static void a_callback_can_start_more(void **state)
{
    (void)state;
    struct world world;
    struct door good;
    door_answer(&good);
    world_make(&world, 1);
    world.left = 5;
    world.url = good.url;
    start(&world, good.url, FAR_MS);
    run(&world, 6);
    assert_int_equal(world.outcomes[TRANSFER_ANSWERED], 6);
    world_end(&world);
    door_close(&good, true);
}

static void what_cannot_even_begin_is_told_from_the_loop(void **state)
{
    (void)state;
    struct world world;
    world_make(&world, 1);
    start(&world, "gopher://127.0.0.1/", FAR_MS);
    assert_int_equal(world.outcomes[TRANSFER_PROTOCOL], 0);
    run(&world, 1);
    assert_int_equal(world.outcomes[TRANSFER_PROTOCOL], 1);
    world_end(&world);
}

static void a_start_can_be_put_off(void **state)
{
    (void)state;
    struct world world;
    struct door good;
    door_answer(&good);
    world_make(&world, 1);
    int64_t begun_ms = timestamp_monotonic_ms();
    struct transfer_request request = {
        .url = good.url,
        .accept = "*/*",
        .timeout_ms = FAR_MS,
        .limit_bytes = 100,
        .start_at_ms = begun_ms + 100,
        .finished = note,
        .context = &world,
    };
    transfer_pool_start(world.pool, &request);
    run(&world, 1);
    assert_true(timestamp_monotonic_ms() - begun_ms >= 100);
    assert_int_equal(world.outcomes[TRANSFER_ANSWERED], 1);
    world_end(&world);
    door_close(&good, true);
}

static void a_form_is_posted(void **state)
{
    (void)state;
    struct world world;
    struct door good;
    door_answer(&good);
    world_make(&world, 1);
    struct transfer_request request = {
        .url = good.url,
        .accept = "text/plain",
        .form = "openid.mode=check_authentication&x=%20",
        .timeout_ms = FAR_MS,
        .limit_bytes = 100,
        .finished = note,
        .context = &world,
    };
    transfer_pool_start(world.pool, &request);
    run(&world, 1);
    assert_int_equal(world.outcomes[TRANSFER_ANSWERED], 1);
    world_end(&world);
    door_close(&good, true);
    assert_int_equal(good.connections, 1);
    assert_non_null(strstr(good.request, "POST /x HTTP/1.1\r\n"));
    assert_non_null(strstr(good.request, "Content-Type: application/x-www-form-urlencoded\r\n"));
    assert_non_null(strstr(good.request, "Content-Length: 38\r\n"));
    assert_non_null(strstr(good.request, "\r\n\r\nopenid.mode=check_authentication&x=%20"));
}

/* Keeps its connections; a GET is answered, a POST is only counted, and hung up on. */
static void *serve_connection(void *context)
{
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
    struct kept *kept = context;
    char bytes[1024];
    for (ssize_t got; (got = read(kept->fd, bytes, sizeof(bytes))) > 0;) {
        if (bytes[0] == 'P') {
            kept->door->posts++;
            break;
        }
        (void)!send(kept->fd, answer, strlen(answer), MSG_NOSIGNAL);
    }
    close(kept->fd);
    free(kept);
    return NULL;
}

static void *keep_all(void *context)
{
    struct door *door = context;
    pthread_t threads[8];
    size_t count = 0;
    for (int fd; (fd = accept(door->fd, NULL, NULL)) >= 0;) {
        struct kept *kept = calloc(1, sizeof(*kept));
        *kept = (struct kept){door, fd};
        pthread_create(&threads[count++], NULL, serve_connection, kept);
    }
    while (count > 0)
        pthread_join(threads[--count], NULL);
    return NULL;
}

/* curl would send it again if it had gone over the connection that was kept. */
static void a_form_that_gets_no_answer_is_not_sent_again(void **state)
{
    (void)state;
    struct world world;
    struct door door;
    door_open(&door);
    assert_int_equal(pthread_create(&door.thread, NULL, keep_all, &door), 0);
    world_make(&world, 1);
    start(&world, door.url, FAR_MS);
    run(&world, 1);
    struct transfer_request request = {
        .url = door.url,
        .accept = "text/plain",
        .form = "a=b",
        .timeout_ms = FAR_MS,
        .limit_bytes = 100,
        .finished = note,
        .context = &world,
    };
    transfer_pool_start(world.pool, &request);
    run(&world, 1);
    assert_int_equal(world.outcomes[TRANSFER_ANSWERED], 1);
    assert_int_equal(world.outcomes[TRANSFER_NETWORK], 1);
    world_end(&world);
    door_close(&door, true);
    assert_int_equal(door.posts, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_hangs_holds_up_nobody_else),
        cmocka_unit_test(who_hangs_costs_its_own_timeout_only),
        cmocka_unit_test(a_callback_can_start_more),
        cmocka_unit_test(what_cannot_even_begin_is_told_from_the_loop),
        cmocka_unit_test(a_start_can_be_put_off),
        cmocka_unit_test(a_form_is_posted),
        cmocka_unit_test(a_form_that_gets_no_answer_is_not_sent_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
