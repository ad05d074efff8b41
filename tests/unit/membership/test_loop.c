/* Where addresses of ours lead: what a lookup would do, again and again until nothing is ours. */
#include "cache_world.h"
#include "membership/loop.h"

static const char *const role_names[] = {"board", "round", "ring"};
static const char *const role_targets[] = {"chair@home.example",
                                           "press@ubuntu.com\nring@ubuntu.com", "ring@ubuntu.com"};
static const struct house_domain our_domains[] = {
    {.name = "ubuntu.com", .team = "ubuntumembers"},
    {.name = "kubuntu.org",
     .team = "kubuntu-members",
     .catch_all = "any@ubuntu.com",
     .roles = role_names,
     .role_targets = role_targets,
     .role_count = ARRAY_LENGTH(role_names)},
    {.name = "ubuntu.net", .team = "ubuntu-smtp-test", .catch_all = "lost@ubuntu.net"},
};
static const struct house house = {
    .domains = our_domains,
    .domain_count = ARRAY_LENGTH(our_domains),
    .recipient_delimiter = "+",
};

/* What stands in the cache. */
static const struct {
    const char *domain, *local;
    enum alias_state state;
    enum extension_policy extension;
    const char *targets;
} rows[] = {
    {"ubuntu.com", "jdoe", ALIAS_ACTIVE, EXTENSION_APPEND, "jdoe@home.example"},
    {"ubuntu.com", "pending", ALIAS_PENDING, EXTENSION_APPEND, ""},
    {"ubuntu.com", "press", ALIAS_ACTIVE, EXTENSION_DROP, "jdoe@ubuntu.com"},
    {"ubuntu.com", "mixed", ALIAS_ACTIVE, EXTENSION_DROP, "a@home.example\npending@ubuntu.com"},
    {"ubuntu.com", "twice", ALIAS_ACTIVE, EXTENSION_DROP, "press@ubuntu.com\njdoe@UBUNTU.com"},
    {"ubuntu.com", "strict", ALIAS_ACTIVE, EXTENSION_REFUSE, "jdoe@home.example"},
    {"ubuntu.com", "tagged", ALIAS_ACTIVE, EXTENSION_DROP, "strict+x@ubuntu.com"},
    {"ubuntu.com", "appends", ALIAS_ACTIVE, EXTENSION_APPEND, "strict@ubuntu.com"},
    {"ubuntu.com", "carries", ALIAS_ACTIVE, EXTENSION_DROP, "appends+x@ubuntu.com"},
    {"ubuntu.com", "growing", ALIAS_ACTIVE, EXTENSION_APPEND, "growing+x@ubuntu.com"},
    {"ubuntu.com", "self", ALIAS_ACTIVE, EXTENSION_DROP, "Self@ubuntu.com"},
    {"ubuntu.com", "one", ALIAS_ACTIVE, EXTENSION_DROP, "two@ubuntu.com"},
    {"ubuntu.com", "two", ALIAS_ACTIVE, EXTENSION_DROP, "fine@home.example\none@ubuntu.com"},
    {"ubuntu.com", "into", ALIAS_ACTIVE, EXTENSION_DROP, "one@ubuntu.com"},
    {"ubuntu.com", "caught", ALIAS_ACTIVE, EXTENSION_DROP, "whoever@kubuntu.org"},
    {"ubuntu.com", "any", ALIAS_ACTIVE, EXTENSION_DROP, "any@home.example"},
    {"ubuntu.com", "quoted", ALIAS_ACTIVE, EXTENSION_DROP, "\"a b\"@ubuntu.com"},
    {"ubuntu.com", "roles", ALIAS_ACTIVE, EXTENSION_DROP, "abuse@kubuntu.org\nboard+x@kubuntu.org"},
    {"ubuntu.com", "bounces", ALIAS_ACTIVE, EXTENSION_DROP, "mailer-daemon@kubuntu.org"},
    {"ubuntu.com", "old", ALIAS_ACTIVE, EXTENSION_DROP, "a@unconfigured.example"},
};

static bool plan_rows(const struct planning *planning, void *context, struct error *error)
{
    const struct domain_record domain = {.team = span_of("gone")};
    (void)context, (void)error;
    changeset_put_domain(planning->changeset, "unconfigured.example", &domain);
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct buffer sealed = {0};
        keyring_seal_alias(planning->ring, rows[i].domain, span_of(rows[i].local),
                           span_of(rows[i].targets), &sealed);
        const struct alias_record alias = {
            .kind = ALIAS_STATIC,
            .state = rows[i].state,
            .extension = rows[i].extension,
            .sealed_targets = {sealed.data, sealed.length},
        };
        changeset_put_alias(planning->changeset, rows[i].domain, rows[i].local, &alias);
        buffer_finish(&sealed);
    }
    return true;
}

static int set_up(void **state)
{
    struct cache_world *world = calloc(1, sizeof(*world));
    cache_world_make(world, &house);
    cache_world_change(world, plan_rows, NULL);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    int result = cache_world_remove(*state);
    free(*state);
    return result;
}

static enum loop_end follow(const struct cache_world *world, const char *domain, const char *local,
                            const struct loop_alias *planned, size_t planned_count)
{
    struct snapshot *snapshot;
    struct error error = {0};
    enum loop_end end = LOOP_END_LIVE;
    assert_true(snapshot_begin(world->store, &snapshot, &error));
    const struct loop_scene scene = {snapshot, world->house, world->ring, planned, planned_count};
    if (!loop_follow(&scene, domain, local, &end, &error))
        fail_msg("%s@%s: %s", local, domain, error.text);
    snapshot_end(snapshot);
    return end;
}

static void every_address_has_its_worst_end(void **state)
{
    static const struct {
        const char *domain, *local;
        enum loop_end wanted;
    } cases[] = {
        {"ubuntu.com", "jdoe", LOOP_END_LIVE},       {"ubuntu.com", "press", LOOP_END_LIVE},
        {"ubuntu.com", "twice", LOOP_END_LIVE},      {"ubuntu.com", "pending", LOOP_END_DEAD},
        {"ubuntu.com", "mixed", LOOP_END_DEAD},      {"ubuntu.com", "nobody", LOOP_END_DEAD},
        {"ubuntu.com", "tagged", LOOP_END_DEAD},     {"ubuntu.com", "appends", LOOP_END_LIVE},
        {"ubuntu.com", "carries", LOOP_END_DEAD},    {"ubuntu.com", "growing", LOOP_END_LOOP},
        {"ubuntu.com", "self", LOOP_END_LOOP},       {"ubuntu.com", "one", LOOP_END_LOOP},
        {"ubuntu.com", "into", LOOP_END_LOOP},       {"ubuntu.com", "caught", LOOP_END_LIVE},
        {"ubuntu.com", "quoted", LOOP_END_DEAD},     {"ubuntu.com", "roles", LOOP_END_LIVE},
        {"ubuntu.com", "bounces", LOOP_END_DEAD},    {"ubuntu.com", "old", LOOP_END_DEAD},
        {"ubuntu.com", "postmaster", LOOP_END_LIVE}, {"ubuntu.com", "", LOOP_END_DEAD},
        {"kubuntu.org", "", LOOP_END_LIVE},          {"kubuntu.org", "board", LOOP_END_LIVE},
        {"kubuntu.org", "round", LOOP_END_DEAD},     {"ubuntu.net", "", LOOP_END_LOOP},
        {"ubuntu.net", "whoever", LOOP_END_LOOP},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        enum loop_end end = follow(*state, cases[i].domain, cases[i].local, NULL, 0);
        if (end != cases[i].wanted)
            fail_msg("%s@%s: %d, not %d", cases[i].local, cases[i].domain, (int)end,
                     (int)cases[i].wanted);
    }
}

static void what_is_to_be_written_counts_already(void **state)
{
    const struct loop_alias planned[] = {
        {"ubuntu.com", "new", EXTENSION_DROP, span_of("press@ubuntu.com\nnewer@ubuntu.com")},
        {"ubuntu.com", "jdoe", EXTENSION_DROP, span_of("new@ubuntu.com")},
        {"ubuntu.com", "newer", EXTENSION_DROP, span_of("a@home.example")},
    };
    assert_int_equal(follow(*state, "ubuntu.com", "new", planned, 1), LOOP_END_DEAD);
    assert_int_equal(follow(*state, "ubuntu.com", "new", planned, 2), LOOP_END_LOOP);
    assert_int_equal(follow(*state, "ubuntu.com", "newer", planned, 3), LOOP_END_LIVE);
    assert_int_equal(follow(*state, "ubuntu.com", "press", planned, 3), LOOP_END_LOOP);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_address_has_its_worst_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_to_be_written_counts_already, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
