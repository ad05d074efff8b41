/* snapshot: walks that begin where another one stopped. */
#include "../house_cache.h"

static const char *const names[] = {"a", "ab", "b", "b-c", "z"};

static void put_aliases(struct house_cache *cache, struct snapshot *snapshot,
                        struct changeset *changeset)
{
    struct alias_record alias = {.kind = ALIAS_STATIC,
                                 .state = ALIAS_REFUSED,
                                 .reason = REASON_RESERVED,
                                 .extension = EXTENSION_DROP};
    (void)cache;
    (void)snapshot;
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        changeset_begin_group(changeset, false);
        changeset_put_alias(changeset, DOMAIN, names[i], &alias);
        changeset_put_alias(changeset, OTHER, names[i], &alias);
    }
}

struct seen {
    struct buffer text;
    size_t left;
};

static bool see_alias(void *context, const char *domain, const char *local,
                      const struct alias_record *record)
{
    struct seen *seen = context;
    (void)record;
    assert_string_equal(domain, DOMAIN);
    buffer_appendf(&seen->text, "%s ", local);
    return --seen->left != 0;
}

static const struct {
    const char *after;
    size_t count;
    const char *wanted;
} alias_cases[] = {
    {"", 9, "a ab b b-c z "},
    {"", 2, "a ab "},
    {"a", 9, "ab b b-c z "},
    {"ab", 9, "b b-c z "},
    {"aa", 9, "ab b b-c z "},
    {"b", 1, "b-c "},
    {"z", 9, ""},
    {"zz", 9, ""},
};

static void aliases_go_on_behind_a_name(void **state)
{
    struct house_cache *cache = *state;
    struct error error;
    house_cache_change(cache, put_aliases);
    struct snapshot *snapshot = house_cache_look(cache);
    for (size_t i = 0; i < ARRAY_LENGTH(alias_cases); i++) {
        struct seen seen = {.left = alias_cases[i].count};
        assert_true(snapshot_each_alias_after(snapshot, DOMAIN, alias_cases[i].after, see_alias,
                                              &seen, &error));
        assert_string_equal(buffer_text(&seen.text), alias_cases[i].wanted);
        buffer_finish(&seen.text);
    }
    snapshot_end(snapshot);
}

static void put_events(struct house_cache *cache, struct snapshot *snapshot,
                       struct changeset *changeset)
{
    (void)cache;
    (void)snapshot;
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        struct event_record event = {.at_s = 1,
                                     .actor = span_of("somebody"),
                                     .act = span_of("something"),
                                     .subject = span_of(names[i])};
        changeset_event(changeset, &event);
    }
}

static bool see_event(void *context, uint64_t sequence, const struct event_record *record)
{
    struct seen *seen = context;
    (void)record;
    buffer_appendf(&seen->text, "%d ", (int)sequence);
    return --seen->left != 0;
}

static const struct {
    uint64_t before;
    size_t count;
    const char *wanted;
} event_cases[] = {
    {UINT64_MAX, 9, "5 4 3 2 1 "},
    {UINT64_MAX, 2, "5 4 "},
    {6, 9, "5 4 3 2 1 "},
    {5, 9, "4 3 2 1 "},
    {3, 1, "2 "},
    {1, 9, ""},
    {0, 9, ""},
};

static void events_go_on_before_a_number(void **state)
{
    struct house_cache *cache = *state;
    struct error error;
    struct seen none = {.left = 9};
    struct snapshot *snapshot = house_cache_look(cache);
    assert_true(snapshot_each_event_before(snapshot, UINT64_MAX, see_event, &none, &error));
    assert_int_equal(none.text.length, 0);
    snapshot_end(snapshot);
    house_cache_change(cache, put_events);
    snapshot = house_cache_look(cache);
    for (size_t i = 0; i < ARRAY_LENGTH(event_cases); i++) {
        struct seen seen = {.left = event_cases[i].count};
        assert_true(
            snapshot_each_event_before(snapshot, event_cases[i].before, see_event, &seen, &error));
        assert_string_equal(buffer_text(&seen.text), event_cases[i].wanted);
        buffer_finish(&seen.text);
    }
    snapshot_end(snapshot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(aliases_go_on_behind_a_name, house_cache_set_up,
                                        house_cache_tear_down),
        cmocka_unit_test_setup_teardown(events_go_on_before_a_number, house_cache_set_up,
                                        house_cache_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
