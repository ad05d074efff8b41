/* listener: who may bind a path, what is removed from it, names, and stopping without a loss. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "../unit.h"
#include "loop/listener.h"
#include "loop/loop.h"

enum { RUN_MS = 20 };

struct fixture {
    struct loop *loop;
    char directory[64];
    char path[80];
    int accepted[8];
    unsigned accepted_count;
    unsigned troubled;
    unsigned asked_for_room;
    int spare_fd; /* closed to make room, -1: there is none */
    bool makes_room_in_vain;
};

static void end_run(void *context)
{
    loop_stop(context);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct error error;
    f->spare_fd = -1;
    strcpy(f->directory, "/tmp/lpalias-listener-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    snprintf(f->path, sizeof(f->path), "%s/lookup", f->directory);
    assert_true(loop_create(&f->loop, &error));
    loop_every(f->loop, RUN_MS, end_run, f->loop);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    char lock[96];
    snprintf(lock, sizeof(lock), "%s.lock", f->path);
    for (unsigned i = 0; i < f->accepted_count; i++)
        close(f->accepted[i]);
    unlink(lock);
    unlink(f->path);
    assert_int_equal(rmdir(f->directory), 0);
    loop_destroy(f->loop);
    free(f);
    return 0;
}

static void note_accepted(void *context, int fd)
{
    struct fixture *f = context;
    assert_true(f->accepted_count < 8);
    f->accepted[f->accepted_count++] = fd;
}

static void note_trouble(void *context, const char *text)
{
    struct fixture *f = context;
    assert_non_null(strstr(text, "cannot accept"));
    f->troubled++;
}

static bool note_need_of_room(void *context)
{
    struct fixture *f = context;
    f->asked_for_room++;
    if (f->spare_fd < 0)
        return f->makes_room_in_vain;
    close(f->spare_fd);
    f->spare_fd = -1;
    return true;
}

static bool listen_on(struct fixture *f, const struct listener_address *address,
                      struct listener **ret, struct error *error)
{
    struct listener_hooks hooks = {note_accepted, note_trouble, f, note_need_of_room};
    return listener_create(f->loop, address, &hooks, ret, error);
}

static bool listen_on_path(struct fixture *f, struct listener **ret, struct error *error)
{
    struct listener_address address = {.unix_path = f->path};
    return listen_on(f, &address, ret, error);
}

static struct sockaddr_un name_of(const char *path)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    snprintf(name.sun_path, sizeof(name.sun_path), "%s", path);
    return name;
}

/* A stream socket bound to path and listening; removed by the caller. */
static int bind_elsewhere(const char *path)
{
    struct sockaddr_un name = name_of(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
    assert_int_equal(listen(fd, 8), 0);
    return fd;
}

/* -1 with errno set, or a connected socket. */
static int connect_to(const char *path)
{
    struct sockaddr_un name = name_of(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&name, sizeof(name)) == 0)
        return fd;
    close(fd);
    return -1;
}

static void run(struct fixture *f)
{
    struct error error;
    assert_true(loop_run(f->loop, &error));
}

static void a_socket_has_its_mode_and_is_removed_at_the_end(void **state)
{
    struct fixture *f = *state;
    struct listener *listener = NULL;
    struct error error;
    struct stat there;
    mode_t previous = umask(0);
    assert_true(listen_on_path(f, &listener, &error));
    assert_int_equal(umask(previous), 0);
    assert_int_equal(stat(f->path, &there), 0);
    assert_int_equal(there.st_mode & 07777, 0660);
    char wanted[96];
    snprintf(wanted, sizeof(wanted), "unix:%s", f->path);
    assert_string_equal(listener_name(listener), wanted);
    listener_destroy(listener);
    assert_int_equal(lstat(f->path, &there), -1);
}

static void a_second_one_is_refused_while_the_first_lives(void **state)
{
    struct fixture *f = *state;
    struct listener *first = NULL;
    struct listener *second = NULL;
    struct error error;
    assert_true(listen_on_path(f, &first, &error));
    assert_false(listen_on_path(f, &second, &error));
    assert_error(error, ERROR_BUSY, "another server is listening on");
    int client = connect_to(f->path);
    assert_true(client >= 0);
    run(f);
    assert_int_equal(f->accepted_count, 1);
    close(client);
    listener_destroy(first);
    assert_true(listen_on_path(f, &second, &error));
    listener_destroy(second);
}

static void a_server_without_our_lock_is_noticed_too(void **state)
{
    struct fixture *f = *state;
    struct listener *listener = NULL;
    struct error error;
    int other = bind_elsewhere(f->path);
    assert_false(listen_on_path(f, &listener, &error));
    assert_error(error, ERROR_BUSY, "another server is listening on");
    close(other);
    /* Now nobody answers there: what a killed server leaves behind. */
    assert_true(listen_on_path(f, &listener, &error));
    listener_destroy(listener);
}

static void what_is_no_socket_is_left_alone(void **state)
{
    struct fixture *f = *state;
    struct listener *listener = NULL;
    struct error error;
    struct stat there;
    close(open(f->path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    assert_false(listen_on_path(f, &listener, &error));
    assert_error(error, ERROR_INVALID, "not a socket");
    assert_int_equal(lstat(f->path, &there), 0);
    unlink(f->path);
    assert_int_equal(symlink("/nowhere", f->path), 0);
    assert_false(listen_on_path(f, &listener, &error));
    assert_error(error, ERROR_INVALID, "not a socket");
    assert_int_equal(lstat(f->path, &there), 0);
}

static void somebody_elses_socket_is_not_removed_at_the_end(void **state)
{
    struct fixture *f = *state;
    struct listener *listener = NULL;
    struct error error;
    struct stat there;
    assert_true(listen_on_path(f, &listener, &error));
    unlink(f->path);
    /* Takes the inode that became free, so that the other socket gets another one. */
    char filler[96];
    snprintf(filler, sizeof(filler), "%s.filler", f->path);
    close(open(filler, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    int other = bind_elsewhere(f->path);
    listener_destroy(listener);
    assert_int_equal(lstat(f->path, &there), 0);
    close(other);
    unlink(filler);
}

static void stopping_hands_on_those_who_wait(void **state)
{
    struct fixture *f = *state;
    struct listener *listener = NULL;
    struct error error;
    assert_true(listen_on_path(f, &listener, &error));
    int clients[3];
    for (size_t i = 0; i < 3; i++)
        clients[i] = connect_to(f->path);
    listener_stop(listener);
    assert_int_equal(f->accepted_count, 3);
    assert_int_equal(connect_to(f->path), -1);
    listener_stop(listener);
    struct listener *next = NULL; /* though the first still has connections */
    if (!listen_on_path(f, &next, &error))
        fail_msg("%s", error.text);
    listener_destroy(listener);
    int client = connect_to(f->path);
    assert_int_not_equal(client, -1);
    close(client);
    listener_destroy(next);
    for (size_t i = 0; i < 3; i++)
        close(clients[i]);
}

static void inet_names_have_the_real_port(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *address;
        const char *format;
    } cases[] = {{"127.0.0.1", "inet:127.0.0.1:%u"}, {"::1", "inet:[::1]:%u"}};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct listener_address address = {.inet_address = cases[i].address};
        struct listener *listener = NULL;
        struct error error = {0};
        unsigned port = 0;
        if (!listen_on(f, &address, &listener, &error))
            fail_msg("%s", error.text);
        assert_int_equal(sscanf(listener_name(listener), cases[i].format, &port), 1);
        assert_in_range(port, 1, 65535);
        struct listener *second = NULL;
        address.inet_port = (uint16_t)port;
        assert_false(listen_on(f, &address, &second, &error));
        assert_error(error, ERROR_BUSY, "cannot bind");
        listener_destroy(listener);
    }
}

static void an_address_must_be_one(void **state)
{
    struct fixture *f = *state;
    char overlong[200];
    memset(overlong, 'a', sizeof(overlong));
    overlong[0] = '/';
    overlong[sizeof(overlong) - 1] = '\0';
    const struct listener_address cases[] = {
        {.unix_path = "relative"},
        {.unix_path = overlong},
        {.inet_address = "localhost"},
        {.inet_address = "127.0.0.256"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct listener *listener = NULL;
        struct error error;
        assert_false(listen_on(f, &cases[i], &listener, &error));
        assert_int_equal(error.kind, ERROR_INVALID);
    }
}

static void without_descriptors_accepting_pauses_and_goes_on(void **state)
{
    struct fixture *f = *state;
    struct listener *listener = NULL;
    struct error error;
    assert_true(listen_on_path(f, &listener, &error));
    int client = connect_to(f->path);
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    struct rlimit none_left = {(rlim_t)client + 1, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none_left), 0);
    /* The first run tries, the second would again if there were no pause. It does not even when
     * the machine stands still for longer than the pause: the end of a run then comes first. */
    run(f);
    run(f);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(f->accepted_count, 0);
    assert_int_equal(f->troubled, 1);
    /* Valgrind has a limit of its own: it accepts, and closes what goes beyond. So one more comes.
     */
    int one_more = getenv("LPALIAS_VALGRIND") != NULL ? connect_to(f->path) : -1;
    for (int i = 0; i < 60000 / RUN_MS && f->accepted_count == 0; i++)
        run(f);
    assert_int_equal(f->accepted_count, 1);
    assert_int_equal(f->troubled, 1);
    close(client);
    if (one_more >= 0)
        close(one_more);
    listener_destroy(listener);
}

/* Lets the process open so many more; the next descriptor must be the lowest free one. */
static struct rlimit leave_descriptors(unsigned count)
{
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    int next = dup(0);
    close(next);
    struct rlimit few = {(rlim_t)next + count, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    return before;
}

static void skip_under_valgrind(void)
{
    if (getenv("LPALIAS_VALGRIND") != NULL)
        skip(); /* it accepts beyond the limit, and closes that */
}

static void somebody_makes_room_for_who_waits(void **state)
{
    skip_under_valgrind();
    struct fixture *f = *state;
    struct listener *listener = NULL;
    struct error error;
    assert_true(listen_on_path(f, &listener, &error));
    int client = connect_to(f->path);
    f->spare_fd = dup(0);
    struct rlimit before = leave_descriptors(0);
    run(f);
    run(f);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(f->accepted_count, 1);
    assert_int_equal(f->asked_for_room, 1);
    assert_int_equal(f->troubled, 0); /* nor was the second try, with nobody waiting, a failure */
    close(client);
    listener_destroy(listener);
}

static void room_is_not_made_twice_in_vain(void **state)
{
    skip_under_valgrind();
    struct fixture *f = *state;
    struct listener *listener = NULL;
    struct error error;
    assert_true(listen_on_path(f, &listener, &error));
    f->makes_room_in_vain = true;
    int client = connect_to(f->path);
    struct rlimit before = leave_descriptors(0);
    for (int i = 0; i < 60000 / RUN_MS && f->troubled < 3; i++)
        run(f);
    assert_int_equal(f->troubled, 3);
    assert_int_equal(f->asked_for_room, 1);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    for (int i = 0; i < 60000 / RUN_MS && f->accepted_count == 0; i++)
        run(f);
    assert_int_equal(f->accepted_count, 1);
    /* Since somebody was accepted, it may help again. */
    int next = connect_to(f->path);
    leave_descriptors(0);
    run(f);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(f->asked_for_room, 2);
    close(client);
    close(next);
    listener_destroy(listener);
}

static void no_connection_stays_in_the_reserve(void **state)
{
    skip_under_valgrind();
    struct fixture *f = *state;
    struct listener *listener = NULL;
    struct error error;
    assert_true(listen_on_path(f, &listener, &error));
    int client = connect_to(f->path);
    int lower_fd = f->spare_fd = dup(0);
    struct rlimit before = leave_descriptors(LISTENER_RESERVED_DESCRIPTORS);
    run(f);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(f->accepted_count, 1);
    assert_int_equal(f->accepted[0], lower_fd);
    close(client);
    listener_destroy(listener);
}

static void some_descriptors_are_left_to_the_rest_of_the_process(void **state)
{
    skip_under_valgrind();
    struct fixture *f = *state;
    static const struct {
        unsigned left; /* with the one that is accepted */
        unsigned asked_for_room;
    } cases[] = {
        {LISTENER_RESERVED_DESCRIPTORS + 1, 0}, {LISTENER_RESERVED_DESCRIPTORS, 1}, {1, 1}};
    struct listener *listener = NULL;
    struct error error;
    assert_true(listen_on_path(f, &listener, &error));
    for (unsigned i = 0; i < ARRAY_LENGTH(cases); i++) {
        int client = connect_to(f->path);
        struct rlimit before = leave_descriptors(cases[i].left);
        f->asked_for_room = 0;
        run(f);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
        assert_int_equal(f->accepted_count, i + 1);
        assert_int_equal(f->asked_for_room, cases[i].asked_for_room);
        assert_int_equal(f->troubled, 0);
        close(client);
    }
    listener_destroy(listener);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_socket_has_its_mode_and_is_removed_at_the_end, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_second_one_is_refused_while_the_first_lives, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_server_without_our_lock_is_noticed_too, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_no_socket_is_left_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(somebody_elses_socket_is_not_removed_at_the_end, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(stopping_hands_on_those_who_wait, setup, teardown),
        cmocka_unit_test_setup_teardown(inet_names_have_the_real_port, setup, teardown),
        cmocka_unit_test_setup_teardown(an_address_must_be_one, setup, teardown),
        cmocka_unit_test_setup_teardown(without_descriptors_accepting_pauses_and_goes_on, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(somebody_makes_room_for_who_waits, setup, teardown),
        cmocka_unit_test_setup_teardown(room_is_not_made_twice_in_vain, setup, teardown),
        cmocka_unit_test_setup_teardown(no_connection_stays_in_the_reserve, setup, teardown),
        cmocka_unit_test_setup_teardown(some_descriptors_are_left_to_the_rest_of_the_process, setup,
                                        teardown),
    };
    return cmocka_run_group_tests_name("loop/listener", tests, NULL, NULL);
}
