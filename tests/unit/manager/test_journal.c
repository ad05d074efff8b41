/* journal: which standard error is the journal's, and lines for it in a build without libsystemd.
 * With libsystemd tests/blackbox/test_log.py reads the entries. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LPALIAS_HAS_SYSTEMD 0
#include "../../../src/manager/journal.c"
#include "../unit.h"

struct fixture {
    int saved_stderr;
    FILE *file;
    char stream[64];
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    f->file = tmpfile();
    assert_non_null(f->file);
    struct stat made;
    assert_int_equal(fstat(fileno(f->file), &made), 0);
    snprintf(f->stream, sizeof(f->stream), "%ju:%ju", (uintmax_t)made.st_dev,
             (uintmax_t)made.st_ino);
    f->saved_stderr = dup(STDERR_FILENO);
    assert_int_equal(dup2(fileno(f->file), STDERR_FILENO), STDERR_FILENO);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    dup2(f->saved_stderr, STDERR_FILENO);
    close(f->saved_stderr);
    fclose(f->file);
    log_set_sink(NULL);
    unsetenv("JOURNAL_STREAM");
    free(f);
    return 0;
}

static void test_lines_have_a_priority_and_no_time(void **state)
{
    struct fixture *f = *state;
    setenv("JOURNAL_STREAM", f->stream, 1);
    assert_true(journal_take_lines());
    log_error("a\nb");
    log_with(LOG_LEVEL_WARNING, LOG_FIELDS({"map", "alias"}, {"none", NULL}, {"key", "a b"}), "c");
    log_info("d");
    char text[256] = "";
    rewind(f->file);
    assert_true(fread(text, 1, sizeof(text) - 1, f->file) > 0);
    assert_string_equal(text, "<3>level=error msg=\"a\\x0ab\"\n"
                              "<4>level=warning msg=\"c\" map=alias key=\"a b\"\n"
                              "<6>level=info msg=\"d\"\n");
}

static void test_another_standard_error_is_left_alone(void **state)
{
    struct fixture *f = *state;
    assert_false(journal_take_lines());
    static const char *const others[] = {"", "1", "1:1", "x:y"};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        setenv("JOURNAL_STREAM", others[i], 1);
        assert_false(journal_take_lines());
    }
    log_info("d");
    char text[256] = "";
    rewind(f->file);
    assert_true(fread(text, 1, sizeof(text) - 1, f->file) > 0);
    assert_memory_equal(text, "ts=2", 4);
    assert_non_null(strstr(text, "Z level=info msg=\"d\"\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_lines_have_a_priority_and_no_time, setup, teardown),
        cmocka_unit_test_setup_teardown(test_another_standard_error_is_left_alone, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
