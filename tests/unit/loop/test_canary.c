/* canary: when an answer counts, when silence is told, and what is done where a path is gone. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../unit.h"
#include "loop/canary.h"
#include "loop/listener.h"
#include "loop/loop.h"

enum { PERIOD_MS = 10 };

#define QUESTION "are you there?"

struct fixture {
    struct loop *loop;
    struct listener *listener;
    char directory[64];
    char path[80];
    const char *reply; /* NULL: nobody replies */
    int fds[64];
    unsigned asked, answered, silent, out_of_reach;
    unsigned answers_wanted, silences_wanted; /* the loop stops then */
    char why[512];
};

static void stop_when_done(struct fixture *f)
{
    if (f->answered >= f->answers_wanted && f->silent >= f->silences_wanted)
        loop_stop(f->loop);
}

/* Without a look at the question. The connection stays open, as closing it with what was not read
 * would take the reply back. */
static void reply(void *context, int fd)
{
    struct fixture *f = context;
    f->fds[f->asked++ % ARRAY_LENGTH(f->fds)] = fd;
    if (f->reply != NULL)
        assert_int_equal(send(fd, f->reply, strlen(f->reply), MSG_NOSIGNAL), strlen(f->reply));
    else
        shutdown(fd, SHUT_WR);
}

static void note_trouble(void *context, const char *text)
{
    (void)context;
    fail_msg("%s", text);
}

static void note_answer(void *context)
{
    struct fixture *f = context;
    f->answered++;
    stop_when_done(f);
}

static void note_silence(void *context, const char *why)
{
    struct fixture *f = context;
    f->silent++;
    snprintf(f->why, sizeof(f->why), "%s", why);
    stop_when_done(f);
}

static void note_out_of_reach(void *context, const char *why)
{
    struct fixture *f = context;
    f->out_of_reach++;
    snprintf(f->why, sizeof(f->why), "%s", why);
}

static bool is_whole(struct span bytes)
{
    return bytes.length > 0 && bytes.data[bytes.length - 1] == '.';
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    strcpy(f->directory, "/tmp/lpalias-canary-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    snprintf(f->path, sizeof(f->path), "%s/lookup", f->directory);
    struct error error;
    assert_true(loop_create(&f->loop, &error));
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    listener_destroy(f->listener);
    for (unsigned i = 0; i < f->asked && i < ARRAY_LENGTH(f->fds); i++)
        close(f->fds[i]);
    loop_destroy(f->loop);
    char lock[96];
    snprintf(lock, sizeof(lock), "%s.lock", f->path);
    unlink(lock);
    unlink(f->path);
    assert_int_equal(rmdir(f->directory), 0);
    free(f);
    return 0;
}

static void listen_here(struct fixture *f)
{
    struct listener_address address = {.unix_path = f->path};
    struct listener_hooks hooks = {reply, note_trouble, f};
    struct error error;
    assert_true(listener_create(f->loop, &address, &hooks, &f->listener, &error));
}

static void adopt(struct fixture *f, int backlog)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    snprintf(name.sun_path, sizeof(name.sun_path), "%s", f->path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
    assert_int_equal(listen(fd, backlog), 0);
    struct listener_address address = {.unix_path = f->path};
    struct listener_hooks hooks = {reply, note_trouble, f};
    struct error error;
    assert_true(listener_adopt(f->loop, fd, &address, &hooks, &f->listener, &error));
}

static void run_until(struct fixture *f, unsigned answers, unsigned silences)
{
    struct canary_settings settings = {
        .listener = f->listener,
        .question = {QUESTION, strlen(QUESTION)},
        .is_whole = is_whole,
        .period_ms = PERIOD_MS,
        .answered = note_answer,
        .silent = note_silence,
        .out_of_reach = note_out_of_reach,
        .context = f,
    };
    f->answers_wanted = answers;
    f->silences_wanted = silences;
    struct canary *canary = canary_create(f->loop, &settings);
    struct error error;
    assert_true(loop_run(f->loop, &error));
    canary_destroy(canary);
}

static void test_each_answer_is_told(void **state)
{
    struct fixture *f = *state;
    listen_here(f);
    f->reply = "yes.";
    run_until(f, 5, 0);
    assert_int_equal(f->asked, 5);
    assert_int_equal(f->silent, 0);
    assert_int_equal(f->out_of_reach, 0);
}

static void test_half_an_answer_is_none(void **state)
{
    struct fixture *f = *state;
    listen_here(f);
    f->reply = "ye";
    run_until(f, 0, 1);
    assert_int_equal(f->answered, 0);
    assert_string_equal(f->why, "no reply: Connection timed out");
}

static void test_a_connection_that_ends_is_no_answer(void **state)
{
    struct fixture *f = *state;
    listen_here(f);
    run_until(f, 0, 1);
    assert_int_equal(f->answered, 0);
    assert_non_null(strstr(f->why, "the connection ended"));
}

/* Restarting mends it: the next process binds its path anew. */
static void test_an_own_path_that_is_gone_is_silence(void **state)
{
    struct fixture *f = *state;
    listen_here(f);
    assert_int_equal(unlink(f->path), 0);
    f->reply = "yes.";
    run_until(f, 0, 1);
    assert_int_equal(f->out_of_reach, 0);
    assert_non_null(strstr(f->why, "cannot connect"));
}

/* Restarting mends nothing, and those who are connected are well served. */
static void test_an_inherited_path_that_is_gone_is_gone_round(void **state)
{
    struct fixture *f = *state;
    adopt(f, 8);
    assert_int_equal(unlink(f->path), 0);
    f->reply = "yes.";
    run_until(f, 3, 0);
    assert_int_equal(f->out_of_reach, 1);
    assert_int_equal(f->silent, 0);
    assert_non_null(strstr(f->why, strerror(ENOENT)));
}

static void test_a_full_queue_is_busy(void **state)
{
    struct fixture *f = *state;
    adopt(f, 1);
    int fds[3];
    struct error error;
    assert_true(listener_connect(f->listener, &fds[0], &error));
    assert_true(listener_connect(f->listener, &fds[1], &error));
    assert_false(listener_connect(f->listener, &fds[2], &error));
    assert_error(error, ERROR_BUSY, "nobody is accepted there");
    close(fds[0]);
    close(fds[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_each_answer_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(test_half_an_answer_is_none, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_connection_that_ends_is_no_answer, setup, teardown),
        cmocka_unit_test_setup_teardown(test_an_own_path_that_is_gone_is_silence, setup, teardown),
        cmocka_unit_test_setup_teardown(test_an_inherited_path_that_is_gone_is_gone_round, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_a_full_queue_is_busy, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
