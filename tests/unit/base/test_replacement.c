/* replacement: whole or not at all, one at a time, and never through a link. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../unit.h"
#include "base/file.h"
#include "base/replacement.h"

struct fixture {
    char directory[64], path[80], part[96];
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    strcpy(f->directory, "/tmp/lpalias-replacement-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    snprintf(f->path, sizeof(f->path), "%s/file", f->directory);
    snprintf(f->part, sizeof(f->part), "%s.part", f->path);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    unlink(f->path);
    unlink(f->part);
    assert_int_equal(rmdir(f->directory), 0);
    free(f);
    return 0;
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void assert_text(const char *path, const char *wanted)
{
    char *text;
    size_t length;
    struct error error;
    assert_true(file_read(path, 1000, &text, &length, &error));
    assert_string_equal(text, wanted);
    free(text);
}

static void begin(struct fixture *f, struct replacement *file, const char *text)
{
    struct error error;
    if (!replacement_begin(file, f->path, &error))
        fail_msg("%s", error.text);
    assert_int_equal(write(file->fd, text, strlen(text)), strlen(text));
}

static void a_committed_one_takes_the_place_of_the_old(void **state)
{
    struct fixture *f = *state;
    struct replacement file = {0};
    struct error error;
    struct stat status;
    write_file(f->path, "old");
    begin(f, &file, "new");
    assert_text(f->path, "old");
    assert_true(replacement_commit(&file, &error));
    replacement_drop(&file);
    assert_text(f->path, "new");
    assert_int_equal(stat(f->path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    assert_int_equal(access(f->part, F_OK), -1);
}

static void a_dropped_one_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    struct replacement file = {0};
    write_file(f->path, "old");
    begin(f, &file, "new");
    replacement_drop(&file);
    replacement_drop(&file);
    assert_text(f->path, "old");
    assert_int_equal(access(f->part, F_OK), -1);
}

static void what_a_kill_left_behind_is_taken_away(void **state)
{
    struct fixture *f = *state;
    struct replacement file = {0};
    struct error error;
    write_file(f->part, "a longer text of before");
    assert_int_equal(chmod(f->part, 0666), 0);
    begin(f, &file, "new");
    assert_true(replacement_commit(&file, &error));
    replacement_drop(&file);
    assert_text(f->path, "new");
}

static void nothing_is_written_into_what_another_laid_there(void **state)
{
    struct fixture *f = *state;
    struct replacement file = {0};
    struct error error;
    write_file(f->path, "precious");
    assert_int_equal(link(f->path, f->part), 0);
    begin(f, &file, "new");
    assert_text(f->path, "precious");
    assert_true(replacement_commit(&file, &error));
    replacement_drop(&file);
    assert_text(f->path, "new");
}

static void one_at_a_time_writes_a_file(void **state)
{
    struct fixture *f = *state;
    struct replacement first = {0}, second = {0};
    struct error error;
    begin(f, &first, "first");
    assert_false(replacement_begin(&second, f->path, &error));
    assert_int_equal(error.kind, ERROR_BUSY);
    replacement_drop(&second);
    assert_true(replacement_commit(&first, &error));
    replacement_drop(&first);
    assert_text(f->path, "first");
}

static void a_link_in_its_place_is_refused(void **state)
{
    struct fixture *f = *state;
    struct replacement file = {0};
    struct error error;
    write_file(f->path, "precious");
    assert_int_equal(symlink(f->path, f->part), 0);
    assert_false(replacement_begin(&file, f->path, &error));
    assert_error(error, ERROR_TEMPORARY, "file.part");
    assert_text(f->path, "precious");
}

static void a_directory_that_is_not_there_is_trouble(void **state)
{
    (void)state;
    struct replacement file = {0};
    struct error error;
    assert_false(replacement_begin(&file, "/nonexistent/file", &error));
    assert_error(error, ERROR_TEMPORARY, "/nonexistent/file.part");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(a_committed_one_takes_the_place_of_the_old),
        CASE(a_dropped_one_leaves_nothing),
        CASE(what_a_kill_left_behind_is_taken_away),
        CASE(nothing_is_written_into_what_another_laid_there),
        CASE(one_at_a_time_writes_a_file),
        CASE(a_link_in_its_place_is_refused),
        CASE(a_directory_that_is_not_there_is_trouble),
    };
    return cmocka_run_group_tests_name("base/replacement", tests, NULL, NULL);
}
