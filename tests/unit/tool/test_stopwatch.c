/* The line that a long step has on a terminal. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <pty.h>

#include "../unit.h"
#include "tool/stopwatch.h"

/* Standard error is a terminal of our own meanwhile; ret_master is its other side. */
static int divert(int *ret_master)
{
    int slave;
    int kept = dup(STDERR_FILENO);
    assert_int_equal(openpty(ret_master, &slave, NULL, NULL, NULL), 0);
    dup2(slave, STDERR_FILENO);
    close(slave);
    return kept;
}

/* Appends what the terminal shows until it holds words. */
static void read_until(int master, char *text, size_t size, const char *words)
{
    struct pollfd readable = {.fd = master, .events = POLLIN};
    while (strstr(text, words) == NULL) {
        size_t length = strlen(text);
        assert_int_equal(poll(&readable, 1, 30000), 1);
        ssize_t count = read(master, text + length, size - length - 1);
        assert_true(count > 0);
        text[length + (size_t)count] = '\0';
    }
}

static void it_shows_the_seconds_and_takes_the_line_away(void **state)
{
    (void)state;
    int master;
    char text[1024] = "";
    struct stopwatch watch;
    int kept = divert(&master);
    stopwatch_begin(&watch, "testing");
    read_until(master, text, sizeof(text), "testing, 1 s");
    read_until(master, text, sizeof(text), "testing, 2 s");
    stopwatch_end(&watch);
    read_until(master, text, sizeof(text), "\r\033[K");
    dup2(kept, STDERR_FILENO);
    close(kept);
    close(master);
}

static void a_short_step_shows_nothing(void **state)
{
    (void)state;
    int master;
    char text[64] = "";
    struct stopwatch watch;
    int kept = divert(&master);
    stopwatch_begin(&watch, "testing");
    stopwatch_end(&watch);
    fputs("end", stderr);
    read_until(master, text, sizeof(text), "end");
    assert_string_equal(text, "end");
    dup2(kept, STDERR_FILENO);
    close(kept);
    close(master);
}

static void without_a_terminal_there_is_no_thread(void **state)
{
    (void)state;
    int ends[2];
    int kept = dup(STDERR_FILENO);
    struct stopwatch watch;
    assert_int_equal(pipe(ends), 0);
    dup2(ends[1], STDERR_FILENO);
    stopwatch_begin(&watch, "testing");
    bool is_running = watch.is_running;
    stopwatch_end(&watch);
    dup2(kept, STDERR_FILENO);
    close(kept);
    close(ends[0]);
    close(ends[1]);
    assert_false(is_running);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_shows_the_seconds_and_takes_the_line_away),
        cmocka_unit_test(a_short_step_shows_nothing),
        cmocka_unit_test(without_a_terminal_there_is_no_thread),
    };
    return cmocka_run_group_tests_name("tool/stopwatch", tests, NULL, NULL);
}
