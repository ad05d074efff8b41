/*
 * connection: budget, partial requests, output mark, limit, idleness, stalls and drain, over
 * socketpairs.
 * The service is a toy: a request is a line and so is its reply; "!" is BAD, "big" gets a large
 * reply.
 */
#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../unit.h"
#include "base/memory.h"
#include "base/timestamp.h"
#include "loop/connection.h"
#include "loop/loop.h"

enum { LINE_LIMIT_BYTES = 32, BIG_REPLY_BYTES = 100 * 1000, TICK_MS = 20, FOREVER_MS = 600000 };
enum { MOST_TICKS = 60000 / TICK_MS }; /* that are waited for what has to happen in the end */

struct toy {
    struct loop *loop;
    struct connection_pool *pool;
    struct connection_service service;
    unsigned answered;
    unsigned answered_before_b; /* when the line "b" came */
    unsigned drained;
};

static enum connection_step answer_line(void *context, struct span bytes, struct buffer *out,
                                        size_t *ret_taken)
{
    struct toy *toy = context;
    if (bytes.data[0] == '!')
        return CONNECTION_BAD;
    const char *end = memchr(bytes.data, '\n', bytes.length);
    if (end == NULL)
        return CONNECTION_NEED_MORE;
    size_t length = (size_t)(end - bytes.data) + 1;
    if (length == 2 && bytes.data[0] == 'b')
        toy->answered_before_b = toy->answered;
    if (length == 4 && memcmp(bytes.data, "big", 3) == 0)
        buffer_appendf(out, "%*s", BIG_REPLY_BYTES, "\n");
    else
        buffer_append(out, bytes.data, length);
    toy->answered++;
    *ret_taken = length;
    return CONNECTION_ANSWERED;
}

static void end_wait(void *context)
{
    loop_stop(((struct toy *)context)->loop);
}

static void count_drained(void *context)
{
    ((struct toy *)context)->drained++;
}

static struct toy *toy_create(unsigned connection_limit, int64_t idle_limit_ms,
                              int64_t stall_limit_ms)
{
    struct toy *toy = memory_new(1, sizeof(*toy));
    struct error error;
    struct connection_pool_settings settings = {connection_limit, idle_limit_ms, stall_limit_ms};
    assert_true(loop_create(&toy->loop, &error));
    assert_true(connection_pool_create(toy->loop, &settings, &toy->pool, &error));
    loop_every(toy->loop, TICK_MS, end_wait, toy);
    toy->service = (struct connection_service){answer_line, toy, LINE_LIMIT_BYTES};
    return toy;
}

static void toy_destroy(struct toy *toy)
{
    connection_pool_destroy(toy->pool);
    loop_destroy(toy->loop);
    free(toy);
}

/* A connection to the pool; returns the peer's end, non-blocking. */
static int toy_connect(struct toy *toy)
{
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    connection_pool_add(toy->pool, ends[0], &toy->service);
    return ends[1];
}

/* One poll, and whatever is ready by then. */
static void toy_turn(struct toy *toy)
{
    assert_int_not_equal(event_base_loop(loop_base(toy->loop), EVLOOP_NONBLOCK), -1);
}

/* All that can be done without waiting: no test here needs more turns. Does not go by the clock, so
 * that it does the same on a busy machine. */
static void toy_run(struct toy *toy)
{
    for (int i = 0; i < 50; i++)
        toy_turn(toy);
}

/* Lets time go by, TICK_MS or more. */
static void toy_wait(struct toy *toy)
{
    struct error error;
    assert_true(loop_run(toy->loop, &error));
}

static void say(int peer, const char *text)
{
    assert_int_equal(send(peer, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* Appends what can be read now. Returns true at the end of file. */
static bool hear(int peer, struct buffer *heard)
{
    for (;;) {
        buffer_reserve(heard, 65536);
        ssize_t got = recv(peer, heard->data + heard->length, 65536, 0);
        if (got <= 0)
            return got == 0 || errno != EAGAIN;
        heard->length += (size_t)got;
    }
}

static void assert_heard(int peer, const char *wanted, bool wanted_end)
{
    struct buffer heard = {0};
    bool at_end = hear(peer, &heard);
    assert_string_equal(buffer_text(&heard), wanted);
    assert_int_equal(at_end, wanted_end);
    buffer_finish(&heard);
}

static void a_request_may_come_byte_by_byte(void **state)
{
    (void)state;
    struct toy *toy = toy_create(4, FOREVER_MS, FOREVER_MS);
    int peer = toy_connect(toy);
    const char *text = "hello\nworld\n";
    for (const char *byte = text; *byte != '\0'; byte++) {
        assert_int_equal(send(peer, byte, 1, 0), 1);
        toy_run(toy);
    }
    assert_heard(peer, text, false);
    close(peer);
    toy_destroy(toy);
}

static void two_requests_may_be_split_anywhere(void **state)
{
    (void)state;
    struct toy *toy = toy_create(4, FOREVER_MS, FOREVER_MS);
    const char *text = "hello\nworld\n";
    for (size_t at = 1; at < strlen(text); at++) {
        int peer = toy_connect(toy);
        assert_int_equal(send(peer, text, at, 0), at);
        toy_run(toy);
        say(peer, text + at);
        toy_run(toy);
        assert_heard(peer, text, false);
        close(peer);
        toy_run(toy);
        assert_int_equal(connection_pool_size(toy->pool), 0);
    }
    toy_destroy(toy);
}

static void one_peer_cannot_keep_the_loop(void **state)
{
    (void)state;
    struct toy *toy = toy_create(4, FOREVER_MS, FOREVER_MS);
    enum { LINES = 10 * CONNECTION_REQUEST_BUDGET + 7 };
    int greedy = toy_connect(toy);
    int modest = toy_connect(toy);
    struct buffer lines = {0};
    for (int i = 0; i < LINES; i++)
        buffer_append_text(&lines, "a\n");
    say(greedy, buffer_text(&lines));
    say(modest, "b\n");
    toy_run(toy);
    assert_true(toy->answered_before_b <= CONNECTION_REQUEST_BUDGET);
    assert_int_equal(toy->answered, LINES + 1);
    assert_heard(greedy, buffer_text(&lines), false);
    assert_heard(modest, "b\n", false);
    buffer_finish(&lines);
    close(greedy);
    close(modest);
    toy_destroy(toy);
}

static void what_breaks_the_protocol_is_closed_after_the_replies(void **state)
{
    (void)state;
    static const struct {
        const char *sent;
        const char *wanted;
    } cases[] = {
        {"!", ""},
        {"a\n!b\n", "a\n"},
        {"0123456789012345678901234567890123456789", ""}, /* over the limit of a request */
    };
    struct toy *toy = toy_create(4, FOREVER_MS, FOREVER_MS);
    int other = toy_connect(toy);
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        int peer = toy_connect(toy);
        say(peer, cases[i].sent);
        toy_run(toy);
        assert_heard(peer, cases[i].wanted, true);
        assert_int_equal(connection_pool_counts(toy->pool).bad, i + 1);
        close(peer);
        say(other, "still here\n");
        toy_run(toy);
        assert_heard(other, "still here\n", false);
    }
    close(other);
    toy_destroy(toy);
}

struct countdown {
    struct loop *loop;
    unsigned left, ticks;
};

static void tick_again(void *context)
{
    struct countdown *countdown = context;
    countdown->ticks++;
    if (--countdown->left > 0)
        loop_once(countdown->loop, 1, tick_again, countdown);
    else
        loop_stop(countdown->loop);
}

static void a_timer_may_tick_once(void **state)
{
    (void)state;
    struct error error;
    struct countdown countdown = {.left = 3}, never = {.left = 1};
    assert_true(loop_create(&countdown.loop, &error));
    never.loop = countdown.loop;
    loop_once(countdown.loop, FOREVER_MS, tick_again, &never);
    loop_once(countdown.loop, 0, tick_again, &countdown);
    assert_true(loop_run(countdown.loop, &error));
    assert_int_equal(countdown.ticks, 3);
    assert_int_equal(event_base_loop(loop_base(countdown.loop), EVLOOP_NONBLOCK), 0);
    assert_int_equal(countdown.ticks, 3);
    assert_int_equal(never.ticks, 0);
    loop_destroy(countdown.loop);
}

static void requests_before_the_end_of_file_are_answered(void **state)
{
    (void)state;
    struct toy *toy = toy_create(4, FOREVER_MS, FOREVER_MS);
    enum { LINES = 3 * CONNECTION_REQUEST_BUDGET };
    int peer = toy_connect(toy);
    struct buffer lines = {0};
    for (int i = 0; i < LINES; i++)
        buffer_append_text(&lines, "a\n");
    say(peer, buffer_text(&lines));
    say(peer, "partial");
    shutdown(peer, SHUT_WR);
    toy_run(toy);
    assert_heard(peer, buffer_text(&lines), true);
    assert_int_equal(connection_pool_size(toy->pool), 0);
    buffer_finish(&lines);
    close(peer);
    toy_destroy(toy);
}

static void a_peer_that_does_not_read_is_not_answered_further(void **state)
{
    (void)state;
    struct toy *toy = toy_create(4, FOREVER_MS, FOREVER_MS);
    enum { LINES = 40 };
    /* What may be under way: the mark, the reply that passes it, and the socket's own buffer. */
    enum { MOST = (CONNECTION_OUTPUT_MARK_BYTES + 400000) / BIG_REPLY_BYTES + 2 };
    int peer = toy_connect(toy);
    for (int i = 0; i < LINES; i++)
        say(peer, "big\n");
    for (int i = 0; i < 5; i++)
        toy_run(toy);
    assert_in_range(toy->answered, 3, MOST);
    struct buffer heard = {0};
    for (int i = 0; i < 1000 && heard.length < (size_t)LINES * BIG_REPLY_BYTES; i++) {
        assert_false(hear(peer, &heard));
        toy_run(toy);
    }
    assert_int_equal(heard.length, (size_t)LINES * BIG_REPLY_BYTES);
    say(peer, "after\n");
    toy_run(toy);
    assert_heard(peer, "after\n", false);
    buffer_finish(&heard);
    close(peer);
    toy_destroy(toy);
}

static void at_the_limit_the_longest_idle_one_goes(void **state)
{
    (void)state;
    struct toy *toy = toy_create(3, FOREVER_MS, FOREVER_MS);
    int peers[4];
    for (size_t i = 0; i < 3; i++)
        peers[i] = toy_connect(toy);
    say(peers[0], "busy\n");
    say(peers[1], "a trickle is no work"); /* has not asked anything yet: counts as idle */
    toy_run(toy);
    peers[3] = toy_connect(toy);
    toy_run(toy);
    assert_int_equal(connection_pool_size(toy->pool), 3);
    assert_int_equal(connection_pool_counts(toy->pool).evicted, 1);
    assert_heard(peers[0], "busy\n", false);
    assert_heard(peers[1], "", true);
    assert_heard(peers[2], "", false);
    say(peers[3], "new\n");
    toy_run(toy);
    assert_heard(peers[3], "new\n", false);
    for (size_t i = 0; i < 4; i++)
        close(peers[i]);
    toy_destroy(toy);
}

static void an_idle_connection_is_dropped(void **state)
{
    (void)state;
    struct toy *toy = toy_create(4, 300, FOREVER_MS);
    int idle = toy_connect(toy);
    int busy = toy_connect(toy);
    /* At each turn there is a request of it, so it is never idle, however late the turn comes. */
    while (connection_pool_counts(toy->pool).timed_out == 0) {
        say(busy, "busy\n");
        toy_turn(toy);
        assert_heard(busy, "busy\n", false);
    }
    assert_heard(idle, "", true);
    assert_int_equal(connection_pool_size(toy->pool), 1);
    assert_int_equal(connection_pool_counts(toy->pool).timed_out, 1);
    close(idle);
    close(busy);
    toy_destroy(toy);
}

/* Nobody else takes longer for it, whatever the peer at fault does. */
static void assert_is_answered(struct toy *toy, int peer)
{
    say(peer, "still here\n");
    toy_run(toy);
    assert_heard(peer, "still here\n", false);
}

static void a_request_must_end_in_time_however_many_bytes_come(void **state)
{
    (void)state;
    struct toy *toy = toy_create(4, FOREVER_MS, 300);
    toy->service.request_limit_bytes = SIZE_MAX;
    int slow = toy_connect(toy);
    int other = toy_connect(toy);
    for (int i = 0; i < MOST_TICKS && connection_pool_counts(toy->pool).stalled_requests == 0;
         i++) {
        say(slow, "a");
        assert_is_answered(toy, other);
        toy_wait(toy);
    }
    assert_heard(slow, "", true);
    struct connection_counts counts = connection_pool_counts(toy->pool);
    assert_int_equal(counts.stalled_requests, 1);
    assert_int_equal(counts.stalled_replies, 0);
    assert_int_equal(counts.timed_out, 0);
    assert_int_equal(counts.bad, 0);
    assert_is_answered(toy, other);
    close(slow);
    close(other);
    toy_destroy(toy);
}

static void each_request_has_the_whole_time(void **state)
{
    (void)state;
    enum { STALL_LIMIT_MS = 200 };
    struct toy *toy = toy_create(4, FOREVER_MS, STALL_LIMIT_MS);
    int peer = toy_connect(toy);
    say(peer, "beg");
    toy_run(toy);
    /* Before each poll there is the end of the request before, so it is in time, however late the
     * poll comes. The connection is never without a partial request after it. */
    int64_t end_ms = timestamp_monotonic_ms() + 3 * STALL_LIMIT_MS;
    while (timestamp_monotonic_ms() < end_ms) {
        say(peer, "un\nbeg");
        toy_turn(toy);
        assert_heard(peer, "begun\n", false);
    }
    assert_int_equal(connection_pool_counts(toy->pool).stalled_requests, 0);
    close(peer);
    toy_destroy(toy);
}

/* Neither taking some nor asking more puts off the limit. */
static void assert_must_be_taken(unsigned big_replies, bool is_answered_meanwhile)
{
    struct toy *toy = toy_create(4, FOREVER_MS, 300);
    int peer = toy_connect(toy);
    int other = toy_connect(toy);
    for (unsigned i = 0; i < big_replies; i++)
        say(peer, "big\n");
    toy_run(toy);
    unsigned before = toy->answered;
    unsigned asked = 0;
    unsigned asked_by_other = 0;
    char byte;
    for (int i = 0; i < MOST_TICKS; i++) {
        assert_is_answered(toy, other);
        asked_by_other++;
        if (connection_pool_counts(toy->pool).stalled_replies > 0)
            break;
        assert_int_equal(recv(peer, &byte, 1, 0), 1);
        say(peer, "a\n");
        asked++;
        toy_wait(toy);
    }
    unsigned answered = toy->answered - before - asked_by_other;
    /* The limit may come before the answer to the last one. */
    assert_in_range(answered, is_answered_meanwhile && asked > 0 ? asked - 1 : 0,
                    is_answered_meanwhile ? asked : 0);
    struct connection_counts counts = connection_pool_counts(toy->pool);
    assert_int_equal(counts.stalled_replies, 1);
    assert_int_equal(counts.stalled_requests, 0);
    assert_int_equal(counts.timed_out, 0);
    assert_int_equal(connection_pool_size(toy->pool), 1);
    assert_is_answered(toy, other);
    close(peer);
    close(other);
    toy_destroy(toy);
}

static void replies_must_be_taken_in_time(void **state)
{
    (void)state;
    assert_must_be_taken(3, true);   /* below the mark */
    assert_must_be_taken(20, false); /* above it */
}

static void who_has_a_request_in_hand_does_not_make_room(void **state)
{
    (void)state;
    struct toy *toy = toy_create(2, FOREVER_MS, FOREVER_MS);
    int asking = toy_connect(toy);
    int idle = toy_connect(toy);
    say(asking, "first\n"); /* unread: longer without an answer than the other, but not idle */
    int newer = toy_connect(toy);
    toy_run(toy);
    assert_heard(asking, "first\n", false);
    assert_heard(idle, "", true);
    assert_is_answered(toy, newer);
    assert_int_equal(connection_pool_counts(toy->pool).evicted, 1);

    struct buffer lines = {0};
    for (int i = 0; i < 2 * CONNECTION_REQUEST_BUDGET; i++)
        buffer_append_text(&lines, "a\n");
    say(asking, buffer_text(&lines));
    assert_int_not_equal(event_base_loop(loop_base(toy->loop), EVLOOP_ONCE | EVLOOP_NONBLOCK), -1);
    /* Half of them wait for the next turn. */
    assert_int_equal(toy->answered, 2 + CONNECTION_REQUEST_BUDGET);
    say(newer, "a\n");
    int newest = toy_connect(toy);
    toy_run(toy);
    /* Each had a request in hand: the one whose last answer was longest ago goes, answered. */
    assert_heard(newer, "a\n", true);
    assert_heard(asking, buffer_text(&lines), false);
    assert_is_answered(toy, newest);
    buffer_finish(&lines);
    close(asking);
    close(idle);
    close(newer);
    close(newest);
    toy_destroy(toy);
}

static void room_is_made_for_a_descriptor(void **state)
{
    (void)state;
    struct toy *toy = toy_create(4, FOREVER_MS, FOREVER_MS);
    assert_false(connection_pool_make_room(toy->pool));
    int idle = toy_connect(toy);
    int busy = toy_connect(toy);
    assert_is_answered(toy, idle);
    assert_is_answered(toy, busy);
    assert_true(connection_pool_make_room(toy->pool));
    assert_heard(idle, "", true);
    assert_is_answered(toy, busy);
    assert_int_equal(connection_pool_counts(toy->pool).evicted_for_descriptors, 1);
    assert_int_equal(connection_pool_counts(toy->pool).evicted, 0);
    close(idle);
    close(busy);
    toy_destroy(toy);
}

static void a_peer_that_takes_nothing_is_dropped(void **state)
{
    (void)state;
    struct toy *toy = toy_create(4, FOREVER_MS, 100);
    int peer = toy_connect(toy);
    for (int i = 0; i < 20; i++)
        say(peer, "big\n");
    for (int i = 0; i < MOST_TICKS && connection_pool_size(toy->pool) > 0; i++)
        toy_wait(toy);
    assert_int_equal(connection_pool_size(toy->pool), 0);
    assert_int_equal(connection_pool_counts(toy->pool).stalled_replies, 1);
    close(peer);
    toy_destroy(toy);
}

static void drain(struct toy *toy, int64_t first_request_ms, int64_t all_ms)
{
    struct connection_drain_limits limits = {first_request_ms, all_ms};
    connection_pool_drain(toy->pool, &limits, count_drained, toy);
}

static void draining_answers_what_was_sent_and_takes_no_more(void **state)
{
    (void)state;
    struct toy *toy = toy_create(4, FOREVER_MS, FOREVER_MS);
    enum { LINES = 5 * CONNECTION_REQUEST_BUDGET };
    struct buffer lines = {0};
    for (int i = 0; i < LINES; i++)
        buffer_append_text(&lines, "a\n");
    int peer = toy_connect(toy);
    int silent = toy_connect(toy);
    say(peer, buffer_text(&lines));
    drain(toy, 0, FOREVER_MS);
    assert_int_equal(send(peer, "late\n", 5, MSG_NOSIGNAL), -1);
    toy_run(toy);
    assert_int_equal(toy->drained, 1);
    assert_heard(peer, buffer_text(&lines), true);
    assert_heard(silent, "", true);
    buffer_finish(&lines);
    close(peer);
    close(silent);
    toy_destroy(toy);
}

static void draining_waits_for_the_first_request_of_who_is_new(void **state)
{
    (void)state;
    struct toy *toy = toy_create(4, FOREVER_MS, FOREVER_MS);
    int peer = toy_connect(toy);
    int known = toy_connect(toy);
    say(known, "a\n");
    toy_run(toy);
    drain(toy, FOREVER_MS, FOREVER_MS);
    toy_run(toy);
    assert_heard(known, "a\n", true);
    assert_int_equal(toy->drained, 0);
    say(peer, "fi");
    toy_run(toy);
    say(peer, "rst\nsecond\n"); /* all of what could be written */
    toy_run(toy);
    assert_heard(peer, "first\nsecond\n", true);
    assert_int_equal(toy->drained, 1);
    close(peer);
    close(known);
    toy_destroy(toy);
}

static void draining_waits_for_the_end_of_a_request(void **state)
{
    (void)state;
    struct toy *toy = toy_create(4, FOREVER_MS, FOREVER_MS);
    int peer = toy_connect(toy);
    say(peer, "a\nha");
    toy_run(toy);
    drain(toy, 0, FOREVER_MS);
    toy_run(toy);
    assert_int_equal(toy->drained, 0);
    say(peer, "lf\n");
    toy_run(toy);
    assert_heard(peer, "a\nhalf\n", true);
    assert_int_equal(toy->drained, 1);
    close(peer);
    toy_destroy(toy);
}

static void draining_does_not_wait_long_for_who_says_nothing(void **state)
{
    (void)state;
    struct toy *toy = toy_create(4, FOREVER_MS, FOREVER_MS);
    int peer = toy_connect(toy);
    drain(toy, 300, FOREVER_MS);
    toy_run(toy);
    for (int i = 0; i < MOST_TICKS && toy->drained == 0; i++)
        toy_wait(toy);
    assert_int_equal(toy->drained, 1);
    assert_heard(peer, "", true);
    close(peer);
    toy_destroy(toy);
}

static void draining_ends_though_a_peer_takes_nothing(void **state)
{
    (void)state;
    struct toy *toy = toy_create(4, FOREVER_MS, FOREVER_MS);
    int peer = toy_connect(toy);
    for (int i = 0; i < 20; i++)
        say(peer, "big\n");
    toy_run(toy);
    drain(toy, FOREVER_MS, 1000);
    toy_turn(toy);
    assert_int_equal(toy->drained, 0);
    for (int i = 0; i < MOST_TICKS && toy->drained == 0; i++)
        toy_wait(toy);
    assert_int_equal(toy->drained, 1);
    assert_int_equal(connection_pool_size(toy->pool), 0);
    close(peer);
    toy_destroy(toy);
}

static void draining_an_empty_pool_ends_at_once(void **state)
{
    (void)state;
    struct toy *toy = toy_create(4, FOREVER_MS, FOREVER_MS);
    drain(toy, FOREVER_MS, FOREVER_MS);
    toy_run(toy);
    assert_int_equal(toy->drained, 1);
    toy_destroy(toy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_may_come_byte_by_byte),
        cmocka_unit_test(two_requests_may_be_split_anywhere),
        cmocka_unit_test(one_peer_cannot_keep_the_loop),
        cmocka_unit_test(what_breaks_the_protocol_is_closed_after_the_replies),
        cmocka_unit_test(a_timer_may_tick_once),
        cmocka_unit_test(requests_before_the_end_of_file_are_answered),
        cmocka_unit_test(a_peer_that_does_not_read_is_not_answered_further),
        cmocka_unit_test(at_the_limit_the_longest_idle_one_goes),
        cmocka_unit_test(an_idle_connection_is_dropped),
        cmocka_unit_test(a_request_must_end_in_time_however_many_bytes_come),
        cmocka_unit_test(each_request_has_the_whole_time),
        cmocka_unit_test(replies_must_be_taken_in_time),
        cmocka_unit_test(a_peer_that_takes_nothing_is_dropped),
        cmocka_unit_test(who_has_a_request_in_hand_does_not_make_room),
        cmocka_unit_test(room_is_made_for_a_descriptor),
        cmocka_unit_test(draining_answers_what_was_sent_and_takes_no_more),
        cmocka_unit_test(draining_waits_for_the_first_request_of_who_is_new),
        cmocka_unit_test(draining_waits_for_the_end_of_a_request),
        cmocka_unit_test(draining_does_not_wait_long_for_who_says_nothing),
        cmocka_unit_test(draining_ends_though_a_peer_takes_nothing),
        cmocka_unit_test(draining_an_empty_pool_ends_at_once),
    };
    return cmocka_run_group_tests_name("loop/connection", tests, NULL, NULL);
}
