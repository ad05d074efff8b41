/* How answers of the DNS move a domain between never, proven and lost. */
#include "../store/cache.h"
#include "action/proof.h"

#define DOMAIN "ubuntu.com"

static const struct house_domain our_domains[] = {
    {.name = DOMAIN, .team = "ubuntumembers", .wants_proof = true},
    {.name = "kubuntu.org", .team = "kubuntu-members", .wants_proof = true},
    {.name = "lubuntu.me", .team = "lubuntu-members"},
};
static const struct house house = {
    .domains = our_domains,
    .domain_count = ARRAY_LENGTH(our_domains),
    .recipient_delimiter = "+",
};

struct scene {
    struct cache cache;
    struct action action;
};

static int set_up(void **state)
{
    struct scene *scene = calloc(1, sizeof(*scene));
    struct error error = {0};
    cache_make(&scene->cache);
    scene->action = (struct action){.actor = "refresh", .now_s = 1000, .house = &house};
    if (!store_open(scene->cache.directory, STORE_WRITE, LIMIT_BYTES, &scene->action.store, &error))
        fail_msg("%s", error.text);
    *state = scene;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *scene = *state;
    store_close(scene->action.store);
    cache_remove(&scene->cache);
    free(scene);
    return 0;
}

static struct store_update_result tell(struct scene *scene,
                                       const struct domaincheck_answer *answers, size_t count)
{
    struct store_update_result result;
    struct error error = {0};
    if (!action_proof(&scene->action, answers, count, &result, &error))
        fail_msg("%s", error.text);
    return result;
}

static struct snapshot *look(struct scene *scene)
{
    struct snapshot *snapshot;
    struct error error = {0};
    if (!snapshot_begin(scene->action.store, &snapshot, &error))
        fail_msg("%s", error.text);
    return snapshot;
}

/* Zeroed if there is none. */
static struct domain_record row_of(struct snapshot *snapshot, const char *domain)
{
    struct domain_record row = {0};
    struct error error = {0};
    if (snapshot_domain(snapshot, domain, &row, &error) == STORE_TROUBLE)
        fail_msg("%s", error.text);
    return row;
}

struct last_event {
    size_t count;
    char line[512];
};

static bool note_event(void *context, uint64_t sequence, const struct event_record *event)
{
    struct last_event *last = context;
    (void)sequence;
    last->count++;
    snprintf(last->line, sizeof(last->line), "%.*s %.*s %.*s: %.*s", (int)event->actor.length,
             event->actor.data, (int)event->act.length, event->act.data, (int)event->domain.length,
             event->domain.data, (int)event->detail.length, event->detail.data);
    return true;
}

static struct last_event last_event(struct snapshot *snapshot)
{
    struct last_event last = {0};
    struct error error = {0};
    assert_true(snapshot_each_event(snapshot, note_event, &last, &error));
    return last;
}

/* ---- one domain, step by step ---- */

struct step {
    enum domaincheck_verdict verdict;
    enum proof_state after;
    const char *event; /* NULL: nothing changes */
};

#define SEEN_EVENT "refresh domain.proof-seen " DOMAIN ": not signed"
#define LOST_EVENT "refresh domain.proof-lost " DOMAIN ": why"

static void test_states(void **state)
{
    struct scene *scene = *state;
    static const struct step steps[] = {
        {DOMAINCHECK_CANNOT_TELL, PROOF_NEVER, NULL}, {DOMAINCHECK_ABSENT, PROOF_NEVER, NULL},
        {DOMAINCHECK_BOGUS, PROOF_NEVER, NULL},       {DOMAINCHECK_SEEN, PROOF_SEEN, SEEN_EVENT},
        {DOMAINCHECK_SEEN, PROOF_SEEN, NULL},         {DOMAINCHECK_CANNOT_TELL, PROOF_SEEN, NULL},
        {DOMAINCHECK_ABSENT, PROOF_LOST, LOST_EVENT}, {DOMAINCHECK_ABSENT, PROOF_LOST, NULL},
        {DOMAINCHECK_BOGUS, PROOF_LOST, NULL},        {DOMAINCHECK_CANNOT_TELL, PROOF_LOST, NULL},
        {DOMAINCHECK_SEEN, PROOF_SEEN, SEEN_EVENT},   {DOMAINCHECK_BOGUS, PROOF_LOST, LOST_EVENT},
        {DOMAINCHECK_CANNOT_TELL, PROOF_LOST, NULL},  {DOMAINCHECK_SEEN, PROOF_SEEN, SEEN_EVENT},
    };
    size_t event_count = 0;
    int64_t changed_s = 0;
    for (size_t i = 0; i < ARRAY_LENGTH(steps); i++) {
        const struct domaincheck_answer answer = {
            .domain = DOMAIN, .verdict = steps[i].verdict, .reason = "why"};
        scene->action.now_s++;
        assert_int_equal(tell(scene, &answer, 1).changed, steps[i].event != NULL);
        struct snapshot *snapshot = look(scene);
        struct domain_record row = row_of(snapshot, DOMAIN);
        struct last_event last = last_event(snapshot);
        if (steps[i].event != NULL) {
            event_count++;
            changed_s = scene->action.now_s;
            assert_string_equal(last.line, steps[i].event);
        }
        assert_int_equal(row.proof, steps[i].after);
        assert_int_equal(row.proof_since_s, changed_s);
        assert_int_equal(last.count, event_count);
        assert_int_equal(snapshot_generation(snapshot), event_count);
        snapshot_end(snapshot);
    }
}

/* ---- rows ---- */

static void test_a_domain_that_comes_is_closed_and_empty(void **state)
{
    struct scene *scene = *state;
    const struct domaincheck_answer answer = {
        .domain = DOMAIN, .verdict = DOMAINCHECK_SEEN, .is_secure = true};
    tell(scene, &answer, 1);
    struct snapshot *snapshot = look(scene);
    struct domain_record row = row_of(snapshot, DOMAIN);
    assert_false(row.is_open);
    assert_int_equal(row.filled_s, 0);
    assert_int_equal(row.team.length, strlen("ubuntumembers"));
    assert_memory_equal(row.team.data, "ubuntumembers", row.team.length);
    assert_string_equal(last_event(snapshot).line, "refresh domain.proof-seen " DOMAIN ": signed");
    snapshot_end(snapshot);
}

static bool put_full_row(void *context, struct snapshot *snapshot, struct changeset *changeset,
                         struct error *error)
{
    const struct domain_record row = {
        .is_open = true,
        .opened_generation = 1,
        .team_date_created_us = 7,
        .filled_s = 8,
        .is_held = true,
        .team = span_of("as it was"),
        .hold_reason = span_of("rolled back"),
    };
    (void)context, (void)snapshot, (void)error;
    changeset_put_domain(changeset, DOMAIN, &row);
    return true;
}

static void test_nothing_else_of_the_row_changes(void **state)
{
    struct scene *scene = *state;
    struct store_update_result result;
    struct error error = {0};
    const struct domaincheck_answer answer = {.domain = DOMAIN, .verdict = DOMAINCHECK_SEEN};
    assert_true(store_update(scene->action.store, put_full_row, NULL, &result, &error));
    tell(scene, &answer, 1);
    struct snapshot *snapshot = look(scene);
    struct domain_record row = row_of(snapshot, DOMAIN);
    assert_int_equal(row.proof, PROOF_SEEN);
    assert_true(row.is_open);
    assert_int_equal(row.opened_generation, 1);
    assert_int_equal(row.team_date_created_us, 7);
    assert_int_equal(row.filled_s, 8);
    assert_true(row.is_held);
    assert_memory_equal(row.team.data, "as it was", row.team.length);
    assert_memory_equal(row.hold_reason.data, "rolled back", row.hold_reason.length);
    snapshot_end(snapshot);
}

static void test_who_asks_for_no_proof_is_passed_over(void **state)
{
    struct scene *scene = *state;
    const struct domaincheck_answer answers[] = {
        {.domain = "lubuntu.me", .verdict = DOMAINCHECK_SEEN},
        {.domain = "foreign.example", .verdict = DOMAINCHECK_SEEN},
    };
    assert_false(tell(scene, answers, ARRAY_LENGTH(answers)).changed);
    assert_false(tell(scene, NULL, 0).changed);
}

static void test_several_are_one_generation(void **state)
{
    struct scene *scene = *state;
    const struct domaincheck_answer answers[] = {
        {.domain = DOMAIN, .verdict = DOMAINCHECK_SEEN},
        {.domain = "kubuntu.org", .verdict = DOMAINCHECK_SEEN},
    };
    assert_int_equal(tell(scene, answers, ARRAY_LENGTH(answers)).generation, 1);
    struct snapshot *snapshot = look(scene);
    assert_int_equal(row_of(snapshot, DOMAIN).proof, PROOF_SEEN);
    assert_int_equal(row_of(snapshot, "kubuntu.org").proof, PROOF_SEEN);
    snapshot_end(snapshot);
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_states),
        CASE(test_a_domain_that_comes_is_closed_and_empty),
        CASE(test_nothing_else_of_the_row_changes),
        CASE(test_who_asks_for_no_proof_is_passed_over),
        CASE(test_several_are_one_generation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
