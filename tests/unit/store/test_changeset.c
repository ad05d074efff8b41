/* changeset and store_update: one generation a changeset, all of it or nothing, whoever dies. */
#include "cache.h"

/* ---- LMDB's writes, so that a test can act or die between two of them ---- */

int __real_mdb_put(MDB_txn *txn, MDB_dbi dbi, MDB_val *key, MDB_val *data, unsigned flags);
int __wrap_mdb_put(MDB_txn *txn, MDB_dbi dbi, MDB_val *key, MDB_val *data, unsigned flags);
int __real_mdb_txn_commit(MDB_txn *txn);
int __wrap_mdb_txn_commit(MDB_txn *txn);

static int points_to_live = -1; /* -1: for ever */
static void (*after_commit)(void);

static void pass_point(void)
{
    if (points_to_live >= 0 && points_to_live-- == 0)
        kill(getpid(), SIGKILL);
}

int __wrap_mdb_put(MDB_txn *txn, MDB_dbi dbi, MDB_val *key, MDB_val *data, unsigned flags)
{
    pass_point();
    return __real_mdb_put(txn, dbi, key, data, flags);
}

int __wrap_mdb_txn_commit(MDB_txn *txn)
{
    pass_point();
    int code = __real_mdb_txn_commit(txn);
    pass_point();
    if (after_commit != NULL)
        after_commit();
    return code;
}

/* ---- fixture ---- */

struct fixture {
    struct cache cache;
    struct store *store;
};

static struct fixture *current; /* for hooks without a context */

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct error error;
    cache_make(&f->cache);
    if (!store_open(f->cache.directory, STORE_WRITE, LIMIT_BYTES, &f->store, &error))
        fail_msg("%s", error.text);
    current = f;
    after_commit = NULL;
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    store_close(f->store);
    cache_remove(&f->cache);
    free(f);
    return 0;
}

static struct snapshot *begin(struct store *store)
{
    struct snapshot *snapshot = NULL;
    struct error error;
    if (!snapshot_begin(store, &snapshot, &error))
        fail_msg("%s", error.text);
    return snapshot;
}

static uint64_t generation_of(struct store *store)
{
    struct snapshot *snapshot = begin(store);
    uint64_t generation = snapshot_generation(snapshot);
    snapshot_end(snapshot);
    return generation;
}

static struct store_update_result update(struct store *store, changeset_plan *plan, void *context)
{
    struct store_update_result result;
    struct error error;
    if (!store_update(store, plan, context, &result, &error))
        fail_msg("%s", error.text);
    return result;
}

static const struct alias_record pending = {
    .kind = ALIAS_MEMBER,
    .state = ALIAS_PENDING,
    .extension = EXTENSION_APPEND,
};

static struct alias_record alias_since(int64_t since_s)
{
    struct alias_record record = pending;
    record.since_s = since_s;
    return record;
}

/* -1: there is no such alias. */
static int64_t since_of(struct store *store, const char *local)
{
    struct snapshot *snapshot = begin(store);
    struct alias_record record;
    struct error error;
    enum store_result result = snapshot_alias(snapshot, "d.org", span_of(local), &record, &error);
    int64_t since_s = result == STORE_FOUND ? record.since_s : -1;
    assert_int_not_equal(result, STORE_TROUBLE);
    snapshot_end(snapshot);
    return since_s;
}

/* ---- generations ---- */

static bool plan_one(void *context, struct snapshot *snapshot, struct changeset *changeset,
                     struct error *error)
{
    (void)snapshot, (void)error;
    struct alias_record record = alias_since(*(int64_t *)context);
    changeset_put_alias(changeset, "d.org", "jdoe", &record);
    return true;
}

static bool plan_nothing(void *context, struct snapshot *snapshot, struct changeset *changeset,
                         struct error *error)
{
    (void)context, (void)snapshot, (void)changeset, (void)error;
    return true;
}

static void each_changeset_is_one_generation(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(generation_of(f->store), 0);
    unsigned char last_stamp[CACHE_ID_BYTES] = {0};
    for (int64_t i = 1; i <= 3; i++) {
        struct store_update_result result = update(f->store, plan_one, &i);
        assert_true(result.changed);
        assert_int_equal(result.generation, i);
        assert_int_equal(result.records, 1);
        assert_int_equal(result.attempts, 1);
        struct snapshot *snapshot = begin(f->store);
        struct alias_record record;
        struct error error;
        assert_int_equal(snapshot_generation(snapshot), i);
        assert_int_equal(snapshot_alias(snapshot, "d.org", span_of("jdoe"), &record, &error),
                         STORE_FOUND);
        assert_int_equal(record.stamp.generation, i);
        assert_memory_not_equal(snapshot->state.stamp, last_stamp, CACHE_ID_BYTES);
        memcpy(last_stamp, snapshot->state.stamp, CACHE_ID_BYTES);
        snapshot_end(snapshot);
    }
}

static void an_empty_changeset_keeps_the_generation(void **state)
{
    struct fixture *f = *state;
    int64_t since_s = 1;
    update(f->store, plan_one, &since_s);
    struct store_update_result result = update(f->store, plan_nothing, NULL);
    assert_false(result.changed);
    assert_int_equal(result.generation, 1);
    assert_int_equal(result.records, 0);
    assert_int_equal(generation_of(f->store), 1);
}

static bool plan_gives_up(void *context, struct snapshot *snapshot, struct changeset *changeset,
                          struct error *error)
{
    struct event_record event = {.act = span_of("never")};
    (void)context, (void)snapshot;
    changeset_event(changeset, &event);
    return error_set(error, ERROR_BUSY, "the plan gave up");
}

static void an_error_of_the_plan_is_handed_on_and_nothing_is_written(void **state)
{
    struct fixture *f = *state;
    struct store_update_result result = {.generation = 77};
    struct error error;
    assert_false(store_update(f->store, plan_gives_up, NULL, &result, &error));
    assert_error(error, ERROR_BUSY, "the plan gave up");
    assert_int_equal(result.generation, 77);
    assert_int_equal(generation_of(f->store), 0);
}

static void a_preview_says_what_would_be_written_and_writes_nothing(void **state)
{
    struct fixture *f = *state;
    struct store_update_result result;
    struct error error;
    int64_t since_s = 1;
    assert_true(store_preview(f->store, plan_one, &since_s, &result, &error));
    assert_true(result.changed);
    assert_int_equal(result.records, 1);
    assert_int_equal(result.generation, 0);
    assert_true(store_preview(f->store, plan_nothing, NULL, &result, &error));
    assert_false(result.changed);
    assert_false(store_preview(f->store, plan_gives_up, NULL, &result, &error));
    assert_error(error, ERROR_BUSY, "the plan gave up");
    assert_int_equal(generation_of(f->store), 0);
    assert_int_equal(since_of(f->store, "jdoe"), -1);
}

/* ---- the same key twice ---- */

struct step {
    char verb; /* 'p'ut, 'd'elete, 'a'ddition group, 'o'ther group */
    int since_s;
};

static bool plan_steps(void *context, struct snapshot *snapshot, struct changeset *changeset,
                       struct error *error)
{
    (void)snapshot, (void)error;
    for (const struct step *step = context; step->verb != '\0'; step++) {
        struct alias_record record = alias_since(step->since_s);
        if (step->verb == 'p')
            changeset_put_alias(changeset, "d.org", "jdoe", &record);
        else if (step->verb == 'd')
            changeset_delete_alias(changeset, "d.org", "jdoe");
        else
            changeset_begin_group(changeset, step->verb == 'a');
    }
    return true;
}

static void the_later_put_or_delete_of_a_key_counts(void **state)
{
    struct fixture *f = *state;
    static struct {
        struct step steps[8];
        int64_t wanted_s;
    } cases[] = {
        {{{'p', 1}, {'p', 2}}, 2},
        {{{'p', 1}, {'d', 0}}, -1},
        {{{'d', 0}, {'p', 3}}, 3},
        {{{'a', 0}, {'p', 4}, {'o', 0}, {'d', 0}}, -1},
        /* Additions are written first, and still the later one counts. */
        {{{'o', 0}, {'d', 0}, {'a', 0}, {'p', 5}}, 5},
        {{{'o', 0}, {'p', 6}, {'a', 0}, {'p', 7}}, 7},
        {{{'p', 8}, {'a', 0}, {'d', 0}}, -1},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        uint64_t before = generation_of(f->store);
        update(f->store, plan_steps, cases[i].steps);
        if (since_of(f->store, "jdoe") != cases[i].wanted_s)
            fail_msg("case %zu: %d", i, (int)since_of(f->store, "jdoe"));
        assert_int_equal(generation_of(f->store), before + 1);
    }
}

static void a_changeset_counts_what_it_holds(void **state)
{
    (void)state;
    struct changeset *changeset = changeset_create();
    struct person_record person = {.date_created_us = 4};
    struct membership_record membership = {.is_member = true, .extension = EXTENSION_APPEND};
    struct domain_record domain = {.team = span_of("team")};
    struct event_record event = {.act = span_of("act")};
    assert_int_equal(changeset_count(changeset), 0);
    changeset_put_alias(changeset, "d.org", "jdoe", &pending);
    changeset_put_person(changeset, "jdoe", &person);
    changeset_put_membership(changeset, "d.org", "jdoe", &membership);
    changeset_put_domain(changeset, "d.org", &domain);
    changeset_event(changeset, &event);
    changeset_delete_alias(changeset, "d.org", "x");
    changeset_delete_membership(changeset, "d.org", "x");
    changeset_delete_domain(changeset, "x.org");
    assert_int_equal(changeset_count(changeset), 8);
    changeset_clear(changeset);
    assert_int_equal(changeset_count(changeset), 0);
    changeset_destroy(changeset);
    changeset_destroy(NULL);
}

static bool plan_all_tables(void *context, struct snapshot *snapshot, struct changeset *changeset,
                            struct error *error)
{
    const bool *is_there = context;
    struct person_record person = {.date_created_us = 5, .is_paused = true};
    struct membership_record membership = {
        .is_member = true, .since_s = 6, .extension = EXTENSION_APPEND};
    struct domain_record domain = {.filled_s = 7, .team = span_of("team")};
    (void)snapshot, (void)error;
    if (*is_there) {
        changeset_put_alias(changeset, "d.org", "jdoe", &pending);
        changeset_put_person(changeset, "jdoe", &person);
        changeset_put_membership(changeset, "d.org", "jdoe", &membership);
        changeset_put_membership(changeset, "d.orgg", "other", &membership);
        changeset_put_domain(changeset, "d.org", &domain);
        return true;
    }
    changeset_delete_alias(changeset, "d.org", "jdoe");
    changeset_delete_membership(changeset, "d.org", "jdoe");
    changeset_delete_domain(changeset, "d.org");
    return true;
}

static bool count_membership(void *context, const char *domain, const char *name,
                             const struct membership_record *record)
{
    assert_true(record->is_member);
    assert_non_null(name);
    assert_non_null(domain);
    ++*(unsigned *)context;
    return true;
}

static bool stop_at_first(void *context, const char *domain, const char *name,
                          const struct membership_record *record)
{
    count_membership(context, domain, name, record);
    return false;
}

static bool count_alias(void *context, const char *domain, const char *local,
                        const struct alias_record *record)
{
    (void)record;
    assert_string_equal(domain, "d.org");
    assert_string_equal(local, "jdoe");
    ++*(unsigned *)context;
    return true;
}

static bool count_person(void *context, const char *name, const struct person_record *record)
{
    assert_string_equal(name, "jdoe");
    assert_int_equal(record->date_created_us, 5);
    ++*(unsigned *)context;
    return true;
}

static bool count_domain(void *context, const char *domain, const struct domain_record *record)
{
    assert_string_equal(domain, "d.org");
    assert_int_equal(record->filled_s, 7);
    ++*(unsigned *)context;
    return true;
}

static void rows_are_got_and_walked_as_they_were_put(void **state)
{
    struct fixture *f = *state;
    struct error error;
    struct person_record person;
    struct membership_record membership;
    struct domain_record domain;
    struct alias_record alias;
    for (int is_there = 1; is_there >= 0; is_there--) {
        bool context = is_there;
        update(f->store, plan_all_tables, &context);
        struct snapshot *snapshot = begin(f->store);
        enum store_result wanted = is_there ? STORE_FOUND : STORE_ABSENT;
        assert_int_equal(snapshot_alias(snapshot, "d.org", span_of("jdoe"), &alias, &error),
                         wanted);
        assert_int_equal(snapshot_membership(snapshot, "d.org", "jdoe", &membership, &error),
                         wanted);
        assert_int_equal(snapshot_domain(snapshot, "d.org", &domain, &error), wanted);
        assert_int_equal(snapshot_person(snapshot, "jdoe", &person, &error), STORE_FOUND);
        assert_int_equal(snapshot_person(snapshot, "nobody", &person, &error), STORE_ABSENT);
        unsigned count = 0;
        assert_true(snapshot_each_membership(snapshot, "d.org", count_membership, &count, &error));
        assert_int_equal(count, is_there); /* and not those of d.orgg */
        assert_true(snapshot_each_membership(snapshot, NULL, count_membership, &count, &error));
        assert_int_equal(count, 2 * is_there + 1);
        count = 0;
        assert_true(snapshot_each_membership(snapshot, NULL, stop_at_first, &count, &error));
        assert_int_equal(count, 1);
        count = 0;
        assert_true(snapshot_each_alias(snapshot, NULL, count_alias, &count, &error));
        assert_true(snapshot_each_domain(snapshot, count_domain, &count, &error));
        assert_true(snapshot_each_person(snapshot, count_person, &count, &error));
        assert_int_equal(count, 2 * is_there + 1);
        snapshot_end(snapshot);
    }
}

static void keys_sort_as_domains_and_numbers_do(void **state)
{
    (void)state;
    struct key key, larger;
    struct span domain, second;
    char longest[KEY_MAX_BYTES + 1];
    memset(longest, 'x', sizeof(longest));
    longest[KEY_MAX_BYTES] = '\0';
    assert_true(key_of_pair(&key, "d.org", span_of("jdoe")));
    assert_int_equal(key.length, 10);
    assert_memory_equal(key.bytes, "d.org\0jdoe", 10);
    assert_true(key_split_pair(key_span(&key), &domain, &second));
    assert_int_equal(domain.length, 5);
    assert_memory_equal(second.data, "jdoe", second.length);
    assert_false(key_split_pair(span_of("d.org"), &domain, &second));
    assert_true(key_of_pair(&key, "d.org", (struct span){longest, KEY_MAX_BYTES - 6}));
    assert_false(key_of_pair(&key, "d.org", (struct span){longest, KEY_MAX_BYTES - 5}));
    assert_false(key_of_pair(&key, longest, span_of("")));
    assert_true(key_of_name(&key, (struct span){longest, KEY_MAX_BYTES}));
    assert_false(key_of_name(&key, (struct span){longest, KEY_MAX_BYTES + 1}));
    assert_false(key_of_name(&key, span_of("")));
    key_of_sequence(&key, 255);
    key_of_sequence(&larger, 256);
    assert_memory_equal(larger.bytes, "\0\0\0\0\0\0\1\0", 8);
    assert_true(memcmp(key.bytes, larger.bytes, 8) < 0);
    assert_int_equal(key_sequence(key_span(&larger)), 256);
}

/* ---- a cache that moves meanwhile ---- */

struct moving {
    struct fixture *f;
    unsigned moves; /* how often the cache moves under the plan */
    unsigned calls;
    int status; /* of a writer that tried while the plan ran for the third time */
};

static int try_for_a_moment(const void *argument)
{
    struct store *store;
    struct error error;
    MDB_txn *transaction;
    alarm(1);
    must(store_open(argument, STORE_WRITE, LIMIT_BYTES, &store, &error));
    must(environment_begin_write(store, &transaction, &error));
    mdb_txn_abort(transaction);
    store_close(store);
    return 0;
}

static bool plan_while_moving(void *context, struct snapshot *snapshot, struct changeset *changeset,
                              struct error *error)
{
    struct moving *moving = context;
    (void)error;
    int64_t since_s = ++moving->calls;
    if (moving->calls <= moving->moves)
        cache_change(&moving->f->cache, "close moved.example");
    else if (moving->calls == 3)
        moving->status = elsewhere_run(&moving->f->cache.elsewhere, try_for_a_moment,
                                       moving->f->cache.directory, 64);
    struct domain_record domain;
    struct error ignored;
    /* It plans for what is there now, not for what was there at first. */
    assert_int_equal(snapshot_domain(snapshot, "moved.example", &domain, &ignored),
                     moving->calls > 1 ? STORE_FOUND : STORE_ABSENT);
    return plan_one(&since_s, snapshot, changeset, error);
}

static void a_plan_is_made_again_when_the_cache_has_moved(void **state)
{
    struct fixture *f = *state;
    struct moving moving = {f, 1, 0, 0};
    struct store_update_result result = update(f->store, plan_while_moving, &moving);
    assert_int_equal(moving.calls, 2);
    assert_int_equal(result.attempts, 2);
    assert_int_equal(result.records, 1);
    assert_int_equal(result.generation, 2);
    assert_int_equal(since_of(f->store, "jdoe"), 2);
}

static void the_third_plan_is_made_inside_the_write_transaction(void **state)
{
    struct fixture *f = *state;
    struct moving moving = {f, 2, 0, 0};
    struct store_update_result result = update(f->store, plan_while_moving, &moving);
    assert_true(WIFSIGNALED(moving.status)); /* nobody else could write meanwhile */
    assert_int_equal(WTERMSIG(moving.status), SIGALRM);
    assert_int_equal(moving.calls, 3);
    assert_int_equal(result.attempts, 3);
    assert_int_equal(result.records, 1);
    assert_true(result.changed);
    assert_int_equal(result.generation, 3);
    assert_int_equal(since_of(f->store, "jdoe"), 3);
}

struct moved_away {
    struct fixture *f;
    unsigned calls;
    bool gives_up;
};

static bool plan_nothing_in_the_end(void *context, struct snapshot *snapshot,
                                    struct changeset *changeset, struct error *error)
{
    struct moved_away *away = context;
    int64_t since_s = 1;
    if (++away->calls == 3)
        return !away->gives_up || error_set(error, ERROR_INVALID, "not any more");
    cache_change(&away->f->cache, "close moved.example");
    return plan_one(&since_s, snapshot, changeset, error);
}

static void a_third_plan_may_come_to_nothing(void **state)
{
    struct fixture *f = *state;
    struct moved_away away = {f, 0, false};
    struct store_update_result result = update(f->store, plan_nothing_in_the_end, &away);
    assert_false(result.changed);
    assert_int_equal(result.generation, 2);
    assert_int_equal(result.records, 0);
    struct error error;
    away = (struct moved_away){f, 0, true};
    assert_false(store_update(f->store, plan_nothing_in_the_end, &away, &result, &error));
    assert_error(error, ERROR_INVALID, "not any more");
    assert_int_equal(generation_of(f->store), 4);
    cache_change(&f->cache, "close moved.example"); /* the lock is free again */
}

/* ---- events ---- */

struct events {
    const char *acts[4];
    bool gives_up;
};

static bool plan_events(void *context, struct snapshot *snapshot, struct changeset *changeset,
                        struct error *error)
{
    const struct events *events = context;
    (void)snapshot;
    for (size_t i = 0; i < ARRAY_LENGTH(events->acts) && events->acts[i] != NULL; i++) {
        struct event_record event = {.at_s = 1, .act = span_of(events->acts[i])};
        changeset_event(changeset, &event);
    }
    return !events->gives_up || error_set(error, ERROR_BUSY, "gave up");
}

struct heard {
    uint64_t last;
    char acts[64];
    char generations[64];
};

static bool hear_event(void *context, uint64_t sequence, const struct event_record *record)
{
    struct heard *heard = context;
    assert_int_equal(sequence, heard->last + 1);
    heard->last = sequence;
    strncat(heard->acts, record->act.data, record->act.length);
    char text[24];
    snprintf(text, sizeof(text), "%d", (int)record->stamp.generation);
    strcat(heard->generations, text);
    return true;
}

/* Until "b". */
static bool hear_event_back(void *context, uint64_t sequence, const struct event_record *record)
{
    struct heard *heard = context;
    assert_true(heard->last == 0 || sequence == heard->last - 1);
    heard->last = sequence;
    strncat(heard->acts, record->act.data, record->act.length);
    return !span_is_text(record->act, "b");
}

static void events_are_numbered_without_a_gap(void **state)
{
    struct fixture *f = *state;
    struct events first = {{"a", "b", "c"}, false};
    struct events never = {{"x", "y"}, true};
    struct events second = {{"d", "e"}, false};
    struct store_update_result result;
    struct error error;
    update(f->store, plan_events, &first);
    assert_false(store_update(f->store, plan_events, &never, &result, &error));
    assert_int_equal(update(f->store, plan_events, &second).records, 2);
    struct heard heard = {0};
    struct snapshot *snapshot = begin(f->store);
    assert_true(snapshot_each_event(snapshot, hear_event, &heard, &error));
    struct heard back = {0};
    assert_true(snapshot_each_event_before(snapshot, UINT64_MAX, hear_event_back, &back, &error));
    snapshot_end(snapshot);
    assert_string_equal(back.acts, "edcb");
    assert_string_equal(heard.acts, "abcde");
    assert_string_equal(heard.generations, "11122");
}

/* ---- run rows ---- */

static void run_rows_leave_the_generation_alone(void **state)
{
    struct fixture *f = *state;
    struct error error;
    int64_t since_s = 1;
    update(f->store, plan_one, &since_s);
    struct snapshot *snapshot = begin(f->store);
    struct cache_state before = snapshot->state;
    snapshot_end(snapshot);
    const struct store_run_row rows[] = {
        {"d.org", {.outcome = RUN_UNUSABLE, .attempt_s = 5, .error = span_of("502")}},
        {"e.org", {.outcome = RUN_APPLIED, .attempt_s = 6}},
    };
    assert_true(store_note_runs(f->store, rows, 2, &error));
    assert_true(store_note_runs(f->store, rows, 0, &error));
    struct run_record run;
    snapshot = begin(f->store);
    assert_true(environment_is_same_state(&snapshot->state, &before));
    assert_int_equal(snapshot->state.next_sequence, before.next_sequence);
    assert_int_equal(snapshot_run(snapshot, "d.org", &run, &error), STORE_FOUND);
    assert_int_equal(run.outcome, RUN_UNUSABLE);
    assert_int_equal(run.stamp.generation, 0);
    assert_memory_equal(run.error.data, "502", 3);
    assert_int_equal(snapshot_run(snapshot, "x.org", &run, &error), STORE_ABSENT);
    snapshot_end(snapshot);
}

/* ---- large changesets ---- */

#define BULK_ROWS   7 /* so that no whole number of groups fills a piece */
#define BULK_GROUPS 16000
#define BULK_TOTAL  ((size_t)BULK_ROWS * BULK_GROUPS)

/* Every second group is an addition; rows that are there are left alone, as a refresh does. */
struct bulk {
    unsigned calls;
    unsigned moves;
    struct fixture *f;
};

static void bulk_local(char local[32], unsigned group, unsigned row)
{
    snprintf(local, 32, "g%05u-%u", group, row);
}

static bool plan_bulk(void *context, struct snapshot *snapshot, struct changeset *changeset,
                      struct error *error)
{
    struct bulk *bulk = context;
    char local[32];
    if (++bulk->calls <= bulk->moves)
        cache_change(&bulk->f->cache, "close moved.example");
    for (unsigned group = 0; group < BULK_GROUPS; group++) {
        struct alias_record there;
        bulk_local(local, group, 0);
        if (snapshot_alias(snapshot, "d.org", span_of(local), &there, error) == STORE_FOUND)
            continue;
        changeset_begin_group(changeset, group % 2 != 0);
        for (unsigned row = 0; row < BULK_ROWS; row++) {
            bulk_local(local, group, row);
            changeset_put_alias(changeset, "d.org", local, &pending);
        }
    }
    return true;
}

struct bulk_check {
    size_t rows;
    size_t in_generation[8];
    uint64_t first; /* generation before */
    uint64_t of_group;
    uint64_t last_addition, first_other;
};

static bool check_bulk_row(void *context, const char *domain, const char *local,
                           const struct alias_record *record)
{
    struct bulk_check *check = context;
    unsigned group, row;
    assert_int_equal(sscanf(local, "g%u-%u", &group, &row), 2);
    assert_non_null(domain);
    uint64_t generation = record->stamp.generation;
    assert_in_range(generation - check->first, 1, 7);
    check->rows++;
    check->in_generation[generation - check->first]++;
    if (row == 0)
        check->of_group = generation;
    assert_int_equal(generation, check->of_group); /* groups stay together */
    if (group % 2 != 0 && generation > check->last_addition)
        check->last_addition = generation;
    if (group % 2 == 0 && generation < check->first_other)
        check->first_other = generation;
    return true;
}

static struct bulk_check check_bulk(struct store *store, uint64_t first)
{
    struct bulk_check check = {.first = first, .first_other = UINT64_MAX};
    struct error error;
    struct snapshot *snapshot = begin(store);
    assert_true(snapshot_each_alias(snapshot, "d.org", check_bulk_row, &check, &error));
    snapshot_end(snapshot);
    for (size_t i = 0; i < ARRAY_LENGTH(check.in_generation); i++)
        assert_true(check.in_generation[i] <= CHANGESET_MAX_RECORDS);
    return check;
}

static void a_large_changeset_is_cut_between_groups_with_additions_first(void **state)
{
    struct fixture *f = *state;
    struct bulk bulk = {0};
    struct store_update_result result = update(f->store, plan_bulk, &bulk);
    assert_int_equal(bulk.calls, 1);
    assert_int_equal(result.records, BULK_TOTAL);
    assert_int_equal(result.generation, 3);
    struct bulk_check check = check_bulk(f->store, 0);
    assert_int_equal(check.rows, BULK_TOTAL);
    assert_int_equal(check.in_generation[1], 49994); /* as many groups of 7 as fit */
    assert_int_equal(check.in_generation[2], 49994);
    assert_true(check.last_addition <= check.first_other);
}

static bool plan_one_large_group(void *context, struct snapshot *snapshot,
                                 struct changeset *changeset, struct error *error)
{
    char local[32];
    (void)context, (void)snapshot, (void)error;
    changeset_put_alias(changeset, "d.org", "before", &pending);
    changeset_begin_group(changeset, false);
    for (unsigned row = 0; row <= CHANGESET_MAX_RECORDS; row++) {
        bulk_local(local, 0, row);
        changeset_put_alias(changeset, "d.org", local, &pending);
    }
    changeset_begin_group(changeset, false);
    changeset_put_alias(changeset, "d.org", "after", &pending);
    return true;
}

static void a_group_that_is_too_large_stays_together_all_the_same(void **state)
{
    struct fixture *f = *state;
    struct store_update_result result = update(f->store, plan_one_large_group, NULL);
    assert_int_equal(result.generation, 3);
    assert_int_equal(result.records, CHANGESET_MAX_RECORDS + 3);
}

static void move_once(void)
{
    after_commit = NULL;
    cache_change(&current->cache, "close moved.example");
}

static void a_cache_that_moves_between_two_pieces_is_planned_for_again(void **state)
{
    struct fixture *f = *state;
    struct bulk bulk = {0};
    after_commit = move_once;
    struct store_update_result result = update(f->store, plan_bulk, &bulk);
    assert_int_equal(bulk.calls, 2);
    assert_int_equal(result.attempts, 2);
    assert_true(result.changed);
    assert_int_equal(result.generation, 4); /* three pieces and the other's change */
    assert_int_equal(result.records, BULK_TOTAL);
    assert_int_equal(check_bulk(f->store, 0).rows, BULK_TOTAL);
}

static void under_the_lock_each_piece_is_planned_by_itself(void **state)
{
    struct fixture *f = *state;
    struct bulk bulk = {0, 2, f};
    struct store_update_result result = update(f->store, plan_bulk, &bulk);
    assert_int_equal(bulk.calls, 5);
    assert_int_equal(result.generation, 5);
    assert_int_equal(result.records, BULK_TOTAL);
    assert_int_equal(check_bulk(f->store, 2).rows, BULK_TOTAL);
}

/* ---- undo ---- */

#define UNDO_NOW_S 77

/* One thing that a changeset does to the row "jdoe" of each table, besides keeping undo. */
struct undoing {
    const char *verbs; /* 'p'ut, 'd'elete, in this order */
    bool keeps;
};

static bool plan_undoing(void *context, struct snapshot *snapshot, struct changeset *changeset,
                         struct error *error)
{
    const struct undoing *undoing = context;
    (void)error;
    if (undoing->keeps)
        changeset_keep_undo(changeset, UNDO_NOW_S);
    for (const char *verb = undoing->verbs; *verb != '\0'; verb++) {
        int64_t mark = (int64_t)snapshot_generation(snapshot) + 1;
        struct alias_record alias = alias_since(mark);
        struct person_record person = {.date_created_us = mark};
        struct membership_record membership = {.since_s = mark, .extension = EXTENSION_APPEND};
        struct domain_record domain = {.filled_s = mark};
        struct event_record event = {.act = span_of("act")};
        if (*verb == 'p') {
            changeset_put_alias(changeset, "d.org", "jdoe", &alias);
            changeset_put_person(changeset, "jdoe", &person);
            changeset_put_membership(changeset, "d.org", "jdoe", &membership);
            changeset_put_domain(changeset, "d.org", &domain);
            changeset_event(changeset, &event);
        } else {
            changeset_delete_alias(changeset, "d.org", "jdoe");
            changeset_delete_person(changeset, "jdoe");
            changeset_delete_membership(changeset, "d.org", "jdoe");
            changeset_delete_domain(changeset, "d.org");
        }
    }
    return true;
}

/* The rows of undo as text: "GENERATION.NUMBER TABLE KEY was WHAT by CHANGED;" */
static bool describe_undo(void *context, uint64_t generation, uint64_t number,
                          const struct undo_record *record)
{
    char *text = context;
    int64_t mark = -1;
    struct alias_record alias;
    struct person_record person;
    struct membership_record membership;
    assert_int_equal(record->at_s, UNDO_NOW_S);
    assert_int_equal(record->was_absent, record->value.length == 0);
    if (record->was_absent)
        mark = 0;
    else if (record->table == UNDO_ALIAS && alias_record_decode(record->value, &alias))
        mark = alias.since_s;
    else if (record->table == UNDO_PERSON && person_record_decode(record->value, &person))
        mark = person.date_created_us;
    else if (record->table == UNDO_MEMBERSHIP &&
             membership_record_decode(record->value, &membership))
        mark = membership.since_s;
    const char *wanted_key = record->table == UNDO_PERSON ? "jdoe" : "d.org\0jdoe";
    assert_int_equal(record->key.length, record->table == UNDO_PERSON ? 4 : 10);
    assert_memory_equal(record->key.data, wanted_key, record->key.length);
    snprintf(text + strlen(text), 512 - strlen(text), "%d.%d %c %d by %d;", (int)generation,
             (int)number, "?apm"[record->table], (int)mark, (int)record -> stamp.generation);
    return true;
}

static void assert_undo(struct store *store, uint64_t generation, const char *wanted)
{
    char text[512] = "";
    struct error error;
    struct snapshot *snapshot = begin(store);
    assert_true(snapshot_each_undo(snapshot, generation, describe_undo, text, &error));
    snapshot_end(snapshot);
    assert_string_equal(text, wanted);
}

static void undo_holds_each_row_as_it_was_before(void **state)
{
    struct fixture *f = *state;
    /* Each case goes on from the one before. */
    static const struct {
        struct undoing undoing;
        const char *wanted; /* of its generation */
    } cases[] = {
        {{"p", false}, ""},
        {{"p", true}, "2.1 a 1 by 2;2.2 p 1 by 2;2.3 m 1 by 2;"},
        {{"d", true}, "3.1 a 2 by 3;3.2 p 2 by 3;3.3 m 2 by 3;"},
        {{"d", true}, ""}, /* what is not there is not deleted */
        {{"p", true}, "5.1 a 0 by 5;5.2 p 0 by 5;5.3 m 0 by 5;"},
        {{"ppdp", true}, "6.1 a 5 by 6;6.2 p 5 by 6;6.3 m 5 by 6;"}, /* once, the first state */
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct undoing undoing = cases[i].undoing;
        update(f->store, plan_undoing, &undoing);
        assert_int_equal(generation_of(f->store), i + 1);
        assert_undo(f->store, i + 1, cases[i].wanted);
    }
}

struct undo_check {
    size_t rows;
    uint64_t number;                 /* of the last one */
    size_t by_generation[8];         /* how many each generation changed */
    uint64_t changed_by[BULK_TOTAL]; /* of each alias */
};

static bool check_undo(void *context, uint64_t generation, uint64_t number,
                       const struct undo_record *record)
{
    struct undo_check *check = context;
    unsigned group, row;
    assert_int_equal(generation, 1);
    assert_int_equal(number, check->number + 1);
    check->number = number;
    check->rows++;
    check->by_generation[record->stamp.generation]++;
    assert_true(record->was_absent);
    char key[32] = "";
    memcpy(key, record->key.data, record->key.length);
    assert_int_equal(sscanf(key + 6, "g%u-%u", &group, &row), 2);
    assert_int_equal(check->changed_by[group * BULK_ROWS + row], 0);
    check->changed_by[group * BULK_ROWS + row] = record->stamp.generation;
    return true;
}

static bool plan_bulk_with_undo(void *context, struct snapshot *snapshot,
                                struct changeset *changeset, struct error *error)
{
    changeset_keep_undo(changeset, UNDO_NOW_S);
    return plan_bulk(context, snapshot, changeset, error);
}

static void a_changeset_in_pieces_is_one_generation_of_undo(void **state)
{
    struct fixture *f = *state;
    /* In one go, and with a cache that moves between the first two pieces. */
    for (int is_moved = 0; is_moved <= 1; is_moved++) {
        struct undo_check *check = calloc(1, sizeof(*check));
        struct bulk bulk = {0};
        struct error error;
        after_commit = is_moved ? move_once : NULL;
        update(f->store, plan_bulk_with_undo, &bulk);
        struct snapshot *snapshot = begin(f->store);
        assert_true(snapshot_each_undo(snapshot, 0, check_undo, check, &error));
        snapshot_end(snapshot);
        assert_int_equal(check->rows, BULK_TOTAL);
        assert_int_equal(check->by_generation[1], 49994);
        assert_int_equal(check->by_generation[2], is_moved ? 0 : 49994);
        free(check);
        teardown(state);
        setup(state);
        f = *state;
    }
}

/* ---- a full cache ---- */

static int fill_small_cache(const void *argument)
{
    struct store *store;
    struct error error;
    struct store_update_result result;
    int64_t since_s = 1;
    must(store_open(argument, STORE_WRITE, (uint64_t)1024 * 1024, &store, &error));
    must(store_update(store, plan_one, &since_s, &result, &error));
    struct bulk bulk = {0};
    must(!store_update(store, plan_bulk, &bulk, &result, &error));
    must(error.kind == ERROR_TEMPORARY && strstr(error.text, "full") != NULL);
    struct snapshot *snapshot;
    struct alias_record record;
    must(snapshot_begin(store, &snapshot, &error));
    must(snapshot_generation(snapshot) == 1);
    must(snapshot_alias(snapshot, "d.org", span_of("jdoe"), &record, &error) == STORE_FOUND);
    must(snapshot_alias(snapshot, "d.org", span_of("g00001-0"), &record, &error) == STORE_ABSENT);
    snapshot_end(snapshot);
    /* What still fits can still be written. */
    struct events events = {{"a"}, false};
    must(store_update(store, plan_events, &events, &result, &error));
    must(result.generation == 2);
    store_close(store);
    return 0;
}

static void a_full_cache_refuses_the_change_and_keeps_the_old_state(void **state)
{
    struct fixture *f = *state;
    store_close(f->store);
    f->store = NULL;
    assert_int_equal(elsewhere_run(&f->cache.elsewhere, fill_small_cache, f->cache.directory, 64),
                     0);
}

/* ---- writers that die ---- */

struct death {
    char directory[64];
    int points; /* that it passes before it dies */
    bool is_bulk;
};

static bool plan_some(void *context, struct snapshot *snapshot, struct changeset *changeset,
                      struct error *error)
{
    char local[32];
    struct event_record event = {.act = span_of("some")};
    (void)context, (void)error;
    struct alias_record record = alias_since((int64_t)snapshot_generation(snapshot) + 1);
    for (unsigned i = 0; i < 5; i++) {
        bulk_local(local, i, 0);
        changeset_put_alias(changeset, "d.org", local, &record);
        changeset_event(changeset, &event);
    }
    return true;
}

static int update_and_die(const void *argument)
{
    const struct death *death = argument;
    struct store *store;
    struct error error;
    struct store_update_result result;
    struct bulk bulk = {0};
    must(store_open(death->directory, STORE_WRITE, LIMIT_BYTES, &store, &error));
    points_to_live = death->points;
    must(store_update(store, death->is_bulk ? plan_bulk : plan_some, &bulk, &result, &error));
    points_to_live = -1;
    store_close(store);
    return 0;
}

static void a_killed_writer_leaves_the_old_generation_or_the_new_one(void **state)
{
    struct fixture *f = *state;
    struct death death = {.points = 0};
    bool is_dead = true;
    unsigned deaths_before = 0, deaths_after = 0;
    strcpy(death.directory, f->cache.directory);
    update(f->store, plan_some, NULL);
    for (; is_dead; death.points++) {
        uint64_t before = generation_of(f->store);
        int status = elsewhere_run(&f->cache.elsewhere, update_and_die, &death, sizeof(death));
        is_dead = status != 0;
        if (is_dead)
            assert_int_equal(WTERMSIG(status), SIGKILL);
        uint64_t after = generation_of(f->store);
        assert_in_range(after, before, before + 1);
        if (is_dead && after == before)
            deaths_before++;
        else if (is_dead)
            deaths_after++;
        for (unsigned i = 0; i < 5; i++) {
            char local[32];
            bulk_local(local, i, 0);
            assert_int_equal(since_of(f->store, local), after);
        }
        struct snapshot *snapshot = begin(f->store);
        assert_int_equal(snapshot->state.next_sequence, 5 * after + 1);
        snapshot_end(snapshot);
    }
    /* Ten rows, the state row, before the commit; after the commit. */
    assert_int_equal(deaths_before, 12);
    assert_int_equal(deaths_after, 1);
}

static void a_writer_killed_between_two_pieces_leaves_whole_pieces(void **state)
{
    struct fixture *f = *state;
    struct death death = {.is_bulk = true, .points = 49994 + 2}; /* first piece, state, commit */
    strcpy(death.directory, f->cache.directory);
    int status = elsewhere_run(&f->cache.elsewhere, update_and_die, &death, sizeof(death));
    assert_true(WIFSIGNALED(status));
    struct bulk_check check = check_bulk(f->store, 0);
    assert_int_equal(check.rows, 49994);
    assert_int_equal(generation_of(f->store), 1);
    assert_true(check.first_other == UINT64_MAX); /* additions only so far */
    /* Whoever plans next goes on where it ended. */
    struct bulk bulk = {0};
    struct store_update_result result = update(f->store, plan_bulk, &bulk);
    assert_int_equal(result.records, BULK_TOTAL - 49994);
    assert_int_equal(result.generation, 3);
    assert_int_equal(check_bulk(f->store, 0).rows, BULK_TOTAL);
}

struct dying_plan {
    struct cache cache; /* with a helper of its own */
    unsigned calls, dies_in;
};

static bool plan_and_die(void *context, struct snapshot *snapshot, struct changeset *changeset,
                         struct error *error)
{
    struct dying_plan *dying = context;
    int64_t since_s = 1;
    if (++dying->calls == dying->dies_in)
        kill(getpid(), SIGKILL);
    must(cache_change_status(&dying->cache, "close moved.example") == 0);
    return plan_one(&since_s, snapshot, changeset, error);
}

static int die_in_plan(const void *argument)
{
    struct dying_plan dying;
    struct store *store;
    struct error error;
    struct store_update_result result;
    memcpy(&dying, argument, sizeof(dying));
    elsewhere_start(&dying.cache.elsewhere);
    must(store_open(dying.cache.directory, STORE_WRITE, LIMIT_BYTES, &store, &error));
    must(store_update(store, plan_and_die, &dying, &result, &error));
    return 0;
}

static void a_writer_killed_while_planning_leaves_the_lock_to_the_next(void **state)
{
    struct fixture *f = *state;
    for (unsigned dies_in = 1; dies_in <= 3; dies_in++) {
        uint64_t before = generation_of(f->store);
        struct dying_plan dying = {f->cache, 0, dies_in};
        int status = elsewhere_run(&f->cache.elsewhere, die_in_plan, &dying, sizeof(dying));
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), SIGKILL);
        assert_int_equal(generation_of(f->store), before + dies_in - 1);
        assert_int_equal(since_of(f->store, "jdoe"), -1);
        cache_change(&f->cache, "close moved.example");
        assert_int_equal(generation_of(f->store), before + dies_in);
    }
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(each_changeset_is_one_generation),
        CASE(an_empty_changeset_keeps_the_generation),
        CASE(an_error_of_the_plan_is_handed_on_and_nothing_is_written),
        CASE(a_preview_says_what_would_be_written_and_writes_nothing),
        CASE(the_later_put_or_delete_of_a_key_counts),
        cmocka_unit_test(a_changeset_counts_what_it_holds),
        CASE(rows_are_got_and_walked_as_they_were_put),
        cmocka_unit_test(keys_sort_as_domains_and_numbers_do),
        CASE(a_plan_is_made_again_when_the_cache_has_moved),
        CASE(the_third_plan_is_made_inside_the_write_transaction),
        CASE(a_third_plan_may_come_to_nothing),
        CASE(events_are_numbered_without_a_gap),
        CASE(run_rows_leave_the_generation_alone),
        CASE(a_large_changeset_is_cut_between_groups_with_additions_first),
        CASE(a_group_that_is_too_large_stays_together_all_the_same),
        CASE(a_cache_that_moves_between_two_pieces_is_planned_for_again),
        CASE(under_the_lock_each_piece_is_planned_by_itself),
        CASE(undo_holds_each_row_as_it_was_before),
        CASE(a_changeset_in_pieces_is_one_generation_of_undo),
        CASE(a_full_cache_refuses_the_change_and_keeps_the_old_state),
        CASE(a_killed_writer_leaves_the_old_generation_or_the_new_one),
        CASE(a_writer_killed_between_two_pieces_leaves_whole_pieces),
        CASE(a_writer_killed_while_planning_leaves_the_lock_to_the_next),
    };
    return cmocka_run_group_tests_name("store/changeset", tests, NULL, NULL);
}
