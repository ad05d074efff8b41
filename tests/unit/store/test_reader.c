/* reader: which file is believed, when it is looked at, and what is said while it is not. */
#include <sodium.h>

#include "cache.h"
#include "clock.h"
#include "store/reader.h"

/* How often the key file was read; linked with --wrap. */
static unsigned keyring_reads;

bool __real_keyring_read(const char *path, struct keyring **ret, struct error *error);
bool __wrap_keyring_read(const char *path, struct keyring **ret, struct error *error);

bool __wrap_keyring_read(const char *path, struct keyring **ret, struct error *error)
{
    keyring_reads++;
    return __real_keyring_read(path, ret, error);
}

/* ---- fixture: d.org and e.org are open in generation 1, and jdoe@d.org has a target ---- */

struct fixture {
    struct cache cache;
    struct store_reader *reader;
    struct error error;
};

static void make_reader(struct fixture *f)
{
    const struct store_reader_settings settings = {f->cache.directory, f->cache.keys, LIMIT_BYTES};
    f->reader = store_reader_create(&settings);
}

static int setup_empty(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    clock_ms = 5;
    cache_make(&f->cache);
    make_reader(f);
    *state = f;
    return 0;
}

static int setup(void **state)
{
    setup_empty(state);
    struct fixture *f = *state;
    cache_change(&f->cache, "open d.org\nopen e.org\n"
                            "alias d.org jdoe active append jdoe@example.org");
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    store_reader_destroy(f->reader);
    cache_remove(&f->cache);
    free(f);
    return 0;
}

static bool wake(struct fixture *f)
{
    return store_reader_wake(f->reader, &f->error);
}

/* A second later, and as after a sleep of the loop. */
static bool wake_later(struct fixture *f)
{
    store_reader_rest(f->reader);
    clock_ms += 1000;
    return wake(f);
}

struct wanted_domain {
    struct fixture *f;
    const char *name;
    bool is_there, is_open;
};

static bool see_domain(void *context, const char *name, const struct domain_record *record)
{
    struct wanted_domain *wanted = context;
    if (strcmp(name, wanted->name) != 0)
        return true;
    wanted->is_there = true;
    wanted->is_open = store_reader_is_open(wanted->f->reader, record);
    return false;
}

static bool is_open(struct fixture *f, const char *name)
{
    struct wanted_domain wanted = {f, name, false, false};
    assert_true(store_reader_each_domain(f->reader, see_domain, &wanted, &f->error));
    return wanted.is_open;
}

static void assert_believed(struct fixture *f)
{
    if (!wake_later(f))
        fail_msg("%s", f->error.text);
    assert_true(store_reader_is_trusted(f->reader));
    assert_true(is_open(f, "d.org"));
    assert_true(is_open(f, "e.org"));
}

/* It is read, but all its domains count as closed. */
static void assert_not_believed(struct fixture *f)
{
    if (!wake_later(f))
        fail_msg("%s", f->error.text);
    assert_false(store_reader_is_trusted(f->reader));
    assert_false(is_open(f, "d.org"));
    assert_false(is_open(f, "e.org"));
}

static void assert_trouble(struct fixture *f, const char *words)
{
    assert_false(wake_later(f));
    assert_error(f->error, ERROR_TEMPORARY, words);
}

/* The live alias is served, whatever is thought of the file. */
static void assert_serves(struct fixture *f)
{
    struct alias_record record;
    struct buffer out = {0};
    assert_int_equal(store_reader_alias(f->reader, "d.org", span_of("jdoe"), &record, &f->error),
                     STORE_FOUND);
    if (!store_reader_open_targets(f->reader, "d.org", span_of("jdoe"), &record, &out, &f->error))
        fail_msg("%s", f->error.text);
    assert_string_equal(buffer_text(&out), "jdoe@example.org");
    buffer_finish(&out);
}

static void keep_copy(struct fixture *f, const char *name)
{
    copy_file(f->cache.data, beside(&f->cache, name));
}

static void swap_in(struct fixture *f, const char *name)
{
    assert_int_equal(rename(beside(&f->cache, name), f->cache.data), 0);
}

static void write_over(struct fixture *f, const char *name)
{
    copy_file(beside(&f->cache, name), f->cache.data);
}

static void grow(struct fixture *f, unsigned generations)
{
    for (unsigned i = 0; i < generations; i++)
        cache_change(&f->cache, "close grown.example");
}

/* To the user that a job of root becomes. */
static void give_away(struct fixture *f)
{
    const char *paths[] = {f->cache.base, f->cache.directory,  f->cache.data,
                           f->cache.lock, f->cache.generation, f->cache.keys};
    for (size_t i = 0; i < ARRAY_LENGTH(paths) && geteuid() == 0; i++)
        assert_int_equal(chown(paths[i], 65534, 65534), 0);
}

/* ---- waking and resting ---- */

static void nothing_is_opened_before_the_first_wake(void **state)
{
    struct fixture *f = *state;
    struct stat status;
    assert_int_equal(stat(f->cache.directory, &status), -1);
    assert_false(wake(f));
    assert_error(f->error, ERROR_TEMPORARY, "no cache at");
    assert_int_equal(stat(f->cache.directory, &status), -1);
    assert_false(store_reader_wake(f->reader, NULL));
    store_reader_rest(f->reader);
}

static void a_cache_that_comes_is_found_within_a_second(void **state)
{
    struct fixture *f = *state;
    assert_false(wake(f));
    cache_change(&f->cache, "open d.org\nopen e.org");
    clock_ms += 999;
    assert_false(wake(f));
    assert_error(f->error, ERROR_TEMPORARY, "no cache at");
    clock_ms += 1;
    assert_true(wake(f));
    assert_true(store_reader_is_trusted(f->reader));
    assert_true(is_open(f, "d.org"));
}

static void a_cache_that_is_not_filled_yet_is_found_when_it_is(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(mkdir(f->cache.directory, 0750), 0);
    write_bytes(f->cache.data, "", 0);
    assert_trouble(f, "cannot open the cache");
    cache_change(&f->cache, "open d.org\nopen e.org");
    assert_believed(f);
}

static void a_snapshot_holds_until_rest(void **state)
{
    struct fixture *f = *state;
    assert_true(wake(f));
    uint64_t view = store_reader_view(f->reader);
    assert_int_equal(store_reader_generation(f->reader), 1);
    cache_change(&f->cache, "close d.org");
    clock_ms += 5000;
    assert_true(wake(f)); /* it is awake */
    assert_int_equal(store_reader_generation(f->reader), 1);
    assert_true(is_open(f, "d.org"));
    store_reader_rest(f->reader);
    store_reader_rest(f->reader);
    assert_true(wake(f)); /* at once: renewing asks for no second */
    assert_int_equal(store_reader_generation(f->reader), 2);
    assert_false(is_open(f, "d.org"));
    assert_true(is_open(f, "e.org"));
    assert_int_not_equal(store_reader_view(f->reader), view);
}

static int note_a_run(const void *argument)
{
    struct store *store;
    struct error error;
    struct store_run_row row = {"d.org", {.outcome = RUN_APPLIED}};
    must(store_open(argument, STORE_WRITE, LIMIT_BYTES, &store, &error));
    must(store_note_runs(store, &row, 1, &error));
    store_close(store);
    return 0;
}

static void the_view_changes_with_generations_and_files_only(void **state)
{
    struct fixture *f = *state;
    assert_true(wake(f));
    uint64_t view = store_reader_view(f->reader);
    assert_true(wake_later(f));
    assert_int_equal(store_reader_view(f->reader), view);
    assert_int_equal(elsewhere_run(&f->cache.elsewhere, note_a_run, f->cache.directory, 64), 0);
    assert_true(wake_later(f));
    assert_int_equal(store_reader_view(f->reader), view);
    grow(f, 1);
    assert_true(wake_later(f));
    assert_int_not_equal(store_reader_view(f->reader), view);
    view = store_reader_view(f->reader);
    keep_copy(f, "same");
    swap_in(f, "same"); /* the same content in another file */
    assert_true(wake_later(f));
    assert_int_not_equal(store_reader_view(f->reader), view);
}

static void an_absent_alias_is_absent_and_a_broken_one_is_trouble(void **state)
{
    struct fixture *f = *state;
    struct alias_record record;
    static const char key[] = "d.org\0broken";
    cache_put_raw(&f->cache, TABLE_ALIAS, (struct span){key, sizeof(key) - 1}, span_of("\1what"));
    assert_true(wake(f));
    assert_int_equal(store_reader_alias(f->reader, "d.org", span_of("nobody"), &record, &f->error),
                     STORE_ABSENT);
    assert_int_equal(store_reader_alias(f->reader, "d.org", span_of("broken"), &record, &f->error),
                     STORE_TROUBLE);
    assert_serves(f);
}

/* ---- change of file ---- */

static void the_path_is_looked_at_once_a_second_at_most(void **state)
{
    struct fixture *f = *state;
    assert_true(wake(f));
    unlink(f->cache.data);
    store_reader_rest(f->reader);
    clock_ms += 999;
    assert_true(wake(f)); /* the open file is served for this second */
    assert_serves(f);
    store_reader_rest(f->reader);
    clock_ms += 1;
    assert_false(wake(f));
    assert_error(f->error, ERROR_TEMPORARY, "No such file");
}

static void a_deleted_file_is_trouble_until_it_is_put_back_by_mv(void **state)
{
    struct fixture *f = *state;
    grow(f, 3);
    assert_believed(f);
    assert_int_equal(rename(f->cache.data, beside(&f->cache, "away")), 0);
    assert_trouble(f, "No such file");
    assert_trouble(f, "no cache at");
    swap_in(f, "away");
    assert_believed(f);
    assert_serves(f);
}

static void a_deleted_file_is_trouble_until_it_is_put_back_by_cp(void **state)
{
    struct fixture *f = *state;
    grow(f, 3);
    assert_believed(f);
    keep_copy(f, "copy");
    unlink(f->cache.data);
    assert_trouble(f, "No such file");
    write_over(f, "copy");
    assert_believed(f);
    assert_serves(f);
    /* It goes on from there in its new file. */
    grow(f, 1);
    assert_believed(f);
}

static void a_directory_that_is_moved_away_and_back_is_believed(void **state)
{
    struct fixture *f = *state;
    assert_believed(f);
    assert_int_equal(rename(f->cache.directory, beside(&f->cache, "away")), 0);
    assert_trouble(f, "No such file");
    assert_int_equal(rename(beside(&f->cache, "away"), f->cache.directory), 0);
    assert_believed(f);
}

/* Without the lock file of the writers they would not see our slot, and overwrite what we read. */
static void a_reader_whose_lock_file_is_gone_opens_again_and_has_a_slot(void **state)
{
    struct fixture *f = *state;
    assert_believed(f);
    unlink(f->cache.lock);
    assert_believed(f);
    for (unsigned i = 0; i < 20; i++) {
        cache_change(&f->cache, "close grown.example");
        assert_believed(f);
        assert_serves(f);
        assert_int_equal(store_reader_generation(f->reader), 2 + i);
    }
}

static void a_reader_whose_lock_file_was_made_anew_sees_what_comes_after(void **state)
{
    struct fixture *f = *state;
    assert_believed(f);
    unlink(f->cache.lock);
    grow(f, 20);
    assert_believed(f);
    assert_serves(f);
    assert_int_equal(store_reader_generation(f->reader), 21);
}

static int lose_the_lock_file(const void *argument)
{
    struct fixture f = {0};
    memcpy(&f.cache, argument, sizeof(f.cache));
    clock_ms = 5;
    make_reader(&f);
    if (geteuid() == 0)
        must(setresgid(65534, 65534, 65534) == 0 && setresuid(65534, 65534, 65534) == 0);
    must(chmod(f.cache.directory, 0750) == 0 && wake(&f));
    must(unlink(f.cache.lock) == 0 && chmod(f.cache.directory, 0550) == 0);
    must(!wake_later(&f));
    must(f.error.kind == ERROR_TEMPORARY && strstr(f.error.text, "may not write lock.mdb") != NULL);
    must(chmod(f.cache.directory, 0750) == 0);
    must(wake_later(&f) && store_reader_is_trusted(f.reader) && is_open(&f, "d.org"));
    store_reader_destroy(f.reader);
    return 0;
}

static void a_reader_that_can_make_no_lock_file_is_in_trouble(void **state)
{
    struct fixture *f = *state;
    give_away(f);
    assert_int_equal(
        elsewhere_run(&f->cache.elsewhere, lose_the_lock_file, &f->cache, sizeof(f->cache)), 0);
}

/* ---- the first look: the file "generation" ---- */

/* As after a restart. */
static void start_again(struct fixture *f)
{
    store_reader_destroy(f->reader);
    make_reader(f);
}

static void keep_generation(struct fixture *f, const char *name)
{
    copy_file(f->cache.generation, beside(&f->cache, name));
}

static void put_generation(struct fixture *f, const char *name)
{
    copy_file(beside(&f->cache, name), f->cache.generation);
}

static void an_older_copy_put_in_place_before_the_start_is_not_believed(void **state)
{
    struct fixture *f = *state;
    keep_copy(f, "older");
    grow(f, 3);
    keep_copy(f, "newest");
    swap_in(f, "older");
    for (unsigned starts = 0; starts < 2; starts++) {
        start_again(f);
        assert_not_believed(f);
        assert_serves(f);
    }
    /* What the file names is trusted, though this reader never saw it. */
    swap_in(f, "newest");
    assert_believed(f);
}

static void another_cache_before_the_start_is_not_believed(void **state)
{
    struct fixture *f = *state;
    keep_generation(f, "note");
    unlink(f->cache.data);
    unlink(f->cache.generation);
    cache_change(&f->cache, "open d.org\nopen e.org");
    grow(f, 5);
    put_generation(f, "note");
    assert_not_believed(f);
}

static void another_generation_of_the_same_number_before_the_start_is_not_believed(void **state)
{
    struct fixture *f = *state;
    keep_copy(f, "older");
    grow(f, 1);
    keep_generation(f, "note");
    swap_in(f, "older");
    unlink(f->cache.generation);
    grow(f, 1);
    put_generation(f, "note");
    assert_not_believed(f);
    assert_int_equal(store_reader_generation(f->reader), 2);
}

/* A crash between the commit and the file; a cache from before there was a file. */
static void a_file_that_is_behind_or_absent_is_no_reason_for_distrust(void **state)
{
    struct fixture *f = *state;
    keep_generation(f, "note");
    grow(f, 1);
    put_generation(f, "note");
    assert_believed(f);
    unlink(f->cache.generation);
    start_again(f);
    assert_believed(f);
    /* And a writer makes nothing of it, but mends it. */
    put_generation(f, "note");
    grow(f, 1);
    start_again(f);
    assert_believed(f);
    assert_int_equal(store_reader_generation(f->reader), 3);
    struct buffer mended = file_bytes(f->cache.generation);
    assert_non_null(strstr(buffer_text(&mended), " 3 "));
    buffer_finish(&mended);
}

static void a_malformed_file_is_a_reason_for_distrust(void **state)
{
    struct fixture *f = *state;
    struct buffer good = file_bytes(f->cache.generation);
    assert_int_equal(good.length, 32 + 3 + 32 + 1);
    for (size_t length = 0; length < good.length; length++) {
        write_bytes(f->cache.generation, good.data, length);
        start_again(f);
        assert_not_believed(f);
    }
    buffer_append_text(&good, "\n");
    write_bytes(f->cache.generation, good.data, good.length);
    start_again(f);
    assert_not_believed(f);
    write_bytes(f->cache.generation, good.data, good.length - 1);
    start_again(f);
    assert_believed(f);
    buffer_finish(&good);
}

static void an_unreadable_file_generation_is_a_reason_for_distrust(void **state)
{
    struct fixture *f = *state;
    unlink(f->cache.generation);
    assert_int_equal(mkdir(f->cache.generation, 0750), 0);
    assert_not_believed(f);
    assert_serves(f);
}

static void a_domain_opened_in_an_older_copy_is_open_after_a_restart_too(void **state)
{
    struct fixture *f = *state;
    keep_copy(f, "older");
    grow(f, 3);
    swap_in(f, "older");
    assert_not_believed(f);
    /* A writer makes the distrust last: in the file and not only in this reader. */
    grow(f, 1);
    start_again(f);
    if (!wake_later(f))
        fail_msg("%s", f->error.text);
    assert_true(store_reader_is_trusted(f->reader));
    assert_false(is_open(f, "d.org"));
    assert_false(is_open(f, "e.org"));
    cache_change(&f->cache, "open d.org");
    start_again(f);
    assert_true(wake_later(f));
    assert_true(is_open(f, "d.org"));
    assert_false(is_open(f, "e.org"));
}

static void a_recreated_cache_is_not_believed_until_a_domain_is_opened_in_it(void **state)
{
    struct fixture *f = *state;
    assert_believed(f);
    unlink(f->cache.data);
    cache_change(&f->cache, "open d.org\nopen e.org\n"
                            "alias d.org jdoe active append jdoe@example.org");
    assert_not_believed(f);
    assert_serves(f);
    cache_change(&f->cache, "open d.org");
    assert_true(wake_later(f));
    assert_false(store_reader_is_trusted(f->reader));
    assert_true(is_open(f, "d.org"));
    assert_false(is_open(f, "e.org"));
    cache_change(&f->cache, "close d.org\nopen e.org");
    assert_true(wake_later(f));
    assert_false(is_open(f, "d.org"));
    assert_true(is_open(f, "e.org"));
}

static void a_cache_awaits_opening_until_what_it_had_open_was_opened_again(void **state)
{
    struct fixture *f = *state;
    assert_believed(f);
    assert_false(store_reader_awaits_opening(f->reader));
    unlink(f->cache.data);
    unlink(f->cache.generation);
    cache_change(&f->cache, "open d.org\nopen e.org");
    assert_not_believed(f);
    static const struct {
        const char *change;
        bool awaits_opening;
    } steps[] = {
        {"open d.org", true}, /* and e.org */
        {"close e.org", false}, {"open e.org", false},
        {"close d.org", false}, {"close e.org", true}, /* nothing is left that is to be served */
        {"open e.org", false},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(steps); i++) {
        cache_change(&f->cache, steps[i].change);
        assert_true(wake_later(f));
        assert_int_equal(store_reader_awaits_opening(f->reader), steps[i].awaits_opening);
    }
    start_again(f);
    assert_true(wake_later(f));
    assert_false(store_reader_awaits_opening(f->reader));
}

static void a_recreated_cache_seen_only_after_its_deletion_is_not_believed_either(void **state)
{
    struct fixture *f = *state;
    assert_believed(f);
    unlink(f->cache.data);
    unlink(f->cache.lock);
    assert_trouble(f, "No such file");
    cache_change(&f->cache, "open d.org\nopen e.org"); /* perhaps in an inode of the same number */
    grow(f, 5);
    assert_not_believed(f);
}

static void an_older_copy_by_rename_is_not_believed_even_when_it_outgrows_the_old(void **state)
{
    struct fixture *f = *state;
    keep_copy(f, "older");
    grow(f, 5);
    assert_believed(f);
    assert_int_equal(link(f->cache.data, beside(&f->cache, "newest")), 0);
    swap_in(f, "older");
    assert_not_believed(f);
    assert_serves(f);
    grow(f, 10);
    assert_not_believed(f);
    assert_true(store_reader_generation(f->reader) > 6);
    cache_change(&f->cache, "open d.org");
    assert_true(wake_later(f));
    assert_true(is_open(f, "d.org"));
    assert_false(is_open(f, "e.org"));
    /* And what was trusted comes back. */
    swap_in(f, "newest");
    assert_believed(f);
    assert_int_equal(store_reader_generation(f->reader), 6);
}

static void an_older_copy_in_place_is_not_believed_even_when_it_outgrows_the_old(void **state)
{
    struct fixture *f = *state;
    keep_copy(f, "older");
    grow(f, 5);
    assert_believed(f);
    keep_copy(f, "newest");
    write_over(f, "older");
    assert_not_believed(f);
    grow(f, 10);
    assert_not_believed(f);
    cache_change(&f->cache, "open d.org");
    assert_true(wake_later(f));
    assert_true(is_open(f, "d.org"));
    assert_false(is_open(f, "e.org"));
    write_over(f, "newest");
    assert_believed(f);
}

/* The generation is beyond the trusted one, but it has gone back since it was last looked at. */
static void a_file_that_goes_back_twice_is_not_believed(void **state)
{
    struct fixture *f = *state;
    keep_copy(f, "older");
    grow(f, 5);
    assert_believed(f);
    write_over(f, "older");
    assert_not_believed(f);
    grow(f, 10);
    keep_copy(f, "outgrown");
    grow(f, 5);
    assert_not_believed(f);
    write_over(f, "outgrown");
    assert_not_believed(f);
}

static void another_cache_in_place_is_not_believed(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(rename(f->cache.data, beside(&f->cache, "first")), 0);
    cache_change(&f->cache, "open d.org\nopen e.org");
    grow(f, 10);
    keep_copy(f, "other");
    swap_in(f, "first");
    unlink(f->cache.generation); /* it is the other's */
    assert_believed(f);
    write_over(f, "other");
    assert_not_believed(f);
}

/* Back to generation 1 and forward to another 2 while nobody looked. */
static void another_generation_of_the_same_number_is_not_believed(void **state)
{
    struct fixture *f = *state;
    for (int by_rename = 0; by_rename <= 1; by_rename++) {
        keep_copy(f, "older");
        grow(f, 1);
        keep_copy(f, "trusted");
        assert_believed(f);
        uint64_t view = store_reader_view(f->reader);
        uint64_t generation = store_reader_generation(f->reader);
        store_reader_rest(f->reader);
        if (by_rename)
            swap_in(f, "older");
        else
            write_over(f, "older");
        for (unsigned tries = 0; tries < 2; tries++) {
            unlink(f->cache.generation); /* else a writer adds a generation of its own */
            grow(f, 1);
            assert_not_believed(f);
            if (store_reader_generation(f->reader) == generation)
                break;
        }
        assert_int_equal(store_reader_generation(f->reader), generation);
        assert_int_not_equal(store_reader_view(f->reader), view);
        write_over(f, "trusted");
        unlink(f->cache.generation);
        assert_believed(f);
    }
}

static void a_copy_of_the_very_generation_is_believed_in_any_file(void **state)
{
    struct fixture *f = *state;
    grow(f, 2);
    assert_believed(f);
    keep_copy(f, "same");
    write_over(f, "same");
    assert_believed(f);
    swap_in(f, "same");
    assert_believed(f);
    grow(f, 1);
    assert_believed(f);
}

/* Only a reader that stood there knows that a newer one is the same cache's future. */
static void a_newer_copy_in_another_file_is_not_believed(void **state)
{
    struct fixture *f = *state;
    assert_believed(f);
    keep_copy(f, "newer");
    assert_int_equal(rename(f->cache.data, beside(&f->cache, "first")), 0);
    swap_in(f, "newer");
    grow(f, 1);
    assert_not_believed(f);
    swap_in(f, "first");
    assert_believed(f);
}

static void trouble_in_between_changes_nothing_about_trust(void **state)
{
    struct fixture *f = *state;
    keep_copy(f, "older");
    grow(f, 5);
    assert_believed(f);
    swap_in(f, "older");
    assert_not_believed(f);
    assert_int_equal(rename(f->cache.data, beside(&f->cache, "away")), 0);
    assert_trouble(f, "No such file");
    swap_in(f, "away");
    assert_not_believed(f);
}

static void a_file_cut_short_is_trouble_until_it_is_whole_again(void **state)
{
    struct fixture *f = *state;
    grow(f, 3);
    assert_believed(f);
    struct buffer whole = file_bytes(f->cache.data);
    const off_t used = (off_t)whole.length - 1024 * 1024;
    assert_true(used > 2 * PAGE_BYTES);
    for (off_t cut = 0; cut < used; cut += PAGE_BYTES) {
        store_reader_rest(f->reader);
        assert_int_equal(truncate(f->cache.data, cut), 0);
        assert_false(wake(f)); /* at once: not a matter of a second */
        assert_error(f->error, ERROR_TEMPORARY, "cut short");
        assert_trouble(f, "");
        write_bytes(f->cache.data, whole.data, whole.length);
        assert_believed(f);
        assert_serves(f);
    }
    buffer_finish(&whole);
}

static void another_layout_is_trouble_until_it_is_gone(void **state)
{
    struct fixture *f = *state;
    static const char row[49] = {RECORD_LAYOUT_VERSION + 1};
    assert_believed(f);
    keep_copy(f, "good");
    cache_put_raw(&f->cache, TABLE_META, span_of("state"), (struct span){row, sizeof(row)});
    assert_false(wake_later(f));
    assert_error(f->error, ERROR_INVALID, "layout 3");
    assert_false(wake_later(f));
    assert_error(f->error, ERROR_INVALID, "layout 3");
    swap_in(f, "good");
    assert_believed(f);
}

/* ---- as another user: permissions mean nothing to root ---- */

static int lose_the_right_to_read(const void *argument)
{
    struct fixture f = {0};
    memcpy(&f.cache, argument, sizeof(f.cache));
    if (geteuid() == 0)
        must(setresgid(65534, 65534, 65534) == 0 && setresuid(65534, 65534, 65534) == 0);
    clock_ms = 5;
    make_reader(&f);
    must(wake(&f) && store_reader_is_trusted(f.reader) && is_open(&f, "d.org"));
    must(chmod(f.cache.data, 0) == 0);
    must(!wake_later(&f));
    must(strstr(f.error.text, "Permission denied") != NULL);
    must(!wake_later(&f));
    must(chmod(f.cache.data, 0640) == 0);
    must(wake_later(&f) && store_reader_is_trusted(f.reader) && is_open(&f, "d.org"));
    must(chmod(f.cache.directory, 0) == 0);
    must(!wake_later(&f));
    must(strstr(f.error.text, "Permission denied") != NULL);
    must(chmod(f.cache.directory, 0750) == 0);
    must(wake_later(&f) && store_reader_is_trusted(f.reader) && is_open(&f, "d.org"));
    store_reader_destroy(f.reader);
    return 0;
}

static void an_unreadable_file_is_trouble_until_it_is_readable_again(void **state)
{
    struct fixture *f = *state;
    give_away(f);
    assert_int_equal(
        elsewhere_run(&f->cache.elsewhere, lose_the_right_to_read, &f->cache, sizeof(f->cache)), 0);
}

/* ---- the key ring ---- */

static bool opens(struct fixture *f, const char *local)
{
    struct alias_record record;
    struct buffer out = {0};
    assert_int_equal(store_reader_alias(f->reader, "d.org", span_of(local), &record, &f->error),
                     STORE_FOUND);
    bool is_opened =
        store_reader_open_targets(f->reader, "d.org", span_of(local), &record, &out, &f->error);
    if (!is_opened)
        assert_int_equal(out.length, 0);
    buffer_finish(&out);
    return is_opened;
}

#define KEY_THREE "3 77eeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100\n"
#define KEY_TWO   "2 ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100\n"

/* The old ring is kept as "old-keys". */
static void add_key_two(struct fixture *f)
{
    struct buffer ring = file_bytes(f->cache.keys);
    struct buffer longer = {0};
    assert_int_equal(rename(f->cache.keys, beside(&f->cache, "old-keys")), 0);
    buffer_append_text(&longer, KEY_TWO);
    buffer_append(&longer, ring.data, ring.length);
    write_bytes(f->cache.keys, longer.data, longer.length);
    buffer_finish(&ring);
    buffer_finish(&longer);
}

/* Puts a ring with one more key before the others in the place of the key file. */
static void add_key(struct fixture *f, const char *line)
{
    struct buffer ring = file_bytes(f->cache.keys);
    struct buffer longer = {0};
    buffer_append_text(&longer, line);
    buffer_append(&longer, ring.data, ring.length);
    write_bytes(beside(&f->cache, "new-keys"), longer.data, longer.length);
    assert_int_equal(rename(beside(&f->cache, "new-keys"), f->cache.keys), 0);
    buffer_finish(&ring);
    buffer_finish(&longer);
}

/* Two rotations within a second: each time the file is there before the first value needs it. */
static void a_new_key_file_is_read_at_once_when_a_value_needs_it(void **state)
{
    struct fixture *f = *state;
    assert_true(wake(f));
    assert_true(opens(f, "jdoe"));
    add_key(f, KEY_TWO);
    cache_change(&f->cache, "alias d.org second active append new@example.org");
    store_reader_rest(f->reader);
    assert_true(wake(f));
    assert_true(opens(f, "second"));
    add_key(f, KEY_THREE);
    cache_change(&f->cache, "alias d.org third active append new@example.org");
    store_reader_rest(f->reader);
    assert_true(wake(f));
    assert_true(opens(f, "second"));
    assert_true(opens(f, "third"));
    assert_true(opens(f, "jdoe"));
}

/* All in one wake-up, however long it takes: the snapshot has values of both keys. */
static void a_key_that_is_retired_meanwhile_opens_to_the_end_of_the_wake_up(void **state)
{
    struct fixture *f = *state;
    struct buffer ring = file_bytes(f->cache.keys);
    assert_true(wake(f));
    assert_true(opens(f, "jdoe"));
    store_reader_rest(f->reader);
    add_key(f, KEY_TWO);
    cache_change(&f->cache, "alias d.org new active append new@example.org");
    assert_true(wake(f));
    write_bytes(beside(&f->cache, "new-keys"), KEY_TWO, strlen(KEY_TWO));
    assert_int_equal(rename(beside(&f->cache, "new-keys"), f->cache.keys), 0);
    assert_true(opens(f, "new"));
    assert_true(opens(f, "jdoe"));
    store_reader_rest(f->reader);
    assert_true(wake(f));
    assert_true(opens(f, "new"));
    assert_false(opens(f, "jdoe"));
    write_bytes(f->cache.keys, ring.data, ring.length);
    buffer_finish(&ring);
}

static void an_unknown_key_makes_a_same_file_be_read_again_once_a_second_at_most(void **state)
{
    struct fixture *f = *state;
    add_key_two(f);
    cache_change(&f->cache, "alias d.org new active append new@example.org");
    assert_int_equal(rename(beside(&f->cache, "old-keys"), f->cache.keys), 0);
    assert_true(wake_later(f));
    assert_true(opens(f, "jdoe"));
    for (unsigned second = 0; second < 3; second++) {
        unsigned before = keyring_reads;
        clock_ms += 1000;
        for (unsigned i = 0; i < 5; i++) {
            assert_false(opens(f, "new"));
            assert_error(f->error, ERROR_TEMPORARY, "not in the key file");
            assert_true(opens(f, "jdoe")); /* what is known opens all the time */
        }
        clock_ms += 999;
        assert_false(opens(f, "new"));
        assert_int_equal(keyring_reads, before + 1);
        clock_ms -= 999;
    }
}

static void a_key_that_is_in_no_ring_is_trouble(void **state)
{
    struct fixture *f = *state;
    add_key_two(f);
    cache_change(&f->cache, "alias d.org new active append new@example.org");
    assert_int_equal(rename(beside(&f->cache, "old-keys"), f->cache.keys), 0);
    for (unsigned i = 0; i < 3; i++) {
        assert_true(wake_later(f));
        assert_false(opens(f, "new"));
        assert_error(f->error, ERROR_TEMPORARY, "not in the key file");
        assert_true(opens(f, "jdoe"));
    }
}

static void a_ring_that_cannot_be_read_leaves_the_old_one_in_use(void **state)
{
    struct fixture *f = *state;
    assert_true(wake(f));
    assert_true(opens(f, "jdoe"));
    add_key_two(f);
    cache_change(&f->cache, "alias d.org new active append new@example.org");
    assert_int_equal(chmod(f->cache.keys, 0644), 0);
    assert_true(wake_later(f));
    assert_false(opens(f, "new"));
    assert_true(opens(f, "jdoe"));
    unlink(f->cache.keys);
    assert_true(wake_later(f));
    assert_false(opens(f, "new"));
    assert_true(opens(f, "jdoe"));
}

static void without_a_ring_the_text_says_why_each_time(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(rename(f->cache.keys, beside(&f->cache, "away")), 0);
    assert_true(wake(f));
    for (unsigned i = 0; i < 2; i++) {
        assert_false(opens(f, "jdoe"));
        assert_error(f->error, ERROR_TEMPORARY, f->cache.keys);
    }
    assert_int_equal(rename(beside(&f->cache, "away"), f->cache.keys), 0);
    assert_true(opens(f, "jdoe")); /* it is another file than none */
}

static void a_value_moved_to_another_record_is_trouble(void **state)
{
    struct fixture *f = *state;
    struct alias_record record;
    struct buffer out = {0};
    assert_true(wake(f));
    assert_int_equal(store_reader_alias(f->reader, "d.org", span_of("jdoe"), &record, &f->error),
                     STORE_FOUND);
    assert_false(store_reader_open_targets(f->reader, "d.org", span_of("mallory"), &record, &out,
                                           &f->error));
    assert_error(f->error, ERROR_INVALID, "belong to another record");
    record.sealed_targets.length = 0;
    assert_false(
        store_reader_open_targets(f->reader, "d.org", span_of("jdoe"), &record, &out, &f->error));
    assert_int_equal(out.length, 0);
    buffer_finish(&out);
}

/* The file was another ring of the same ids for a while: the right one heals it by itself. */
static void the_right_ring_heals_what_another_could_not_open(void **state)
{
    struct fixture *f = *state;
    struct buffer ring = file_bytes(f->cache.keys);
    char *space = memchr(ring.data, ' ', ring.length);
    assert_non_null(space);
    char flipped = space[1] == '0' ? '1' : '0';
    char right = space[1];
    space[1] = flipped;
    write_bytes(f->cache.keys, ring.data, ring.length);
    assert_true(wake(f));
    assert_true(store_reader_check_keys(f->reader, &f->error));
    assert_false(opens(f, "jdoe"));
    assert_error(f->error, ERROR_INVALID, "broken");
    /* It is told once for all questions since it was last asked. */
    assert_false(opens(f, "jdoe"));
    assert_false(store_reader_check_keys(f->reader, &f->error));
    assert_error(f->error, ERROR_INVALID, "broken");
    assert_true(store_reader_check_keys(f->reader, &f->error));
    space[1] = right;
    write_bytes(f->cache.keys, ring.data, ring.length);
    clock_ms += 1000;
    assert_true(opens(f, "jdoe"));
    assert_true(store_reader_check_keys(f->reader, &f->error));
    buffer_finish(&ring);
}

static void keys_are_checked_before_anybody_asks(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(rename(f->cache.keys, beside(&f->cache, "away")), 0);
    assert_false(store_reader_check_keys(f->reader, &f->error));
    assert_error(f->error, ERROR_TEMPORARY, f->cache.keys);
    assert_false(store_reader_check_keys(f->reader, NULL));
    assert_int_equal(rename(beside(&f->cache, "away"), f->cache.keys), 0);
    clock_ms += 1000;
    assert_true(store_reader_check_keys(f->reader, &f->error));
}

/* Else a server would find it out when it starts again, and answer nothing from then on. */
static void a_key_file_that_goes_is_told_while_its_ring_stays_in_use(void **state)
{
    struct fixture *f = *state;
    assert_true(wake(f));
    assert_true(store_reader_check_keys(f->reader, &f->error));
    assert_int_equal(rename(f->cache.keys, beside(&f->cache, "away")), 0);
    for (unsigned i = 0; i < 2; i++) {
        assert_false(store_reader_check_keys(f->reader, &f->error));
        assert_error(f->error, ERROR_TEMPORARY, f->cache.keys);
        assert_true(opens(f, "jdoe"));
    }
    /* A ring without our key is well, and not taken while the one at hand opens what is asked. */
    write_bytes(f->cache.keys, KEY_TWO, strlen(KEY_TWO));
    assert_true(store_reader_check_keys(f->reader, &f->error));
    assert_true(opens(f, "jdoe"));
}

#define CASE(test)  cmocka_unit_test_setup_teardown(test, setup, teardown)
#define EMPTY(test) cmocka_unit_test_setup_teardown(test, setup_empty, teardown)

int main(void)
{
    if (sodium_init() < 0)
        return 1;
    const struct CMUnitTest tests[] = {
        EMPTY(nothing_is_opened_before_the_first_wake),
        EMPTY(a_cache_that_comes_is_found_within_a_second),
        EMPTY(a_cache_that_is_not_filled_yet_is_found_when_it_is),
        CASE(a_snapshot_holds_until_rest),
        CASE(the_view_changes_with_generations_and_files_only),
        CASE(an_absent_alias_is_absent_and_a_broken_one_is_trouble),
        CASE(the_path_is_looked_at_once_a_second_at_most),
        CASE(a_deleted_file_is_trouble_until_it_is_put_back_by_mv),
        CASE(a_deleted_file_is_trouble_until_it_is_put_back_by_cp),
        CASE(a_directory_that_is_moved_away_and_back_is_believed),
        CASE(a_reader_whose_lock_file_is_gone_opens_again_and_has_a_slot),
        CASE(a_reader_whose_lock_file_was_made_anew_sees_what_comes_after),
        CASE(a_reader_that_can_make_no_lock_file_is_in_trouble),
        CASE(an_older_copy_put_in_place_before_the_start_is_not_believed),
        CASE(another_cache_before_the_start_is_not_believed),
        CASE(another_generation_of_the_same_number_before_the_start_is_not_believed),
        CASE(a_file_that_is_behind_or_absent_is_no_reason_for_distrust),
        CASE(a_malformed_file_is_a_reason_for_distrust),
        CASE(an_unreadable_file_generation_is_a_reason_for_distrust),
        CASE(a_domain_opened_in_an_older_copy_is_open_after_a_restart_too),
        CASE(a_recreated_cache_is_not_believed_until_a_domain_is_opened_in_it),
        CASE(a_cache_awaits_opening_until_what_it_had_open_was_opened_again),
        CASE(a_recreated_cache_seen_only_after_its_deletion_is_not_believed_either),
        CASE(an_older_copy_by_rename_is_not_believed_even_when_it_outgrows_the_old),
        CASE(an_older_copy_in_place_is_not_believed_even_when_it_outgrows_the_old),
        CASE(a_file_that_goes_back_twice_is_not_believed),
        CASE(another_cache_in_place_is_not_believed),
        CASE(another_generation_of_the_same_number_is_not_believed),
        CASE(a_copy_of_the_very_generation_is_believed_in_any_file),
        CASE(a_newer_copy_in_another_file_is_not_believed),
        CASE(trouble_in_between_changes_nothing_about_trust),
        CASE(a_file_cut_short_is_trouble_until_it_is_whole_again),
        CASE(another_layout_is_trouble_until_it_is_gone),
        CASE(an_unreadable_file_is_trouble_until_it_is_readable_again),
        CASE(a_new_key_file_is_read_at_once_when_a_value_needs_it),
        CASE(a_key_that_is_retired_meanwhile_opens_to_the_end_of_the_wake_up),
        CASE(an_unknown_key_makes_a_same_file_be_read_again_once_a_second_at_most),
        CASE(a_key_that_is_in_no_ring_is_trouble),
        CASE(a_ring_that_cannot_be_read_leaves_the_old_one_in_use),
        CASE(without_a_ring_the_text_says_why_each_time),
        CASE(a_value_moved_to_another_record_is_trouble),
        CASE(the_right_ring_heals_what_another_could_not_open),
        CASE(keys_are_checked_before_anybody_asks),
        CASE(a_key_file_that_goes_is_told_while_its_ring_stays_in_use),
    };
    return cmocka_run_group_tests_name("store/reader", tests, NULL, NULL);
}
