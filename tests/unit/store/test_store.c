/* store: how a cache is made and opened, what is refused, and that nothing is ever a SIGBUS. */
#include <sys/file.h>

#include <sodium.h>

#include "cache.h"

struct fixture {
    struct cache cache;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    cache_make(&f->cache);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    cache_remove(&f->cache);
    free(f);
    return 0;
}

/* ---- jobs: try to open, in a process that may die of it ---- */

struct attempt {
    char directory[64];
    enum store_access access;
    bool reads; /* walks through everything after opening */
    /* What is wanted; ERROR_NONE: it opens. */
    enum error_kind kind;
    char words[64];
};

static bool see_alias(void *context, const char *domain, const char *local,
                      const struct alias_record *record)
{
    volatile size_t *bytes = context;
    for (size_t i = 0; i < record->sealed_targets.length; i++)
        *bytes += (unsigned char)record->sealed_targets.data[i];
    return domain != NULL && local != NULL;
}

static int attempt_job(const void *argument)
{
    const struct attempt *attempt = argument;
    struct store *store = NULL;
    struct error error = {0};
    bool is_open = store_open(attempt->directory, attempt->access, LIMIT_BYTES, &store, &error);
    if (is_open && attempt->reads) {
        struct snapshot *snapshot;
        size_t bytes = 0;
        must(snapshot_begin(store, &snapshot, &error));
        must(snapshot_each_alias(snapshot, NULL, see_alias, &bytes, &error));
        must(bytes != 0);
        snapshot_end(snapshot);
    }
    store_close(store);
    if (is_open != (attempt->kind == ERROR_NONE) || error.kind != attempt->kind ||
        strstr(error.text, attempt->words) == NULL) {
        fprintf(stderr, "# opened: %d, error: %s\n", is_open, error.text);
        return 1;
    }
    return 0;
}

/* The wait status of trying in another process; 0: as wanted. */
static int try_open(struct fixture *f, enum store_access access, enum error_kind kind,
                    const char *words)
{
    struct attempt attempt = {.access = access, .kind = kind, .reads = true};
    strcpy(attempt.directory, f->cache.directory);
    strcpy(attempt.words, words);
    return elsewhere_run(&f->cache.elsewhere, attempt_job, &attempt, sizeof(attempt));
}

/* ---- making and modes ---- */

static mode_t mode_of(const char *path)
{
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    return status.st_mode & 07777;
}

static void the_directory_and_its_files_have_their_modes_whatever_the_umask(void **state)
{
    struct fixture *f = *state;
    static const mode_t masks[] = {0, 022, 077};
    for (size_t i = 0; i < ARRAY_LENGTH(masks); i++) {
        struct store *store;
        struct error error;
        mode_t previous = umask(masks[i]);
        bool is_open = store_open(f->cache.directory, STORE_WRITE, LIMIT_BYTES, &store, &error);
        umask(previous);
        if (!is_open)
            fail_msg("umask %03o: %s", masks[i], error.text);
        store_close(store);
        assert_int_equal(mode_of(f->cache.directory), 02750);
        assert_int_equal(mode_of(f->cache.data), 0640);
        assert_int_equal(mode_of(f->cache.lock), 0660);
        unlink(f->cache.data);
        unlink(f->cache.lock);
        assert_int_equal(rmdir(f->cache.directory), 0);
    }
}

static void wrong_modes_of_the_files_are_mended(void **state)
{
    struct fixture *f = *state;
    cache_change(&f->cache, "open d.org");
    assert_int_equal(chmod(f->cache.data, 0666), 0);
    assert_int_equal(chmod(f->cache.lock, 0600), 0);
    cache_change(&f->cache, "open e.org");
    assert_int_equal(mode_of(f->cache.data), 0640);
    assert_int_equal(mode_of(f->cache.lock), 0660);
}

static void a_cache_keeps_its_id_and_another_has_another(void **state)
{
    struct fixture *f = *state;
    char first[33] = "", again[33] = "", other[33] = "";
    char *const ids[] = {first, again, other};
    for (size_t i = 0; i < ARRAY_LENGTH(ids); i++) {
        struct store *store;
        struct snapshot *snapshot;
        struct error error;
        if (i == 2)
            unlink(f->cache.data);
        assert_true(store_open(f->cache.directory, STORE_WRITE, LIMIT_BYTES, &store, &error));
        assert_true(snapshot_begin(store, &snapshot, &error));
        assert_ptr_equal(snapshot_cache_id(snapshot, ids[i]), ids[i]);
        assert_int_equal(snapshot_generation(snapshot), 0);
        snapshot_end(snapshot);
        store_close(store);
    }
    assert_int_equal(strlen(first), 32);
    assert_string_equal(first, again);
    assert_string_not_equal(first, other);
}

static void a_writer_keeps_a_mebibyte_behind_the_last_page(void **state)
{
    struct fixture *f = *state;
    struct stat status;
    cache_change(&f->cache, "open d.org");
    cache_change(&f->cache, "open e.org");
    struct store *store;
    struct snapshot *snapshot;
    struct error error;
    assert_true(store_open(f->cache.directory, STORE_READ, LIMIT_BYTES, &store, &error));
    assert_true(snapshot_begin(store, &snapshot, &error));
    assert_int_equal(stat(f->cache.data, &status), 0);
    uint64_t used = snapshot_used_bytes(snapshot);
    /* A changeset may have taken a few pages since it looked. */
    assert_in_range((uint64_t)status.st_size - used, 1024 * 1024 - 16 * 4096, 1024 * 1024);
    assert_true(status.st_blocks * 512 >= status.st_size); /* not a hole: a full disk shows now */
    snapshot_end(snapshot);
    store_close(store);
}

/* ---- what is not a cache ---- */

static void a_reader_makes_nothing(void **state)
{
    struct fixture *f = *state;
    struct stat status;
    assert_int_equal(try_open(f, STORE_READ, ERROR_TEMPORARY, "no cache at"), 0);
    assert_int_equal(stat(f->cache.directory, &status), -1);
    assert_int_equal(mkdir(f->cache.directory, 0750), 0);
    assert_int_equal(try_open(f, STORE_READ, ERROR_TEMPORARY, "No such file"), 0);
    assert_int_equal(stat(f->cache.data, &status), -1);
    assert_int_equal(stat(f->cache.lock, &status), -1);
}

static void a_writer_without_a_place_is_refused(void **state)
{
    struct fixture *f = *state;
    struct store *store;
    struct error error;
    assert_false(store_open("/nonexistent/cache", STORE_WRITE, LIMIT_BYTES, &store, &error));
    assert_error(error, ERROR_TEMPORARY, "cannot make cache directory /nonexistent/cache");
    write_bytes(f->cache.directory, "a file", 6);
    assert_false(store_open(f->cache.directory, STORE_WRITE, LIMIT_BYTES, &store, &error));
    assert_error(error, ERROR_TEMPORARY, f->cache.directory);
}

static void an_empty_file_is_no_cache_to_a_reader_and_a_new_one_to_a_writer(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(mkdir(f->cache.directory, 0750), 0);
    write_bytes(f->cache.data, "", 0);
    assert_int_equal(try_open(f, STORE_READ, ERROR_TEMPORARY, "cannot open the cache"), 0);
    cache_change(&f->cache, "alias d.org jdoe active append a@x.org");
    assert_int_equal(try_open(f, STORE_READ, ERROR_NONE, ""), 0);
}

static void garbage_is_refused_by_reader_and_writer_and_left_alone(void **state)
{
    struct fixture *f = *state;
    static char garbage[70000];
    static const size_t sizes[] = {1, 100, 4096, 8192, 65536, 70000};
    assert_int_equal(mkdir(f->cache.directory, 0750), 0);
    for (unsigned fill = 0; fill < 3; fill++)
        for (size_t i = 0; i < ARRAY_LENGTH(sizes); i++) {
            if (fill == 2)
                randombytes_buf(garbage, sizeof(garbage));
            else
                memset(garbage, fill == 0 ? 0 : 'x', sizeof(garbage));
            write_bytes(f->cache.data, garbage, sizes[i]);
            assert_int_equal(try_open(f, STORE_READ, ERROR_TEMPORARY, "cannot open the cache"), 0);
            assert_int_equal(try_open(f, STORE_WRITE, ERROR_TEMPORARY, "cannot open the cache"), 0);
            struct buffer after = file_bytes(f->cache.data);
            assert_int_equal(after.length, sizes[i]);
            assert_memory_equal(after.data, garbage, sizes[i]);
            buffer_finish(&after);
        }
}

static int make_other_environment(const void *argument)
{
    MDB_env *environment;
    MDB_txn *transaction;
    MDB_dbi table;
    MDB_val key = {3, "key"}, value = {5, "value"};
    must(mdb_env_create(&environment) == 0);
    must(mdb_env_open(environment, argument, 0, 0640) == 0);
    must(mdb_txn_begin(environment, NULL, 0, &transaction) == 0);
    must(mdb_dbi_open(transaction, NULL, 0, &table) == 0);
    must(mdb_put(transaction, table, &key, &value, 0) == 0);
    must(mdb_txn_commit(transaction) == 0);
    mdb_env_close(environment);
    return 0;
}

static void somebody_elses_lmdb_file_is_not_filled_yet(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(mkdir(f->cache.directory, 0750), 0);
    assert_int_equal(elsewhere_run(&f->cache.elsewhere, make_other_environment, f->cache.directory,
                                   sizeof(f->cache.directory)),
                     0);
    assert_int_equal(try_open(f, STORE_READ, ERROR_TEMPORARY, "not filled yet"), 0);
}

/* ---- another layout ---- */

static int make_other_layout(const void *argument)
{
    struct store *store;
    struct error error;
    MDB_txn *transaction;
    MDB_val key = {5, "state"}, old = {0};
    must(store_open(argument, STORE_WRITE, LIMIT_BYTES, &store, &error));
    must(mdb_txn_begin(store->environment, NULL, 0, &transaction) == 0);
    must(mdb_get(transaction, store->tables[TABLE_META], &key, &old) == 0);
    char bytes[64];
    must(old.mv_size == 1 + 16 + 16 + 8 + 8);
    memcpy(bytes, old.mv_data, old.mv_size);
    bytes[0] = RECORD_LAYOUT_VERSION + 1;
    MDB_val value = {old.mv_size, bytes};
    must(mdb_put(transaction, store->tables[TABLE_META], &key, &value, 0) == 0);
    /* And it has fewer tables, as an older release would. */
    must(mdb_drop(transaction, store->tables[TABLE_RUN], 1) == 0);
    must(mdb_txn_commit(transaction) == 0);
    store_close(store);
    return 0;
}

static int count_tables(const void *argument)
{
    MDB_env *environment;
    MDB_txn *transaction;
    MDB_dbi table;
    MDB_stat stat;
    must(mdb_env_create(&environment) == 0);
    must(mdb_env_open(environment, argument, MDB_RDONLY, 0640) == 0);
    must(mdb_txn_begin(environment, NULL, MDB_RDONLY, &transaction) == 0);
    must(mdb_dbi_open(transaction, NULL, 0, &table) == 0);
    must(mdb_stat(transaction, table, &stat) == 0);
    mdb_txn_abort(transaction);
    mdb_env_close(environment);
    return (int)stat.ms_entries;
}

static void another_layout_is_refused_and_left_alone(void **state)
{
    struct fixture *f = *state;
    cache_change(&f->cache, "alias d.org jdoe active append a@x.org");
    assert_int_equal(elsewhere_run(&f->cache.elsewhere, make_other_layout, f->cache.directory, 64),
                     0);
    assert_int_equal(try_open(f, STORE_WRITE, ERROR_INVALID, "has layout 3; this release reads"),
                     0);
    int status = elsewhere_run(&f->cache.elsewhere, count_tables, f->cache.directory, 64);
    assert_int_equal(WEXITSTATUS(status), TABLE_COUNT - 1);
}

static void a_reader_refuses_another_layout(void **state)
{
    struct fixture *f = *state;
    cache_change(&f->cache, "alias d.org jdoe active append a@x.org");
    char row[49] = {RECORD_LAYOUT_VERSION + 1};
    cache_put_raw(&f->cache, TABLE_META, span_of("state"), (struct span){row, sizeof(row)});
    assert_int_equal(try_open(f, STORE_READ, ERROR_INVALID, "layout 3"), 0);
    row[0] = RECORD_LAYOUT_VERSION;
    struct span rows[] = {{row, 0}, {row, 48}};
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        unlink(f->cache.data);
        cache_change(&f->cache, "alias d.org jdoe active append a@x.org");
        cache_put_raw(&f->cache, TABLE_META, span_of("state"), rows[i]);
        assert_int_equal(try_open(f, STORE_READ, ERROR_INVALID, "layout"), 0);
    }
}

/* ---- a file that was cut short ---- */

static void fill_a_little(struct fixture *f)
{
    struct buffer lines = {0};
    for (unsigned i = 0; i < 16; i++) {
        buffer_clear(&lines);
        for (unsigned row = 0; row < 20; row++)
            buffer_appendf(&lines, "alias d.org n%u-%u active append somebody-%u@example.org\n", i,
                           row, row);
        cache_change(&f->cache, buffer_text(&lines));
    }
    buffer_finish(&lines);
}

/* How many bytes the pages of the cache take, without the tail. */
static off_t used_bytes(struct fixture *f)
{
    struct store *store;
    struct error error;
    assert_true(store_open(f->cache.directory, STORE_READ, LIMIT_BYTES, &store, &error));
    off_t bytes = (off_t)environment_used_bytes(store);
    store_close(store);
    return bytes;
}

static void a_file_cut_anywhere_is_refused_and_never_a_sigbus(void **state)
{
    struct fixture *f = *state;
    fill_a_little(f);
    const off_t used = used_bytes(f);
    struct buffer whole = file_bytes(f->cache.data);
    assert_true(used > 16 * PAGE_BYTES);
    for (off_t cut = 0; cut < used; cut += PAGE_BYTES)
        for (off_t extra = 0; extra <= 200; extra += 200) {
            write_bytes(f->cache.data, whole.data, (size_t)(cut + extra));
            const char *words = cut < 2 * PAGE_BYTES ? "" : "it was cut short";
            if (try_open(f, STORE_READ, ERROR_TEMPORARY, words) != 0)
                fail_msg("a reader took a file cut at %ld", (long)(cut + extra));
            if (cut + extra != 0 && try_open(f, STORE_WRITE, ERROR_TEMPORARY, words) != 0)
                fail_msg("a writer took a file cut at %ld", (long)(cut + extra));
        }
    /* Without its tail it is whole, and the next writer gives it a new tail. */
    write_bytes(f->cache.data, whole.data, (size_t)used);
    assert_int_equal(try_open(f, STORE_READ, ERROR_NONE, ""), 0);
    cache_change(&f->cache, "open d.org");
    struct stat status;
    assert_int_equal(stat(f->cache.data, &status), 0);
    assert_true(status.st_size >= used + 1024 * 1024);
    buffer_finish(&whole);
}

struct cut {
    char directory[64];
    char data[80];
    off_t at;
};

static bool plan_open(void *context, struct snapshot *snapshot, struct changeset *changeset,
                      struct error *error)
{
    struct domain_record record = {.is_open = true, .team = span_of("team")};
    (void)context, (void)snapshot, (void)error;
    changeset_put_domain(changeset, "new.example", &record);
    return true;
}

static int cut_while_open(const void *argument)
{
    const struct cut *cut = argument;
    struct store *store;
    struct snapshot *snapshot;
    struct store_update_result result;
    struct error error;
    must(store_open(cut->directory, STORE_WRITE, LIMIT_BYTES, &store, &error));
    must(truncate(cut->data, cut->at) == 0);
    must(!snapshot_begin(store, &snapshot, &error));
    must(error.kind == ERROR_TEMPORARY && strstr(error.text, "cut short") != NULL);
    must(!store_update(store, plan_open, NULL, &result, &error));
    must(error.kind == ERROR_TEMPORARY && strstr(error.text, "cut short") != NULL);
    must(!store_note_runs(store, NULL, 0, &error));
    must(error.kind == ERROR_TEMPORARY && strstr(error.text, "cut short") != NULL);
    store_close(store);
    return 0;
}

static void a_file_cut_while_it_is_open_is_refused_and_never_a_sigbus(void **state)
{
    struct fixture *f = *state;
    fill_a_little(f);
    const off_t used = used_bytes(f);
    struct buffer whole = file_bytes(f->cache.data);
    struct cut cut = {.at = 0};
    strcpy(cut.directory, f->cache.directory);
    strcpy(cut.data, f->cache.data);
    for (; cut.at < used; cut.at += PAGE_BYTES) {
        write_bytes(f->cache.data, whole.data, whole.length);
        int status = elsewhere_run(&f->cache.elsewhere, cut_while_open, &cut, sizeof(cut));
        if (status != 0)
            fail_msg("cut at %ld: status %x", (long)cut.at, status);
    }
    buffer_finish(&whole);
}

/* ---- a writer whose file was changed under it ---- */

enum swap {
    SWAP_DELETED,
    SWAP_OTHER_BY_RENAME,
    SWAP_COPY_BY_RENAME,
    SWAP_OTHER_IN_PLACE,
    SWAP_OLDER_IN_PLACE,
    SWAP_SAME_GENERATION_IN_PLACE, /* it went back, and then forward in another way */
    SWAP_LOCK_DELETED,
    SWAP_LOCK_MADE_ANEW,
    SWAP_COUNT,
};

/* Files beside the cache: "other" (another cache), "older", "forked". */
static void swap(const struct cache *cache, enum swap kind)
{
    switch (kind) {
    case SWAP_DELETED:
        unlink(cache->data);
        break;
    case SWAP_OTHER_BY_RENAME:
        copy_file(beside(cache, "other"), beside(cache, "swapped"));
        rename(beside(cache, "swapped"), cache->data);
        break;
    case SWAP_COPY_BY_RENAME:
        copy_file(cache->data, beside(cache, "swapped"));
        rename(beside(cache, "swapped"), cache->data);
        break;
    case SWAP_OTHER_IN_PLACE:
        copy_file(beside(cache, "other"), cache->data);
        break;
    case SWAP_OLDER_IN_PLACE:
        copy_file(beside(cache, "older"), cache->data);
        break;
    case SWAP_SAME_GENERATION_IN_PLACE:
        copy_file(beside(cache, "forked"), cache->data);
        break;
    case SWAP_LOCK_DELETED:
        unlink(cache->lock);
        break;
    case SWAP_LOCK_MADE_ANEW:
        copy_file(cache->lock, beside(cache, "swapped"));
        rename(beside(cache, "swapped"), cache->lock);
        break;
    case SWAP_COUNT:
        break;
    }
}

static const char *const swap_words[SWAP_COUNT] = {
    [SWAP_DELETED] = "No such file",
    [SWAP_OTHER_BY_RENAME] = "another file",
    [SWAP_COPY_BY_RENAME] = "another file",
    [SWAP_OTHER_IN_PLACE] = "another cache",
    [SWAP_OLDER_IN_PLACE] = "gone back from generation",
    [SWAP_SAME_GENERATION_IN_PLACE] = "gone back from generation 8 to another 8",
    [SWAP_LOCK_DELETED] = "lock.mdb: No such file",
    [SWAP_LOCK_MADE_ANEW] = "lock.mdb is another file",
};

/* Where in the writer's life the file is swapped. */
enum moment {
    BEFORE_UPDATE,
    IN_FIRST_PLAN,
    IN_THIRD_PLAN, /* inside the write transaction */
};

struct swapping {
    struct cache cache;
    enum swap kind;
    enum moment moment;
    unsigned calls;
};

static bool plan_and_swap(void *context, struct snapshot *snapshot, struct changeset *changeset,
                          struct error *error)
{
    struct swapping *swapping = context;
    swapping->calls++;
    if (swapping->moment == IN_FIRST_PLAN && swapping->calls == 1)
        swap(&swapping->cache, swapping->kind);
    if (swapping->moment == IN_THIRD_PLAN && swapping->calls < 3)
        must(cache_change_status(&swapping->cache, "close moved.example") == 0);
    if (swapping->moment == IN_THIRD_PLAN && swapping->calls == 3)
        swap(&swapping->cache, swapping->kind);
    return plan_open(NULL, snapshot, changeset, error);
}

static int swap_under_a_writer(const void *argument)
{
    struct swapping swapping;
    struct store *store;
    struct store_update_result result;
    struct error error = {0};
    memcpy(&swapping, argument, sizeof(swapping));
    elsewhere_start(&swapping.cache.elsewhere);
    must(store_open(swapping.cache.directory, STORE_WRITE, LIMIT_BYTES, &store, &error));
    if (swapping.moment == BEFORE_UPDATE)
        swap(&swapping.cache, swapping.kind);
    bool is_written = store_update(store, plan_and_swap, &swapping, &result, &error);
    if (is_written || error.kind != ERROR_TEMPORARY ||
        strstr(error.text, swap_words[swapping.kind]) == NULL) {
        fprintf(stderr, "# swap %d, moment %d: written %d, %s\n", swapping.kind, swapping.moment,
                is_written, error.text);
        return 1;
    }
    must(swapping.moment == BEFORE_UPDATE ? swapping.calls <= 1 : swapping.calls != 0);
    struct store_run_row row = {"d.org", {.outcome = RUN_APPLIED}};
    must(!store_note_runs(store, &row, 1, &error));
    store_close(store);
    elsewhere_stop(&swapping.cache.elsewhere);
    return 0;
}

/* Generation 8 in the cache, 6 in "older", another 8 with the same past in "forked". */
static void make_swaps(struct fixture *f)
{
    for (unsigned i = 1; i <= 8; i++) {
        cache_change(&f->cache, "open d.org");
        if (i == 6)
            copy_file(f->cache.data, beside(&f->cache, "older"));
    }
    rename(f->cache.data, beside(&f->cache, "eighth"));
    /* Else the writers would close the domains of what they find. */
    unlink(f->cache.generation);
    copy_file(beside(&f->cache, "older"), f->cache.data);
    cache_change(&f->cache, "open d.org");
    cache_change(&f->cache, "open d.org");
    rename(f->cache.data, beside(&f->cache, "forked"));
    unlink(f->cache.generation);
    for (unsigned i = 1; i <= 20; i++)
        cache_change(&f->cache, "open other.example");
    rename(f->cache.data, beside(&f->cache, "other"));
    unlink(f->cache.generation);
}

static void a_writer_refuses_a_file_that_changed_under_it(void **state)
{
    struct fixture *f = *state;
    make_swaps(f);
    for (enum moment moment = BEFORE_UPDATE; moment <= IN_THIRD_PLAN; moment++)
        for (enum swap kind = 0; kind < SWAP_COUNT; kind++) {
            /* What is overwritten inside the write transaction itself nobody can find. */
            if (moment == IN_THIRD_PLAN && kind >= SWAP_OTHER_IN_PLACE &&
                kind <= SWAP_SAME_GENERATION_IN_PLACE)
                continue;
            unlink(f->cache.lock);
            unlink(f->cache.data);
            unlink(f->cache.generation);
            copy_file(beside(&f->cache, "eighth"), f->cache.data);
            struct swapping swapping = {f->cache, kind, moment, 0};
            int status = elsewhere_run(&f->cache.elsewhere, swap_under_a_writer, &swapping,
                                       sizeof(swapping));
            if (status != 0)
                fail_msg("swap %d, moment %d: status %x", kind, moment, status);
        }
}

static bool plan_and_fork(void *context, struct snapshot *snapshot, struct changeset *changeset,
                          struct error *error)
{
    struct swapping *swapping = context;
    must(snapshot_generation(snapshot) == 8);
    if (++swapping->calls == 1)
        swap(&swapping->cache, SWAP_SAME_GENERATION_IN_PLACE);
    return plan_open(NULL, snapshot, changeset, error);
}

/* Opened at 6, so that either 8 goes on from there; but it planned for one of them. */
static int fork_under_a_plan(const void *argument)
{
    struct swapping swapping;
    struct store *store;
    struct store_update_result result;
    struct error error;
    memcpy(&swapping, argument, sizeof(swapping));
    elsewhere_start(&swapping.cache.elsewhere);
    must(store_open(swapping.cache.directory, STORE_WRITE, LIMIT_BYTES, &store, &error));
    for (unsigned i = 7; i <= 8; i++)
        must(cache_change_status(&swapping.cache, "close moved.example") == 0);
    must(store_update(store, plan_and_fork, &swapping, &result, &error));
    must(swapping.calls == 2 && result.attempts == 2 && result.generation == 9);
    store_close(store);
    elsewhere_stop(&swapping.cache.elsewhere);
    return 0;
}

static void a_plan_for_another_generation_of_the_same_number_is_made_again(void **state)
{
    struct fixture *f = *state;
    make_swaps(f);
    unlink(f->cache.lock);
    copy_file(beside(&f->cache, "older"), f->cache.data);
    struct swapping swapping = {.cache = f->cache};
    assert_int_equal(
        elsewhere_run(&f->cache.elsewhere, fork_under_a_plan, &swapping, sizeof(swapping)), 0);
}

/* ---- the file "generation" ---- */

struct heard {
    char acts[256];
    char detail[128];
};

static bool hear_event(void *context, uint64_t sequence, const struct event_record *record)
{
    struct heard *heard = context;
    (void)sequence;
    strncat(heard->acts, record->act.data, record->act.length);
    strcat(heard->acts, ";");
    snprintf(heard->detail, sizeof(heard->detail), "%.*s", (int)record->detail.length,
             record->detail.data);
    assert_memory_equal(record->actor.data, "lpalias", strlen("lpalias"));
    assert_int_equal(record->domain.length, 0);
    assert_true(record->at_s > 1000000000);
    return true;
}

static bool count_open(void *context, const char *domain, const struct domain_record *record)
{
    unsigned *count = context;
    *count += record->is_open;
    return domain != NULL;
}

/* After a writer has opened the cache and changed nothing. */
static void assert_settled(struct fixture *f, uint64_t generation, unsigned open_domains,
                           const char *acts, const char *detail)
{
    struct store *store;
    struct snapshot *snapshot;
    struct error error;
    struct heard heard = {0};
    unsigned count = 0;
    if (!store_open(f->cache.directory, STORE_WRITE, LIMIT_BYTES, &store, &error))
        fail_msg("%s", error.text);
    assert_true(snapshot_begin(store, &snapshot, &error));
    assert_int_equal(snapshot_generation(snapshot), generation);
    assert_true(snapshot_each_domain(snapshot, count_open, &count, &error));
    assert_int_equal(count, open_domains);
    assert_true(snapshot_each_event(snapshot, hear_event, &heard, &error));
    assert_string_equal(heard.acts, acts);
    assert_string_equal(heard.detail, detail);
    snapshot_end(snapshot);
    store_close(store);
}

/* Three generations; "older" is the first of them, with two open domains. */
static void make_past(struct fixture *f)
{
    cache_change(&f->cache, "open d.org\nopen e.org\nclose f.org");
    copy_file(f->cache.data, beside(&f->cache, "older"));
    cache_change(&f->cache, "open f.org");
    cache_change(&f->cache, "close f.org");
}

static void each_generation_is_written_beside_the_data(void **state)
{
    struct fixture *f = *state;
    struct store *store;
    struct snapshot *snapshot;
    struct error error;
    char id[33];
    make_past(f);
    struct buffer text = file_bytes(f->cache.generation);
    assert_true(store_open(f->cache.directory, STORE_READ, LIMIT_BYTES, &store, &error));
    assert_true(snapshot_begin(store, &snapshot, &error));
    assert_memory_equal(text.data, snapshot_cache_id(snapshot, id), 32);
    assert_memory_equal(text.data + 32, " 3 ", 3);
    snapshot_end(snapshot);
    store_close(store);
    buffer_finish(&text);
    assert_int_equal(mode_of(f->cache.generation), 0640);
    assert_settled(f, 3, 2, "", "");
}

static void a_writer_closes_all_domains_of_an_older_copy_once(void **state)
{
    struct fixture *f = *state;
    make_past(f);
    rename(beside(&f->cache, "older"), f->cache.data);
    for (unsigned i = 0; i < 2; i++)
        assert_settled(f, 2, 0, "cache.went-back;", "generation 3 was written before, now it is 1");
    cache_change(&f->cache, "open d.org");
    assert_settled(f, 3, 1, "cache.went-back;", "generation 3 was written before, now it is 1");
}

static void a_writer_closes_all_domains_of_another_history_and_another_cache(void **state)
{
    struct fixture *f = *state;
    make_past(f);
    copy_file(f->cache.generation, beside(&f->cache, "note"));
    rename(beside(&f->cache, "older"), f->cache.data);
    unlink(f->cache.generation);
    cache_change(&f->cache, "open f.org");
    cache_change(&f->cache, "close f.org");
    copy_file(beside(&f->cache, "note"), f->cache.generation);
    assert_settled(f, 4, 0, "cache.went-back;",
                   "generation 3 was written before, now it is another 3");
    unlink(f->cache.data);
    unlink(f->cache.generation);
    cache_change(&f->cache, "open d.org");
    copy_file(beside(&f->cache, "note"), f->cache.generation);
    assert_settled(f, 2, 0, "cache.went-back;", "another cache than before");
}

static void a_writer_closes_all_domains_beside_a_malformed_file(void **state)
{
    struct fixture *f = *state;
    make_past(f);
    write_bytes(f->cache.generation, "", 0);
    assert_settled(f, 4, 0, "cache.went-back;", "the file \"generation\" is malformed");
}

static void a_writer_that_cannot_read_the_file_is_refused(void **state)
{
    struct fixture *f = *state;
    make_past(f);
    unlink(f->cache.generation);
    assert_int_equal(mkdir(f->cache.generation, 0750), 0);
    assert_int_equal(try_open(f, STORE_WRITE, ERROR_TEMPORARY, "/generation"), 0);
    assert_int_equal(rmdir(f->cache.generation), 0);
    assert_settled(f, 3, 2, "", "");
}

struct unwritable {
    char directory[64];
    char generation[80];
};

static int change_beside_an_unwritable_file(const void *argument)
{
    const struct unwritable *unwritable = argument;
    struct store *store;
    struct store_update_result result;
    struct error error;
    must(store_open(unwritable->directory, STORE_WRITE, LIMIT_BYTES, &store, &error));
    must(mkdir(unwritable->generation, 0750) == 0);
    must(store_update(store, plan_open, NULL, &result, &error) && result.changed);
    store_close(store);
    return 0;
}

static void a_change_does_not_fail_for_the_file_and_leaves_nothing_behind(void **state)
{
    struct fixture *f = *state;
    struct unwritable unwritable = {0};
    strcpy(unwritable.directory, f->cache.directory);
    strcpy(unwritable.generation, f->cache.generation);
    assert_int_equal(elsewhere_run(&f->cache.elsewhere, change_beside_an_unwritable_file,
                                   &unwritable, sizeof(unwritable)),
                     0);
    assert_int_equal(rmdir(f->cache.generation), 0);
    unlink(f->cache.data);
    unlink(f->cache.lock);
    assert_int_equal(rmdir(f->cache.directory), 0);
}

/* ---- records nobody can read ---- */

static void a_record_that_cannot_be_understood_is_trouble_and_not_absence(void **state)
{
    struct fixture *f = *state;
    struct store *store;
    struct snapshot *snapshot;
    struct error error;
    struct alias_record alias;
    struct person_record person;
    struct membership_record membership;
    struct domain_record domain;
    struct run_record run;
    static const char pair[] = "d.org\0jdoe";
    const struct span pair_key = {pair, sizeof(pair) - 1};
    cache_change(&f->cache, "open e.org");
    cache_put_raw(&f->cache, TABLE_ALIAS, pair_key, span_of("\2new"));
    cache_put_raw(&f->cache, TABLE_PERSON, span_of("jdoe"), span_of("\2new"));
    cache_put_raw(&f->cache, TABLE_MEMBERSHIP, pair_key, span_of("\2new"));
    cache_put_raw(&f->cache, TABLE_DOMAIN, span_of("d.org"), span_of("\2new"));
    cache_put_raw(&f->cache, TABLE_RUN, span_of("d.org"), span_of("\2new"));
    assert_true(store_open(f->cache.directory, STORE_READ, LIMIT_BYTES, &store, &error));
    assert_true(snapshot_begin(store, &snapshot, &error));
    assert_int_equal(snapshot_alias(snapshot, "d.org", span_of("jdoe"), &alias, &error),
                     STORE_TROUBLE);
    assert_error(error, ERROR_TEMPORARY, "\"alias\"");
    assert_int_equal(snapshot_person(snapshot, "jdoe", &person, &error), STORE_TROUBLE);
    assert_error(error, ERROR_TEMPORARY, "\"person\"");
    assert_int_equal(snapshot_membership(snapshot, "d.org", "jdoe", &membership, &error),
                     STORE_TROUBLE);
    assert_error(error, ERROR_TEMPORARY, "\"membership\"");
    assert_int_equal(snapshot_domain(snapshot, "d.org", &domain, &error), STORE_TROUBLE);
    assert_error(error, ERROR_TEMPORARY, "\"domain\"");
    assert_int_equal(snapshot_run(snapshot, "d.org", &run, &error), STORE_TROUBLE);
    assert_error(error, ERROR_TEMPORARY, "\"run\"");
    size_t bytes = 0;
    assert_false(snapshot_each_alias(snapshot, NULL, see_alias, &bytes, &error));
    assert_error(error, ERROR_TEMPORARY, "\"alias\"");
    /* Names that no key can be are absent. */
    char name[600];
    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    assert_int_equal(snapshot_alias(snapshot, "d.org", span_of(name), &alias, &error),
                     STORE_ABSENT);
    assert_int_equal(snapshot_person(snapshot, "", &person, &error), STORE_ABSENT);
    assert_int_equal(snapshot_domain(snapshot, name, &domain, &error), STORE_ABSENT);
    assert_true(snapshot_each_alias(snapshot, name, see_alias, &bytes, &error));
    snapshot_end(snapshot);
    store_close(store);
}

/* ---- one refresh at a time ---- */

static int try_refresh_lock(const void *argument)
{
    struct error error;
    int fd;
    if (store_lock_refresh(argument, &fd, &error))
        return 1;
    must(error.kind == ERROR_BUSY);
    return 2;
}

static int die_with_refresh_lock(const void *argument)
{
    struct error error;
    int fd;
    must(store_lock_refresh(argument, &fd, &error));
    kill(getpid(), SIGKILL);
    return 0;
}

static void one_process_at_a_time_refreshes(void **state)
{
    struct fixture *f = *state;
    struct error error;
    int fd = -1;
    assert_true(store_lock_refresh(f->cache.directory, &fd, &error));
    assert_int_equal(mode_of(f->cache.directory), 02750);
    assert_int_equal(
        WEXITSTATUS(elsewhere_run(&f->cache.elsewhere, try_refresh_lock, f->cache.directory, 64)),
        2);
    close(fd);
    assert_true(WIFSIGNALED(
        elsewhere_run(&f->cache.elsewhere, die_with_refresh_lock, f->cache.directory, 64)));
    assert_int_equal(
        WEXITSTATUS(elsewhere_run(&f->cache.elsewhere, try_refresh_lock, f->cache.directory, 64)),
        1);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    if (sodium_init() < 0)
        return 1;
    const struct CMUnitTest tests[] = {
        CASE(the_directory_and_its_files_have_their_modes_whatever_the_umask),
        CASE(wrong_modes_of_the_files_are_mended),
        CASE(a_cache_keeps_its_id_and_another_has_another),
        CASE(a_writer_keeps_a_mebibyte_behind_the_last_page),
        CASE(a_reader_makes_nothing),
        CASE(a_writer_without_a_place_is_refused),
        CASE(an_empty_file_is_no_cache_to_a_reader_and_a_new_one_to_a_writer),
        CASE(garbage_is_refused_by_reader_and_writer_and_left_alone),
        CASE(somebody_elses_lmdb_file_is_not_filled_yet),
        CASE(another_layout_is_refused_and_left_alone),
        CASE(a_reader_refuses_another_layout),
        CASE(a_file_cut_anywhere_is_refused_and_never_a_sigbus),
        CASE(a_file_cut_while_it_is_open_is_refused_and_never_a_sigbus),
        CASE(a_writer_refuses_a_file_that_changed_under_it),
        CASE(a_plan_for_another_generation_of_the_same_number_is_made_again),
        CASE(each_generation_is_written_beside_the_data),
        CASE(a_writer_closes_all_domains_of_an_older_copy_once),
        CASE(a_writer_closes_all_domains_of_another_history_and_another_cache),
        CASE(a_writer_closes_all_domains_beside_a_malformed_file),
        CASE(a_writer_that_cannot_read_the_file_is_refused),
        CASE(a_change_does_not_fail_for_the_file_and_leaves_nothing_behind),
        CASE(a_record_that_cannot_be_understood_is_trouble_and_not_absence),
        CASE(one_process_at_a_time_refreshes),
    };
    return cmocka_run_group_tests_name("store/store", tests, NULL, NULL);
}
