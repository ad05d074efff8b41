/* census: counts in small steps over a cache that others change meanwhile. */
#include "cache.h"
#include "clock.h"
#include "store/census.h"

enum { STEP_ROWS = 100 };

struct fixture {
    struct cache cache;
    struct store_reader *reader;
    struct census_taker *taker;
    struct error error;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    clock_ms = 5;
    cache_make(&f->cache);
    const struct store_reader_settings settings = {f->cache.directory, f->cache.keys, LIMIT_BYTES};
    f->reader = store_reader_create(&settings);
    f->taker = census_taker_create(f->reader);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    census_taker_destroy(f->taker);
    store_reader_destroy(f->reader);
    cache_remove(&f->cache);
    free(f);
    return 0;
}

/* ---- many rows at once, written by another process ---- */

struct many {
    char directory[64];
    char domain[32];
    unsigned aliases, notices;
};

static bool plan_many(void *context, struct snapshot *snapshot, struct changeset *changeset,
                      struct error *error)
{
    const struct many *many = context;
    (void)snapshot, (void)error;
    for (unsigned i = 0; i < many->aliases; i++) {
        char name[32];
        snprintf(name, sizeof(name), "name-%06u", i);
        const struct alias_record record = {.kind = ALIAS_MEMBER,
                                            .state = i % 5 == 0 ? ALIAS_PENDING : ALIAS_ACTIVE,
                                            .extension = EXTENSION_APPEND,
                                            .owner = span_of(name)};
        changeset_put_alias(changeset, many->domain, name, &record);
    }
    for (unsigned i = 0; i < many->notices; i++) {
        struct outbox_record notice = {.at_s = 1000 + i,
                                       .audience = AUDIENCE_ALERTS,
                                       .is_overdue = i < 2,
                                       .kind = span_of("stale")};
        changeset_make_notice_id(notice.id);
        changeset_notice(changeset, &notice);
    }
    return true;
}

static int many_job(const void *argument)
{
    struct many many = *(const struct many *)argument;
    struct store *store;
    struct store_update_result result;
    struct error error;
    must(store_open(many.directory, STORE_WRITE, LIMIT_BYTES, &store, &error));
    must(store_update(store, plan_many, &many, &result, &error));
    store_close(store);
    return 0;
}

static void put_many(struct fixture *f, const char *domain, unsigned aliases, unsigned notices)
{
    struct many many = {.aliases = aliases, .notices = notices};
    strcpy(many.directory, f->cache.directory);
    strcpy(many.domain, domain);
    assert_int_equal(elsewhere_run(&f->cache.elsewhere, many_job, &many, sizeof(many)), 0);
}

/* ---- steps ---- */

/* As between two sleeps of the loop, a second later. */
static enum census_step step(struct fixture *f)
{
    clock_ms += 1000;
    enum census_step result = census_taker_go_on(f->taker, STEP_ROWS, &f->error);
    store_reader_rest(f->reader);
    return result;
}

/* How many steps it takes until all is counted. */
static unsigned count_all(struct fixture *f)
{
    unsigned steps = 1;
    for (; step(f) == CENSUS_MORE; steps++)
        assert_true(steps < 1000);
    return steps;
}

static uint64_t aliases_of(const struct fixture *f, const char *domain, enum alias_kind kind,
                           enum alias_state state)
{
    const struct census *census = census_taker_result(f->taker);
    for (size_t i = 0; i < census->domain_count; i++)
        if (strcmp(census->domains[i].name, domain) == 0)
            return census->domains[i].aliases[kind][state];
    return 0;
}

static void a_step_looks_at_few_rows_only(void **state)
{
    struct fixture *f = *state;
    put_many(f, "d.org", 2000, 7);
    for (unsigned steps = 0; steps < 2000 / STEP_ROWS; steps++) {
        assert_false(census_taker_result(f->taker)->is_made);
        assert_int_equal(step(f), CENSUS_MORE);
    }
    assert_true(count_all(f) <= 2);
    const struct census *census = census_taker_result(f->taker);
    assert_true(census->is_made);
    assert_int_equal(census->generation, 1);
    assert_int_equal(census->domain_count, 1);
    assert_int_equal(aliases_of(f, "d.org", ALIAS_MEMBER, ALIAS_PENDING), 400);
    assert_int_equal(aliases_of(f, "d.org", ALIAS_MEMBER, ALIAS_ACTIVE), 1600);
    assert_int_equal(census->notices, 7);
    assert_int_equal(census->overdue_notices, 2);
    assert_int_equal(census->oldest_notice_s, 1000);
}

static void domains_kinds_and_states_are_told_apart(void **state)
{
    struct fixture *f = *state;
    cache_change(&f->cache, "alias d.org a active append\nalias d.org b deliver append\n"
                            "extra d.org c gone append\nstatic d.org e active drop\n"
                            "alias e.org a paused append\nalias d.orga z refused append");
    assert_int_equal(count_all(f), 1);
    assert_int_equal(census_taker_result(f->taker)->domain_count, 3);
    assert_int_equal(aliases_of(f, "d.org", ALIAS_MEMBER, ALIAS_ACTIVE), 1);
    assert_int_equal(aliases_of(f, "d.org", ALIAS_MEMBER, ALIAS_LEAVING), 1);
    assert_int_equal(aliases_of(f, "d.org", ALIAS_EXTRA, ALIAS_GONE), 1);
    assert_int_equal(aliases_of(f, "d.org", ALIAS_STATIC, ALIAS_ACTIVE), 1);
    assert_int_equal(aliases_of(f, "e.org", ALIAS_MEMBER, ALIAS_PAUSED), 1);
    assert_int_equal(aliases_of(f, "d.orga", ALIAS_MEMBER, ALIAS_REFUSED), 1);
    assert_int_equal(census_taker_result(f->taker)->oldest_notice_s, 0);
}

static void what_is_counted_is_not_counted_again_before_it_changes(void **state)
{
    struct fixture *f = *state;
    cache_change(&f->cache, "alias d.org a active append");
    assert_int_equal(step(f), CENSUS_DONE);
    const char *name = census_taker_result(f->taker)->domains[0].name;
    assert_int_equal(step(f), CENSUS_DONE);
    assert_ptr_equal(census_taker_result(f->taker)->domains[0].name, name);
    cache_change(&f->cache, "alias d.org b active append");
    assert_int_equal(count_all(f), 1);
    assert_int_equal(aliases_of(f, "d.org", ALIAS_MEMBER, ALIAS_ACTIVE), 2);
    assert_int_equal(census_taker_result(f->taker)->generation, 2);
}

/* Rows come and go on both sides of the one that was counted last, which goes, too. */
static void a_change_meanwhile_makes_it_count_again(void **state)
{
    struct fixture *f = *state;
    put_many(f, "d.org", 250, 0);
    assert_int_equal(step(f), CENSUS_MORE);
    cache_change(&f->cache, "unalias d.org name-000099\nalias d.org a active append\n"
                            "alias d.org z active append\nunalias d.org name-000200");
    unsigned steps = count_all(f);
    assert_true(steps >= 2 + 3);
    assert_int_equal(census_taker_result(f->taker)->generation, 2);
    assert_int_equal(aliases_of(f, "d.org", ALIAS_MEMBER, ALIAS_PENDING), 49);
    assert_int_equal(aliases_of(f, "d.org", ALIAS_MEMBER, ALIAS_ACTIVE), 201);
}

static void an_ill_cache_leaves_the_last_count(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(step(f), CENSUS_TROUBLE);
    assert_int_equal(f->error.kind, ERROR_TEMPORARY);
    put_many(f, "d.org", 150, 0);
    assert_int_equal(count_all(f), 2);
    put_many(f, "e.org", 250, 0);
    assert_int_equal(step(f), CENSUS_MORE);
    assert_int_equal(rename(f->cache.data, beside(&f->cache, "away")), 0);
    assert_int_equal(step(f), CENSUS_TROUBLE);
    assert_int_equal(census_taker_result(f->taker)->generation, 1);
    assert_int_equal(rename(beside(&f->cache, "away"), f->cache.data), 0);
    assert_true(count_all(f) >= 4);
    assert_int_equal(census_taker_result(f->taker)->generation, 2);
    assert_int_equal(aliases_of(f, "e.org", ALIAS_MEMBER, ALIAS_ACTIVE), 200);
}

static void a_row_that_cannot_be_understood_is_trouble(void **state)
{
    struct fixture *f = *state;
    cache_change(&f->cache, "alias d.org a active append");
    cache_put_raw(&f->cache, TABLE_ALIAS, (struct span){"d.org\0b", 7}, span_of("?"));
    assert_int_equal(step(f), CENSUS_TROUBLE);
    assert_error(f->error, ERROR_TEMPORARY, "\"alias\" cannot be understood");
    assert_false(census_taker_result(f->taker)->is_made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_step_looks_at_few_rows_only, setup, teardown),
        cmocka_unit_test_setup_teardown(domains_kinds_and_states_are_told_apart, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_counted_is_not_counted_again_before_it_changes,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_change_meanwhile_makes_it_count_again, setup, teardown),
        cmocka_unit_test_setup_teardown(an_ill_cache_leaves_the_last_count, setup, teardown),
        cmocka_unit_test_setup_teardown(a_row_that_cannot_be_understood_is_trouble, setup,
                                        teardown),
    };
    return cmocka_run_group_tests_name("store/census", tests, NULL, NULL);
}
