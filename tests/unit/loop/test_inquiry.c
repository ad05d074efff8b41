/* inquiry: one answer, or none, of a server that does what it likes. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../unit.h"
#include "loop/inquiry.h"

#define QUESTION "are you there?"

struct fixture {
    struct loop *loop;
    struct listener *listener; /* NULL: nobody listens */
    struct inquiry *inquiry;
    char directory[64];
    char path[80];
    const char *reply; /* NULL: none */
    bool hangs_up;
    int fd;
    bool is_finished;
    char answer[128];
};

static void reply(void *context, int fd)
{
    struct fixture *f = context;
    if (f->fd >= 0)
        close(f->fd);
    f->fd = fd;
    /* Who cancelled takes none. */
    if (f->reply != NULL && send(fd, f->reply, strlen(f->reply), MSG_NOSIGNAL) < 0)
        assert_int_equal(errno, EPIPE);
    if (f->hangs_up)
        shutdown(fd, SHUT_RDWR);
}

static void note_trouble(void *context, const char *text)
{
    (void)context;
    fail_msg("%s", text);
}

static bool is_over(struct span bytes)
{
    return bytes.length > 0 && bytes.data[bytes.length - 1] == '.';
}

static void finished(void *context, struct span bytes)
{
    struct fixture *f = context;
    assert_false(f->is_finished);
    f->is_finished = true;
    f->inquiry = NULL;
    snprintf(f->answer, sizeof(f->answer), "%.*s", (int)bytes.length, bytes.data);
    loop_stop(f->loop);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct error error;
    strcpy(f->directory, "/tmp/lpalias-inquiry-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    snprintf(f->path, sizeof(f->path), "%s/socket", f->directory);
    f->fd = -1;
    assert_true(loop_create(&f->loop, &error));
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    char lock[96];
    if (f->fd >= 0)
        close(f->fd);
    listener_destroy(f->listener);
    loop_destroy(f->loop);
    snprintf(lock, sizeof(lock), "%s.lock", f->path);
    unlink(lock);
    unlink(f->path);
    assert_int_equal(rmdir(f->directory), 0);
    free(f);
    return 0;
}

static void listen_there(struct fixture *f)
{
    struct listener_address address = {.unix_path = f->path};
    struct listener_hooks hooks = {.accepted = reply, .troubled = note_trouble, .context = f};
    struct error error;
    if (!listener_create(f->loop, &address, &hooks, &f->listener, &error))
        fail_msg("%s", error.text);
}

static void start(struct fixture *f, int64_t limit_ms)
{
    struct inquiry_request request = {
        .address = {.unix_path = f->path},
        .question = span_of(QUESTION),
        .limit_ms = limit_ms,
        .limit_bytes = 16,
        .is_over = is_over,
        .finished = finished,
        .context = f,
    };
    f->inquiry = inquiry_start(f->loop, &request);
    assert_false(f->is_finished);
}

static const char *ask(struct fixture *f, int64_t limit_ms)
{
    struct error error;
    start(f, limit_ms);
    assert_true(loop_run(f->loop, &error));
    assert_true(f->is_finished);
    return f->answer;
}

enum { LONG_MS = 60 * 1000 };

static void an_answer_comes_back_whole(void **state)
{
    struct fixture *f = *state;
    char question[64];
    f->reply = "yes, I am.";
    listen_there(f);
    assert_string_equal(ask(f, LONG_MS), "yes, I am.");
    ssize_t length = recv(f->fd, question, sizeof(question), MSG_WAITALL);
    assert_int_equal(length, strlen(QUESTION));
    assert_memory_equal(question, QUESTION, strlen(QUESTION));
}

static void where_nobody_listens_there_is_no_answer(void **state)
{
    struct fixture *f = *state;
    assert_string_equal(ask(f, LONG_MS), "");
}

static void who_hangs_up_has_not_answered(void **state)
{
    struct fixture *f = *state;
    f->reply = "half";
    f->hangs_up = true;
    listen_there(f);
    assert_string_equal(ask(f, LONG_MS), "");
}

static void who_says_nothing_is_not_waited_for(void **state)
{
    struct fixture *f = *state;
    listen_there(f);
    assert_string_equal(ask(f, 20), "");
}

static void an_answer_without_end_is_none(void **state)
{
    struct fixture *f = *state;
    f->reply = "on and on and on it goes";
    listen_there(f);
    assert_string_equal(ask(f, LONG_MS), "");
}

static void after_a_cancel_nothing_comes(void **state)
{
    struct fixture *f = *state;
    f->reply = "yes, I am.";
    listen_there(f);
    start(f, LONG_MS);
    inquiry_cancel(f->inquiry);
    f->inquiry = NULL;
    assert_string_equal(ask(f, LONG_MS), "yes, I am."); /* of this one only */
}

static void no_address_is_nobody(void **state)
{
    struct fixture *f = *state;
    struct inquiry_request request = {
        .address = {.inet_address = ""},
        .question = span_of(""),
        .limit_ms = LONG_MS,
        .limit_bytes = 16,
        .is_over = is_over,
        .finished = finished,
        .context = f,
    };
    struct error error;
    inquiry_start(f->loop, &request);
    assert_true(loop_run(f->loop, &error));
    assert_string_equal(f->answer, "");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(an_answer_comes_back_whole),    CASE(where_nobody_listens_there_is_no_answer),
        CASE(who_hangs_up_has_not_answered), CASE(who_says_nothing_is_not_waited_for),
        CASE(an_answer_without_end_is_none), CASE(after_a_cancel_nothing_comes),
        CASE(no_address_is_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
