/* All that is held about a person, and nothing that is another's or was written for operators. */
#include "../action/enrol_world.h"
#include "action/ban.h"
#include "action/self.h"
#include "report/person_json.h"

#define ME "https://login.example/+id/me"
#define ROWS                                                                        \
    "domain " DOMAIN "\ndomain " OTHER "\n"                                         \
    "person jdoe 5 login=" ME " to=p+jdoe@home.example to=l+jd@launchpad.example\n" \
    "person ann 6 to=o+ann@home.example\n"                                          \
    "member " DOMAIN " jdoe 5 live extra=nick\nmember " DOMAIN " ann 6 live\n"      \
    "alias " DOMAIN " jdoe active to=jdoe@home.example\n"                           \
    "alias " DOMAIN " nick active owner=jdoe to=jdoe@home.example\n"                \
    "alias " DOMAIN " ann active to=ann@home.example\n"

static json_t *read_person(struct house_cache *cache, const char *name, bool has_keys)
{
    struct snapshot *snapshot = house_cache_look(cache);
    struct error error;
    json_t *person;
    if (!person_json_read(has_keys ? cache->ring : NULL, snapshot, name, &person, &error))
        fail_msg("%s", error.text);
    snapshot_end(snapshot);
    return person;
}

static void put_undo(struct house_cache *cache, struct snapshot *snapshot,
                     struct changeset *changeset)
{
    const struct undo_record mine = {
        .at_s = 1, .table = UNDO_PERSON, .was_absent = true, .key = span_of("jdoe")};
    const struct undo_record others = {
        .at_s = 1, .table = UNDO_PERSON, .was_absent = true, .key = span_of("ann")};
    (void)cache, (void)snapshot;
    changeset_put_undo(changeset, 1, 1, &mine);
    changeset_put_undo(changeset, 1, 2, &others);
}

static void test_all_of_it(void **state)
{
    struct house_cache *cache = *state;
    const struct action action = enrol_action(cache, 1000);
    struct store_update_result result;
    struct error error;
    enrol_set(cache, ROWS);
    house_cache_change(cache, put_undo);
    assert_true(action_self_pause(&action, ME, true, &result, &error));
    assert_true(action_self_ask_proof(&action, ME, "new@home.example", "https://p.example/#s3cret",
                                      &result, &error));
    assert_true(action_ban(&action, "jdoe", "for operators only", &result, &error));
    json_t *person = read_person(cache, "jdoe", true);
    char *text = json_dumps(person, JSON_SORT_KEYS);
    static const char *const wanted[] = {
        "{\"address\": \"jdoe@home.example\", \"proven\": true, \"source\": \"person\"}",
        "{\"address\": \"jd@launchpad.example\", \"proven\": true, \"source\": \"launchpad\"}",
        "\"login_identifier\": \"" ME "\"",
        "\"is_banned\": true",
        "\"is_paused\": true",
        "\"address\": \"nick@" DOMAIN "\"",
        "\"kind\": \"proof-link\"",
        "\"act\": \"person.pause\"",
        "\"what\": \"banned/banned\"",
        "\"rows_kept_to_undo\": 1",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(wanted); i++)
        if (strstr(text, wanted[i]) == NULL)
            fail_msg("no %s in %s", wanted[i], text);
    static const char *const unwanted[] = {"ann@", "for operators only", "s3cret", OTHER};
    for (size_t i = 0; i < ARRAY_LENGTH(unwanted); i++)
        if (strstr(text, unwanted[i]) != NULL)
            fail_msg("%s in %s", unwanted[i], text);
    free(text);
    json_decref(person);
}

static void test_without_keys(void **state)
{
    struct house_cache *cache = *state;
    enrol_set(cache, ROWS);
    json_t *person = read_person(cache, "jdoe", false);
    assert_true(json_is_null(json_object_get(person, "targets")));
    json_t *domain = json_array_get(json_object_get(person, "domains"), 0);
    json_t *alias = json_array_get(json_object_get(domain, "aliases"), 0);
    assert_true(json_is_null(json_object_get(alias, "targets")));
    json_decref(person);
    assert_null(read_person(cache, "nobody", true));
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, house_cache_set_up, house_cache_tear_down)
    const struct CMUnitTest tests[] = {CASE(test_all_of_it), CASE(test_without_keys)};
    return cmocka_run_group_tests_name("report/person_json", tests, NULL, NULL);
}
