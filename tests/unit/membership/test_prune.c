/* What prune_plan forgets, and when. */
#include "../house_cache.h"
#include "membership/prune.h"

#define DAY_S INT64_C(86400)
#define NOW_S (1000 * DAY_S)

struct one_refresh {
    int64_t at_s;
    unsigned rows;
};

static bool plan_one_refresh(void *context, struct snapshot *snapshot, struct changeset *changeset,
                             struct error *error)
{
    const struct one_refresh *refresh = context;
    (void)error;
    changeset_keep_undo(changeset, refresh->at_s);
    for (unsigned i = 0; i < refresh->rows; i++) {
        char name[16];
        struct person_record person = {.date_created_us = (int64_t)snapshot_generation(snapshot)};
        snprintf(name, sizeof(name), "m%05u", i);
        changeset_put_person(changeset, name, &person);
    }
    return true;
}

static void refresh_often(struct house_cache *cache, unsigned count, unsigned last_days_ago,
                          unsigned rows)
{
    for (unsigned i = 0; i < count; i++) {
        struct one_refresh refresh = {
            .at_s = NOW_S - (int64_t)(last_days_ago + count - 1 - i) * DAY_S,
            .rows = rows,
        };
        struct store_update_result result;
        struct error error;
        assert_true(store_update(cache->store, plan_one_refresh, &refresh, &result, &error));
    }
}

struct pruning {
    struct house_cache *cache;
    int64_t now_s;
    bool is_time_trusted;
};

static bool plan_pruning(void *context, struct snapshot *snapshot, struct changeset *changeset,
                         struct error *error)
{
    const struct pruning *pruning = context;
    const struct planning planning = {
        .house = &house_cache_house,
        .ring = pruning->cache->ring,
        .actor = "refresh",
        .now_s = pruning->now_s,
        .is_time_trusted = pruning->is_time_trusted,
        .snapshot = snapshot,
        .changeset = changeset,
    };
    return prune_plan(&planning, error);
}

/* Returns how many rows went. */
static size_t prune(struct house_cache *cache, bool is_time_trusted)
{
    struct pruning pruning = {cache, NOW_S, is_time_trusted};
    struct store_update_result result;
    struct error error;
    if (!store_update(cache->store, plan_pruning, &pruning, &result, &error))
        fail_msg("%s", error.text);
    assert_int_equal(result.changed, result.records != 0);
    return result.records;
}

static bool count_generation(void *context, uint64_t generation, int64_t at_s)
{
    (void)generation, (void)at_s;
    ++*(unsigned *)context;
    return true;
}

static unsigned kept_refreshes(struct house_cache *cache)
{
    unsigned count = 0;
    struct error error;
    struct snapshot *snapshot = house_cache_look(cache);
    assert_true(snapshot_each_undo_generation(snapshot, count_generation, &count, &error));
    snapshot_end(snapshot);
    return count;
}

static void undo_is_kept_30_days_or_20_refreshes(void **state)
{
    static const struct {
        unsigned count, last_days_ago; /* one a day */
        unsigned kept;
    } cases[] = {
        {0, 0, 0},     {31, 0, 31},                  /* the oldest is just 30 days old */
        {32, 0, 31},   {40, 0, 31},   {20, 500, 20}, /* old, and still the last 20 */
        {21, 500, 20}, {60, 500, 20}, {25, 15, 20}, /* 16 of them are young, the last 20 are more */
        {40, 5, 26},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct house_cache *cache = *state;
        refresh_often(cache, cases[i].count, cases[i].last_days_ago, 1);
        if (prune(cache, true) != cases[i].count - cases[i].kept ||
            kept_refreshes(cache) != cases[i].kept)
            fail_msg("case %zu: %u are kept", i, kept_refreshes(cache));
        assert_int_equal(prune(cache, true), 0);
        house_cache_tear_down(state);
        house_cache_set_up(state);
    }
}

static void a_run_does_its_share_and_the_next_goes_on(void **state)
{
    struct house_cache *cache = *state;
    refresh_often(cache, 22, 100, 3000);
    assert_int_equal(prune(cache, true), PRUNE_MAX_ROWS);
    assert_int_equal(prune(cache, true), 2 * 3000 - PRUNE_MAX_ROWS);
    assert_int_equal(prune(cache, true), 0);
    assert_int_equal(kept_refreshes(cache), 20);
}

static void put_old_and_young(struct house_cache *cache, struct snapshot *snapshot,
                              struct changeset *changeset)
{
    static const struct {
        int64_t days_ago;
        const char *act;
    } events[] = {{800, "a"}, {731, "b"}, {730, "c"}, {1, "d"}};
    static const struct {
        const char *domain, *name, *word;
        int64_t days_ago;
    } told[] = {
        {DOMAIN, "ann", "leaving", 31}, {DOMAIN, "ben", "leaving", 30}, {DOMAIN, "!", "held", 400},
        {"", "!", "cache-full", 400},   {OTHER, "", "digest", 31},
    };
    (void)cache, (void)snapshot;
    for (size_t i = 0; i < ARRAY_LENGTH(events); i++) {
        struct event_record event = {.at_s = NOW_S - events[i].days_ago * DAY_S,
                                     .act = span_of(events[i].act)};
        changeset_event(changeset, &event);
    }
    for (size_t i = 0; i < ARRAY_LENGTH(told); i++) {
        int64_t at_s = NOW_S - told[i].days_ago * DAY_S;
        struct sent_record sent = {.first_s = at_s, .last_s = at_s};
        changeset_put_sent(changeset, told[i].domain, told[i].name, told[i].word, &sent);
    }
}

static bool add_act(void *context, uint64_t sequence, const struct event_record *event)
{
    (void)sequence;
    strncat(context, event->act.data, event->act.length);
    return true;
}

static bool add_told(void *context, const char *domain, const char *name, const char *word,
                     const struct sent_record *record)
{
    char *text = context;
    (void)domain, (void)record;
    snprintf(text + strlen(text), 256 - strlen(text), "%s %s;", name, word);
    return true;
}

static void events_go_after_two_years_and_what_was_told_after_30_days(void **state)
{
    struct house_cache *cache = *state;
    char text[256] = "";
    struct error error;
    house_cache_change(cache, put_old_and_young);
    assert_int_equal(prune(cache, true), 4);
    struct snapshot *snapshot = house_cache_look(cache);
    assert_true(snapshot_each_event(snapshot, add_act, text, &error));
    assert_true(snapshot_each_sent(snapshot, NULL, add_told, text, &error));
    snapshot_end(snapshot);
    assert_string_equal(text, "cd! cache-full;! held;ben leaving;");
}

static void nothing_goes_while_the_time_is_not_trusted(void **state)
{
    struct house_cache *cache = *state;
    refresh_often(cache, 25, 100, 1);
    house_cache_change(cache, put_old_and_young);
    assert_int_equal(prune(cache, false), 0);
    assert_int_not_equal(prune(cache, true), 0);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, house_cache_set_up, house_cache_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(undo_is_kept_30_days_or_20_refreshes),
        CASE(a_run_does_its_share_and_the_next_goes_on),
        CASE(events_go_after_two_years_and_what_was_told_after_30_days),
        CASE(nothing_goes_while_the_time_is_not_trusted),
    };
    return cmocka_run_group_tests_name("membership/prune", tests, NULL, NULL);
}
