/* Which notices become facts: audiences, the 30 days, leaving, digests, persons' recipients. */
#include "membership/notice.h"
#include "outbox_world.h"

#define DAY_S INT64_C(86400)
#define D     "ubuntu.com"

struct told {
    enum notice_kind kind;
    const char *domain, *name, *reason, *targets;
};

struct flush {
    const struct told *told;
    size_t count;
    const struct keyring *ring;
    int64_t now_s;
};

static bool plan_flush(void *context, struct snapshot *snapshot, struct changeset *changeset,
                       struct error *error)
{
    const struct flush *flush = context;
    struct notice_list *list = notice_list_create(flush->ring, flush->now_s);
    /* What a plan that is begun anew has forgotten. */
    notice_list_add(list, NOTICE_BANNED, D, "ghost", "banned", "", span_of(""));
    notice_list_clear(list);
    for (size_t i = 0; i < flush->count; i++)
        notice_list_add(list, flush->told[i].kind, flush->told[i].domain, flush->told[i].name,
                        flush->told[i].reason, "",
                        span_of(flush->told[i].targets != NULL ? flush->told[i].targets : ""));
    bool is_done = notice_list_flush(list, snapshot, changeset, error);
    notice_list_destroy(list);
    return is_done;
}

static void expect(struct outbox_world *world, const char *label, const struct told *told,
                   size_t count, bool has_ring, int64_t now_s, const char *wanted)
{
    struct flush flush = {told, count, has_ring ? world->ring : NULL, now_s};
    outbox_world_update(world, plan_flush, &flush);
    struct buffer outbox = outbox_world_outbox(world);
    if (strcmp(buffer_text(&outbox), wanted) != 0)
        fail_msg("%s:\n%swanted:\n%s", label, buffer_text(&outbox), wanted);
    buffer_finish(&outbox);
    outbox_world_empty_outbox(world);
}

/* The column "who is told" of the rule table. */
static void test_audiences(void **state)
{
    static const struct {
        enum notice_kind kind;
        const char *reason;
        const char *wanted;
    } cases[] = {
        {NOTICE_BANNED, "banned", "admins banned " D " jdoe banned\n"},
        {NOTICE_NAME_REFUSED, "reserved",
         "person name-refused " D " jdoe reserved -> a@b.example\nc@d.example\n"
         "admins name-refused " D " jdoe reserved\n"},
        {NOTICE_ANOTHER_PERSON, "", "admins another-person " D " jdoe\n"},
        {NOTICE_RENAMED, "",
         "person renamed " D " jdoe -> a@b.example\nc@d.example\nadmins renamed " D " jdoe\n"},
        {NOTICE_LEAVING, "not-member",
         "person leaving " D " jdoe not-member -> a@b.example\nc@d.example\n"
         "admins leaving " D " jdoe not-member\n"},
        {NOTICE_GONE, "grace-over", "admins gone " D " jdoe grace-over\n"},
        {NOTICE_REFUSED, "coc-not-signed",
         "person refused " D " jdoe coc-not-signed -> a@b.example\nc@d.example\n"
         "admins refused " D " jdoe coc-not-signed\n"},
        {NOTICE_ACTIVE, "", "admins active " D " jdoe\n"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        const struct told told = {cases[i].kind, D, "jdoe", cases[i].reason,
                                  "a@b.example\nc@d.example"};
        expect(*state, notice_kind_word(cases[i].kind), &told, 1, true, 1000, cases[i].wanted);
    }
}

static void test_a_person_is_told_only_where_mail_can_go(void **state)
{
    static const struct told without_targets = {NOTICE_LEAVING, D, "nobody", "not-member", ""};
    static const struct told with_targets = {NOTICE_LEAVING, D, "jdoe", "not-member",
                                             "a@b.example"};
    expect(*state, "no targets", &without_targets, 1, true, 1000,
           "admins leaving " D " nobody not-member\n");
    expect(*state, "no keys", &with_targets, 1, false, 1000,
           "admins leaving " D " jdoe not-member\n");
}

/* One name over time, a row a flush. */
static void test_nothing_is_told_twice_in_30_days(void **state)
{
    static const struct {
        const char *label;
        int64_t at_s;
        struct told told;
        const char *wanted;
    } cases[] = {
        {"first",
         1000,
         {NOTICE_REFUSED, D, "jdoe", "not-valid", NULL},
         "admins refused " D " jdoe not-valid\n"},
        {"the same", 2000, {NOTICE_REFUSED, D, "jdoe", "not-valid", NULL}, ""},
        {"another reason",
         2000,
         {NOTICE_REFUSED, D, "jdoe", "coc-not-signed", NULL},
         "admins refused " D " jdoe coc-not-signed\n"},
        {"another domain",
         2000,
         {NOTICE_REFUSED, "lubuntu.me", "jdoe", "not-valid", NULL},
         "admins refused lubuntu.me jdoe not-valid\n"},
        {"another person",
         2000,
         {NOTICE_REFUSED, D, "jdoe2", "not-valid", NULL},
         "admins refused " D " jdoe2 not-valid\n"},
        {"a second less than 30 days",
         999 + 30 * DAY_S,
         {NOTICE_REFUSED, D, "jdoe", "not-valid", NULL},
         ""},
        {"30 days",
         1000 + 30 * DAY_S,
         {NOTICE_REFUSED, D, "jdoe", "not-valid", NULL},
         "admins refused " D " jdoe not-valid\n"},
        {"counted from the last time",
         999 + 60 * DAY_S,
         {NOTICE_REFUSED, D, "jdoe", "not-valid", NULL},
         ""},
        {"a clock that went back", 500, {NOTICE_REFUSED, D, "jdoe", "not-valid", NULL}, ""},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        expect(*state, cases[i].label, &cases[i].told, 1, true, cases[i].at_s, cases[i].wanted);
}

static void test_leaving_forgets_what_was_told(void **state)
{
    static const struct {
        const char *label;
        struct told told;
        const char *wanted;
    } cases[] = {
        {"live", {NOTICE_ACTIVE, D, "jdoe", "", NULL}, "admins active " D " jdoe\n"},
        {"live again", {NOTICE_ACTIVE, D, "jdoe", "", NULL}, ""},
        {"one whose name begins so",
         {NOTICE_ACTIVE, D, "jdoe2", "", NULL},
         "admins active " D " jdoe2\n"},
        {"leaving",
         {NOTICE_LEAVING, D, "jdoe", "not-member", "a@b.example"},
         "person leaving " D " jdoe not-member -> a@b.example\n"
         "admins leaving " D " jdoe not-member\n"},
        {"back", {NOTICE_ACTIVE, D, "jdoe", "", NULL}, "admins active " D " jdoe\n"},
        {"leaving once more within 30 days",
         {NOTICE_LEAVING, D, "jdoe", "not-member", "a@b.example"},
         ""},
        {"back once more", {NOTICE_ACTIVE, D, "jdoe", "", NULL}, "admins active " D " jdoe\n"},
        {"and of the other one nothing was forgotten", {NOTICE_ACTIVE, D, "jdoe2", "", NULL}, ""},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        expect(*state, cases[i].label, &cases[i].told, 1, true, 1000 + (int64_t)i, cases[i].wanted);
}

static void test_one_flush_tells_nothing_twice(void **state)
{
    static const struct told told[] = {
        {NOTICE_ACTIVE, D, "jdoe", "", NULL},
        {NOTICE_ACTIVE, D, "amy", "", NULL},
        {NOTICE_ACTIVE, D, "jdoe", "", NULL},
        {NOTICE_RENAMED, D, "jdoe", "", NULL},
    };
    expect(*state, "repeat", told, ARRAY_LENGTH(told), true, 1000,
           "admins active " D " amy\nadmins active " D " jdoe\nadmins renamed " D " jdoe\n");
}

static void test_more_than_five_become_a_digest(void **state)
{
    struct told told[7] = {{.kind = NOTICE_LEAVING,
                            .domain = "lubuntu.me",
                            .name = "jdoe",
                            .reason = "not-member",
                            .targets = "jdoe@target.example"}};
    char names[6][8];
    for (size_t i = 0; i < 6; i++) {
        snprintf(names[i], sizeof(names[i]), "m%zu", i);
        told[1 + i] = (struct told){i < 4 ? NOTICE_ACTIVE : NOTICE_LEAVING, D, names[i],
                                    i < 4 ? "" : "not-valid", i == 5 ? "m5@target.example" : ""};
    }
    /* Of 6 due ones; the domain with one is told in the usual way, and persons always are. */
    expect(*state, "six", told, 7, true, 1000,
           "person leaving lubuntu.me jdoe not-member -> jdoe@target.example\n"
           "admins leaving lubuntu.me jdoe not-member\n"
           "admins digest " D " | 2 leaving, 4 active\n"
           "person leaving " D " m5 not-valid -> m5@target.example\n");
    expect(*state, "each of them counts as told", told, 7, true, 2000, "");
}

static void test_five_do_not_become_a_digest(void **state)
{
    static const struct told before = {NOTICE_ACTIVE, D, "a", "", NULL};
    static const struct told told[] = {
        {NOTICE_ACTIVE, D, "a", "", NULL}, {NOTICE_ACTIVE, D, "b", "", NULL},
        {NOTICE_ACTIVE, D, "c", "", NULL}, {NOTICE_ACTIVE, D, "d", "", NULL},
        {NOTICE_ACTIVE, D, "e", "", NULL}, {NOTICE_ACTIVE, D, "f", "", NULL},
    };
    expect(*state, "one before", &before, 1, true, 1000, "admins active " D " a\n");
    expect(*state, "five that are due", told, ARRAY_LENGTH(told), true, 1001,
           "admins active " D " b\nadmins active " D " c\nadmins active " D " d\n"
           "admins active " D " e\nadmins active " D " f\n");
}

struct crowd {
    size_t count;
    const struct keyring *ring;
};

static bool plan_crowd(void *context, struct snapshot *snapshot, struct changeset *changeset,
                       struct error *error)
{
    const struct crowd *crowd = context;
    struct notice_list *list = notice_list_create(crowd->ring, 1000);
    for (size_t i = 0; i < crowd->count; i++) {
        char name[24];
        snprintf(name, sizeof(name), "m%06zu", i);
        changeset_begin_group(changeset, true);
        struct event_record event = {.at_s = 1, .subject = span_of(name)};
        changeset_event(changeset, &event);
        notice_list_add(list, NOTICE_ACTIVE, D, name, "", "", span_of(""));
    }
    bool is_done = notice_list_flush(list, snapshot, changeset, error);
    notice_list_destroy(list);
    return is_done;
}

/* More than one piece: the digest is in the first one, and stays one. */
static void test_a_crowd_becomes_one_digest(void **state)
{
    struct outbox_world *world = *state;
    struct crowd crowd = {100000, world->ring};
    struct store_update_result result = outbox_world_update(world, plan_crowd, &crowd);
    assert_true(result.generation > 1);
    struct buffer outbox = outbox_world_outbox(world);
    assert_string_equal(buffer_text(&outbox), "admins digest " D " | 100000 active\n");
    buffer_finish(&outbox);
    struct snapshot *snapshot = outbox_world_begin(world);
    struct outbox_record digest;
    struct error error;
    assert_int_equal(snapshot_notice(snapshot, 1, &digest, &error), STORE_FOUND);
    assert_int_equal(digest.stamp.generation, 1);
    snapshot_end(snapshot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(function) \
    cmocka_unit_test_setup_teardown(function, outbox_world_set_up, outbox_world_tear_down)
        TEST(test_audiences),
        TEST(test_a_person_is_told_only_where_mail_can_go),
        TEST(test_nothing_is_told_twice_in_30_days),
        TEST(test_leaving_forgets_what_was_told),
        TEST(test_one_flush_tells_nothing_twice),
        TEST(test_more_than_five_become_a_digest),
        TEST(test_five_do_not_become_a_digest),
        TEST(test_a_crowd_becomes_one_digest),
    };
    return cmocka_run_group_tests_name("membership/notice", tests, NULL, NULL);
}
