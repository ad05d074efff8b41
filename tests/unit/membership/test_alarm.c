/* Conditions that the operators are told of: at once, daily, and once when they are over. */
#include "membership/alarm.h"
#include "outbox_world.h"

#define DAY_S INT64_C(86400)
#define NOW_S (100 * DAY_S)
#define D     "ubuntu.com"

static const struct house_domain our_domains[] = {
    {.name = D, .team = "ubuntumembers", .wants_proof = true},
};
static const struct house house = {
    .domains = our_domains, .domain_count = 1, .recipient_delimiter = "+"};

/* The same with role addresses and a catch-all. */
static const char *const roles[] = {"info", "hostmaster"};
static const char *const role_targets[] = {"a@b.example", "away@" D};
static const struct house_domain domains_with_roles[] = {
    {.name = D,
     .team = "ubuntumembers",
     .catch_all = "nobody@" D,
     .roles = roles,
     .role_targets = role_targets,
     .role_count = 2},
};
static const struct house house_with_roles = {
    .domains = domains_with_roles, .domain_count = 1, .recipient_delimiter = "+"};

/* One row of each table that alarms are read off; what is NULL is not there. */
struct scene {
    const char *domain;
    const struct domain_record *row;
    const struct run_record *run;
    const struct plan_record *plan;
    int64_t notice_at_s;
};

static bool plan_scene(void *context, struct snapshot *snapshot, struct changeset *changeset,
                       struct error *error)
{
    const struct scene *scene = context;
    (void)snapshot, (void)error;
    if (scene->row != NULL)
        changeset_put_domain(changeset, scene->domain, scene->row);
    if (scene->plan != NULL)
        changeset_put_plan(changeset, scene->domain, scene->plan);
    if (scene->notice_at_s != 0) {
        struct outbox_record notice = {
            .at_s = scene->notice_at_s, .audience = AUDIENCE_ADMINS, .kind = span_of("active")};
        changeset_notice(changeset, &notice);
    }
    return true;
}

static bool plan_removal(void *context, struct snapshot *snapshot, struct changeset *changeset,
                         struct error *error)
{
    struct domain_record row;
    enum store_result result = snapshot_domain(snapshot, context, &row, error);
    if (result == STORE_FOUND)
        changeset_delete_domain(changeset, context);
    return result != STORE_TROUBLE;
}

static void set(struct outbox_world *world, const struct scene *scene)
{
    struct error error = {0};
    if (scene->row != NULL || scene->plan != NULL || scene->notice_at_s != 0)
        outbox_world_update(world, plan_scene, (void *)scene);
    if (scene->run != NULL) {
        const struct store_run_row row = {scene->domain, *scene->run};
        assert_true(store_note_runs(world->store, &row, 1, &error));
    }
}

static bool has_line(const char *text, const char *wanted)
{
    const char *at = strstr(text, wanted);
    return at != NULL && (at == text || at[-1] == '\n');
}

static struct store_update_result look_at(struct outbox_world *world, const struct house *looked_at,
                                          int64_t now_s, const char *wanted)
{
    struct alarm_request request = {
        .house = looked_at,
        .ring = world->ring,
        .stale_s = 2 * DAY_S,
        .cache_limit_bytes = 256 << 20,
        .now_s = now_s,
    };
    struct store_update_result result = outbox_world_update(world, alarm_plan, &request);
    struct buffer outbox = outbox_world_outbox(world);
    if (wanted == NULL ? outbox.length != 0 : !has_line(buffer_text(&outbox), wanted))
        fail_msg("outbox:\n%swanted:\n%s", buffer_text(&outbox), wanted != NULL ? wanted : "");
    buffer_finish(&outbox);
    outbox_world_empty_outbox(world);
    return result;
}

static struct store_update_result look(struct outbox_world *world, int64_t now_s,
                                       const char *wanted)
{
    return look_at(world, &house, now_s, wanted);
}

static const struct domain_record well = {.is_open = true, .filled_s = 1, .proof = PROOF_SEEN};

static void test_conditions(void **state)
{
    struct outbox_world *world = *state;
    struct domain_record closed = well, lost = well, held = well, foreign = well;
    closed.is_open = false;
    lost.proof = PROOF_LOST;
    held.is_held = true;
    held.hold_reason = span_of("rolled back");
    foreign.team = span_of("old-team");
    const struct run_record run = {.outcome = RUN_APPLIED, .attempt_s = NOW_S, .success_s = NOW_S};
    struct run_record unusable = run, failed = run, stale = run, never = run, held_run = run;
    unusable.outcome = RUN_UNUSABLE;
    unusable.error = span_of("~ubuntumembers: https://api/~ubuntumembers: status 503");
    failed.outcome = RUN_FAILED;
    failed.error = span_of("the cache is full");
    stale.success_s = NOW_S - 2 * DAY_S - 1;
    never.outcome = RUN_UNUSABLE;
    never.success_s = 0;
    never.error = span_of("no answer");
    held_run.outcome = RUN_HELD;
    held_run.success_s = NOW_S - 9 * DAY_S;
    const struct plan_record plan = {.holds = PLAN_HOLDS_LOSSES, .reason = span_of("30 losses")};
    struct plan_record discarded = plan;
    discarded.holds |= PLAN_DISCARDED;
    const struct {
        struct scene scene;
        const char *alarm, *all_clear; /* NULL: nothing is wrong */
    } cases[] = {
        /* Of a team that was empty from the first there is no row of the domain yet. */
        {{D, NULL, &held_run, &plan, 0},
         "alerts alarm " D " held | 30 losses\n",
         "alerts all-clear " D " held"},
        {{D, &well, &run, NULL, 0}, NULL, NULL},
        {{D, &well, &unusable, NULL, 0},
         "alerts alarm " D " source | ~ubuntumembers: https://api/~ubuntumembers: status 503\n",
         "alerts all-clear " D " source | it began 1970-04-11T00:00:00Z\n"},
        {{D, &well, &failed, NULL, 0},
         "alerts alarm " D " source | the cache is full\n",
         "alerts all-clear " D " source"},
        {{D, &well, &stale, NULL, 0},
         "alerts alarm " D " stale | the last good listing is ",
         "alerts all-clear " D " stale"},
        {{D, &well, &held_run, NULL, 0}, NULL, NULL}, /* a good listing, if an unwelcome one */
        {{D, &well, &run, &plan, 0},
         "alerts alarm " D " held | 30 losses\n",
         "alerts all-clear " D " held"},
        {{D, &well, &run, &discarded, 0}, NULL, NULL},
        {{D, &held, &run, NULL, 0},
         "alerts alarm " D " held | rolled back\n",
         "alerts all-clear " D " held"},
        {{D, &lost, &run, NULL, 0},
         "alerts alarm " D " proof-lost\n",
         "alerts all-clear " D " proof-lost"},
        {{D, &closed, &run, NULL, 0},
         "alerts alarm " D " closed\n",
         "alerts all-clear " D " closed"},
        {{"old.example", &foreign, NULL, NULL, 0},
         "alerts alarm old.example unconfigured | its team was ~old-team\n",
         "alerts all-clear old.example unconfigured"},
        {{D, NULL, &never, NULL, 0},
         "alerts alarm " D " source | no answer\n",
         "alerts all-clear " D " source"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        const struct scene repair = {D, &well, &run, &discarded, 0};
        set(world, &cases[i].scene);
        look(world, NOW_S, cases[i].alarm);
        set(world, &repair);
        outbox_world_update(world, plan_removal, "old.example");
        look(world, NOW_S + 1, cases[i].all_clear);
    }
}

/* Rows of time: what is said of a condition that comes, stays and goes. */
static void test_at_once_then_daily_then_all_clear(void **state)
{
    struct outbox_world *world = *state;
    struct domain_record closed = well;
    closed.is_open = false;
    const struct scene is_closed = {D, &closed, NULL, NULL, 0};
    const struct scene is_open = {D, &well, NULL, NULL, 0};
    const struct {
        int64_t at_s;
        bool is_closed;
        const char *wanted;
    } cases[] = {
        {0, false, NULL},
        {1, true, "alerts alarm " D " closed\n"},
        {600, true, NULL},
        {DAY_S, true, NULL},
        {DAY_S + 1, true, "alerts alarm " D " closed\n"},
        {DAY_S + 600, true, NULL},
        {2 * DAY_S, true, NULL},
        {2 * DAY_S + 1, true, "alerts alarm " D " closed\n"},
        {2 * DAY_S + 2, false, "alerts all-clear " D " closed"},
        {2 * DAY_S + 3, false, NULL},
        {2 * DAY_S + 4, true, "alerts alarm " D " closed\n"},
        {DAY_S, true, "alerts alarm " D " closed\n"}, /* the clock went back */
        {DAY_S + 1, true, NULL},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        set(world, cases[i].is_closed ? &is_closed : &is_open);
        struct store_update_result result = look(world, NOW_S + cases[i].at_s, cases[i].wanted);
        assert_int_equal(result.changed, cases[i].wanted != NULL);
    }
}

static void test_a_notice_that_waits_too_long(void **state)
{
    struct outbox_world *world = *state;
    const struct scene waits = {D, &well, NULL, NULL, NOW_S};
    struct outbox_record notice;
    struct error error = {0};
    set(world, &waits);
    struct alarm_request request = {.house = &house,
                                    .ring = world->ring,
                                    .stale_s = DAY_S,
                                    .cache_limit_bytes = 256 << 20,
                                    .now_s = NOW_S + 5 * DAY_S};
    assert_false(outbox_world_update(world, alarm_plan, &request).changed);
    request.now_s++;
    assert_true(outbox_world_update(world, alarm_plan, &request).changed);
    assert_false(outbox_world_update(world, alarm_plan, &request).changed);
    struct snapshot *snapshot = outbox_world_begin(world);
    assert_int_equal(snapshot_notice(snapshot, 1, &notice, &error), STORE_FOUND);
    assert_true(notice.is_overdue);
    snapshot_end(snapshot);
    struct buffer outbox = outbox_world_outbox(world);
    assert_string_equal(buffer_text(&outbox), "admins active\nalerts alarm overdue | 1 waiting\n");
    buffer_finish(&outbox);
    outbox_world_empty_outbox(world);
    look(world, request.now_s + 1, "alerts all-clear overdue | it began 1970-04-16T00:00:01Z\n");
}

static void test_a_cache_that_is_nearly_full(void **state)
{
    struct outbox_world *world = *state;
    struct alarm_request request = {
        .house = &house, .ring = world->ring, .cache_limit_bytes = 4096, .now_s = NOW_S};
    outbox_world_update(world, alarm_plan, &request);
    struct buffer outbox = outbox_world_outbox(world);
    assert_non_null(strstr(buffer_text(&outbox), "alerts alarm cache-full | "));
    buffer_finish(&outbox);
    outbox_world_empty_outbox(world);
    look(world, NOW_S + 1, "alerts all-clear cache-full");
}

struct alias_case {
    const char *local, *targets;
    enum alias_kind kind;
    enum alias_state state;
};

struct alias_plan {
    const struct keyring *ring;
    const struct alias_case *cases;
    size_t count;
};

static bool plan_aliases(void *context, struct snapshot *snapshot, struct changeset *changeset,
                         struct error *error)
{
    const struct alias_plan *plan = context;
    (void)snapshot, (void)error;
    for (size_t i = 0; i < plan->count; i++) {
        struct buffer sealed = {0};
        keyring_seal_alias(plan->ring, D, span_of(plan->cases[i].local),
                           span_of(plan->cases[i].targets), &sealed);
        const struct alias_record alias = {
            .kind = plan->cases[i].kind,
            .state = plan->cases[i].state,
            .extension = EXTENSION_DROP,
            .sealed_targets = {sealed.data, sealed.length},
        };
        changeset_put_alias(changeset, D, plan->cases[i].local, &alias);
        buffer_finish(&sealed);
    }
    return true;
}

static void test_static_aliases_without_a_live_end(void **state)
{
    struct outbox_world *world = *state;
    static const struct alias_case cases[] = {
        {"jdoe", "jdoe@target.example", ALIAS_MEMBER, ALIAS_ACTIVE},
        {"away", "away@target.example", ALIAS_MEMBER, ALIAS_GONE},
        {"outside", "a@b.example", ALIAS_STATIC, ALIAS_ACTIVE},
        {"live", "jdoe@" D, ALIAS_STATIC, ALIAS_ACTIVE},
        {"extended", "jdoe+tag@" D, ALIAS_STATIC, ALIAS_ACTIVE},
        {"role", "postmaster@" D, ALIAS_STATIC, ALIAS_ACTIVE},
        {"chain", "live@" D, ALIAS_STATIC, ALIAS_ACTIVE},
        {"dead-gone", "away@" D, ALIAS_STATIC, ALIAS_ACTIVE},
        {"dead-absent", "a@b.example\nnobody@" D, ALIAS_STATIC, ALIAS_ACTIVE},
        {"dead-chain", "dead-gone@" D, ALIAS_STATIC, ALIAS_ACTIVE},
        {"dead-loop", "dead-loop@" D, ALIAS_STATIC, ALIAS_ACTIVE},
    };
    struct alias_plan plan = {world->ring, cases, ARRAY_LENGTH(cases)};
    const struct scene scene = {D, &well, NULL, NULL, 0};
    set(world, &scene);
    outbox_world_update(world, plan_aliases, &plan);
    look(world, NOW_S,
         "alerts alarm " D " no-live-end | dead-absent, dead-chain, dead-gone, dead-loop\n");
    look_at(world, &house_with_roles, NOW_S + DAY_S,
            "alerts alarm " D " no-live-end | dead-absent, dead-chain, dead-gone, dead-loop, "
            "hostmaster, the catch-all\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(function) \
    cmocka_unit_test_setup_teardown(function, outbox_world_set_up, outbox_world_tear_down)
        TEST(test_conditions),
        TEST(test_at_once_then_daily_then_all_clear),
        TEST(test_a_notice_that_waits_too_long),
        TEST(test_a_cache_that_is_nearly_full),
        TEST(test_static_aliases_without_a_live_end),
    };
    return cmocka_run_group_tests_name("membership/alarm", tests, NULL, NULL);
}
