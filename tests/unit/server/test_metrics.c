/* metrics: what is told of domains, and what is left out while the cache cannot be read. */
#include "../store/cache.h"
#include "loop/loop.h"
#include "server/metrics.h"

struct fixture {
    struct cache cache;
    struct loop *loop;
    struct store_reader *reader;
    struct metrics *metrics;
    struct buffer out;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct error error;
    cache_make(&f->cache);
    const struct store_reader_settings settings = {f->cache.directory, f->cache.keys, LIMIT_BYTES};
    f->reader = store_reader_create(&settings);
    if (!loop_create(&f->loop, &error))
        return -1;
    f->metrics = metrics_create(f->loop, f->reader);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    loop_destroy(f->loop);
    metrics_destroy(f->metrics);
    store_reader_destroy(f->reader);
    buffer_finish(&f->out);
    cache_remove(&f->cache);
    free(f);
    return 0;
}

/* ---- a cache with a domain of each kind ---- */

static bool plan_domains(void *context, struct snapshot *snapshot, struct changeset *changeset,
                         struct error *error)
{
    (void)context, (void)error;
    struct domain_record row = {.is_open = true,
                                .opened_generation = snapshot_generation(snapshot) + 1,
                                .team = span_of("team")};
    changeset_put_domain(changeset, "open.org", &row);
    changeset_put_domain(changeset, "unconfigured.org", &row);
    row.is_held = true;
    changeset_put_domain(changeset, "rolled-back.org", &row);
    row.is_held = false;
    row.proof = PROOF_LOST;
    changeset_put_domain(changeset, "frozen.org", &row);
    changeset_put_domain(changeset, "no-proof-asked.org", &row);
    row = (struct domain_record){.team = span_of("team")};
    changeset_put_domain(changeset, "held.org", &row);
    changeset_put_domain(changeset, "discarded.org", &row);
    struct plan_record plan = {.holds = PLAN_HOLDS_LOSSES, .team = span_of("team")};
    changeset_put_plan(changeset, "held.org", &plan);
    plan.holds |= PLAN_DISCARDED;
    changeset_put_plan(changeset, "discarded.org", &plan);
    const struct run_record run = {.outcome = RUN_UNUSABLE,
                                   .attempt_s = 2000,
                                   .success_s = 1000,
                                   .duration_ms = 1500,
                                   .requests = 7,
                                   .retries = 3,
                                   .error = span_of("somebody's name")};
    changeset_put_run(changeset, "open.org", &run);
    return true;
}

static int domains_job(const void *argument)
{
    struct store *store;
    struct store_update_result result;
    struct error error;
    must(store_open(argument, STORE_WRITE, LIMIT_BYTES, &store, &error));
    must(store_update(store, plan_domains, NULL, &result, &error));
    store_close(store);
    return 0;
}

static struct config_domain configured[] = {
    {.name = "open.org"},
    {.name = "rolled-back.org"},
    {.name = "frozen.org", .proof = "p"},
    {.name = "no-proof-asked.org"},
    {.name = "held.org"},
    {.name = "discarded.org"},
    {.name = "unfilled.org"},
};

static const char *append(struct fixture *f)
{
    const struct config config = {.domains = configured,
                                  .domain_count = ARRAY_LENGTH(configured),
                                  .refresh.stale_after_ms = 90000,
                                  .cache_limit_bytes = 12345};
    const struct counters counters = {0};
    const struct metrics_listener listeners[] = {{"unix:/a\"b", "socketmap", 5, 1}};
    const struct metrics_facts facts = {.config = &config,
                                        .counters = &counters,
                                        .listeners = listeners,
                                        .listener_count = 1,
                                        .connections = {.evicted = 2,
                                                        .timed_out = 3,
                                                        .bad = 4,
                                                        .evicted_for_descriptors = 5,
                                                        .stalled_requests = 8,
                                                        .stalled_replies = 9},
                                        .connection_count = 6,
                                        .connection_limit = 7,
                                        .cache_health = CACHE_DISTRUSTED};
    buffer_clear(&f->out);
    metrics_append(f->metrics, &facts, &f->out);
    store_reader_rest(f->reader);
    return buffer_text(&f->out);
}

static const char *const wanted[] = {
    "lpalias_domain_open{domain=\"open.org\"} 1\n",
    "lpalias_domain_configured{domain=\"open.org\"} 1\n",
    "lpalias_domain_held{domain=\"open.org\"} 0\n",
    "lpalias_domain_frozen{domain=\"open.org\"} 0\n",
    "lpalias_domain_configured{domain=\"unconfigured.org\"} 0\n",
    "lpalias_domain_open{domain=\"unconfigured.org\"} 0\n",
    "lpalias_domain_held{domain=\"rolled-back.org\"} 1\n",
    "lpalias_domain_frozen{domain=\"frozen.org\"} 1\n",
    "lpalias_domain_frozen{domain=\"no-proof-asked.org\"} 0\n",
    "lpalias_domain_held{domain=\"held.org\"} 1\n",
    "lpalias_domain_open{domain=\"held.org\"} 0\n",
    "lpalias_domain_held{domain=\"discarded.org\"} 0\n",
    "lpalias_domain_open{domain=\"unfilled.org\"} 0\n",
    "lpalias_refresh_last_success_timestamp_seconds{domain=\"unfilled.org\"} 0\n",
    "lpalias_refresh_last_outcome{domain=\"unfilled.org\",outcome=\"applied\"} 0\n",
    "lpalias_refresh_last_outcome{domain=\"open.org\",outcome=\"unusable\"} 1\n",
    "lpalias_refresh_last_outcome{domain=\"open.org\",outcome=\"applied\"} 0\n",
    "lpalias_refresh_last_attempt_timestamp_seconds{domain=\"open.org\"} 2000\n",
    "lpalias_refresh_last_success_timestamp_seconds{domain=\"open.org\"} 1000\n",
    "lpalias_refresh_last_duration_seconds{domain=\"open.org\"} 1.5\n",
    "lpalias_refresh_last_requests{domain=\"open.org\"} 7\n",
    "lpalias_refresh_last_retries{domain=\"open.org\"} 3\n",
    "lpalias_refresh_stale_after_seconds 90\n",
};

/* Said whatever the cache is like. */
static const char *const always[] = {
    "lpalias_cache_limit_bytes 12345\n",
    "lpalias_cache_health{state=\"distrusted\"} 1\n",
    "lpalias_cache_health{state=\"well\"} 0\n",
    "lpalias_connections 6\n",
    "lpalias_connections_limit 7\n",
    "lpalias_connections_evicted_total{reason=\"limit\"} 2\n",
    "lpalias_connections_evicted_total{reason=\"descriptors\"} 5\n",
    "lpalias_connections_stalled_total{waited_for=\"request\"} 8\n",
    "lpalias_connections_stalled_total{waited_for=\"reader\"} 9\n",
    "lpalias_connections_timed_out_total 3\n",
    "lpalias_connections_bad_total 4\n",
    "lpalias_connections_accepted_total{listener=\"unix:/a\\\"b\",protocol=\"socketmap\"} 5\n",
    "lpalias_accept_failures_total{listener=\"unix:/a\\\"b\",protocol=\"socketmap\"} 1\n",
};

static void assert_all(const char *text, const char *const *lines, size_t count, bool are_there)
{
    for (size_t i = 0; i < count; i++)
        if ((strstr(text, lines[i]) != NULL) != are_there)
            fail_msg("%s %s in\n%s", lines[i], are_there ? "is not" : "is", text);
}

static void domains_are_told_as_they_stand(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(elsewhere_run(&f->cache.elsewhere, domains_job, f->cache.directory,
                                   sizeof(f->cache.directory)),
                     0);
    const char *text = append(f);
    assert_all(text, wanted, ARRAY_LENGTH(wanted), true);
    assert_all(text, always, ARRAY_LENGTH(always), true);
    assert_null(strstr(text, "somebody"));
}

static void an_unreadable_cache_leaves_out_what_nobody_knows(void **state)
{
    struct fixture *f = *state;
    const char *text = append(f);
    static const char *const absent[] = {"lpalias_domain_open{", "\nlpalias_cache_generation ",
                                         "\nlpalias_cache_used_bytes ", "\nlpalias_outbox_notices ",
                                         "\nlpalias_cache_counted_generation "};
    assert_all(text, absent, ARRAY_LENGTH(absent), false);
    assert_all(text, always, ARRAY_LENGTH(always), true);
    metrics_tick(f->metrics);
    assert_all(append(f), always, ARRAY_LENGTH(always), true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(domains_are_told_as_they_stand, setup, teardown),
        cmocka_unit_test_setup_teardown(an_unreadable_cache_leaves_out_what_nobody_knows, setup,
                                        teardown),
    };
    return cmocka_run_group_tests_name("server/metrics", tests, NULL, NULL);
}
