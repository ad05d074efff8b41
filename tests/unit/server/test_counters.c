/* counters: into which bucket a lookup falls, and what a reload says. */
#include "../unit.h"
#include "server/counters.h"

static const struct {
    int64_t duration_ns;
    unsigned bucket;
} durations[] = {
    {0, 0},       {5000, 0},    {5001, 1},        {10000, 1},       {999999, 7},
    {1000000, 7}, {1000001, 8}, {1000000000, 12}, {1000000001, 13}, {INT64_C(60) * 1000000000, 13},
};

static void a_lookup_is_counted_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(durations); i++) {
        struct counters counters = {0};
        counters_note_lookup(&counters, CONFIG_TCP_TABLE, LOOKUP_MAP_SENDER, OUTCOME_ABSENT, 77,
                             77 + durations[i].duration_ns);
        assert_int_equal(counters.lookups[CONFIG_TCP_TABLE][LOOKUP_MAP_SENDER][OUTCOME_ABSENT], 1);
        for (unsigned bucket = 0; bucket < COUNTERS_LATENCY_BUCKETS; bucket++)
            assert_int_equal(counters.latency[bucket], bucket == durations[i].bucket);
        assert_int_equal(counters.latency_sum_ns, durations[i].duration_ns);
    }
}

static void the_last_reload_is_remembered(void **state)
{
    (void)state;
    struct counters counters = {0};
    counters_note_reload(&counters, true);
    counters_note_reload(&counters, true);
    assert_true(counters.is_last_reload_refused);
    counters_note_reload(&counters, false);
    assert_false(counters.is_last_reload_refused);
    assert_int_equal(counters.reloads, 1);
    assert_int_equal(counters.refused_reloads, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lookup_is_counted_once),
        cmocka_unit_test(the_last_reload_is_remembered),
    };
    return cmocka_run_group_tests_name("server/counters", tests, NULL, NULL);
}
