/* What acts on a person leave of the targets. */
#include "../store/cache.h"
#include "action/ban.h"
#include "action/erase.h"
#include "action/pause.h"
#include "membership/target_list.h"

static const struct house house = {.recipient_delimiter = "+"};

struct scene {
    struct cache cache;
    struct keyring *ring;
    struct action action;
};

static void put_person(struct scene *scene, const char *name)
{
    struct buffer row = {0}, sealed = {0};
    struct target_list list = {0};
    struct person_record person = {.date_created_us = 77};
    target_list_add(&list, TARGET_SOURCE_OPERATOR, true, "one@home.example");
    target_list_add(&list, TARGET_SOURCE_OPERATOR, true, "two@home.example");
    target_list_seal(&list, scene->ring, name, &sealed, &person);
    person_record_encode(&row, &person);
    cache_put_raw(&scene->cache, TABLE_PERSON, span_of(name), (struct span){row.data, row.length});
    target_list_finish(&list);
    buffer_finish(&row);
    buffer_finish(&sealed);
}

static int set_up(void **state)
{
    struct scene *scene = calloc(1, sizeof(*scene));
    struct error error = {0};
    cache_make(&scene->cache);
    cache_change(&scene->cache, "close ubuntu.com x");
    if (!keyring_read(scene->cache.keys, &scene->ring, &error))
        fail_msg("%s", error.text);
    put_person(scene, "jdoe");
    scene->action = (struct action){
        .ring = scene->ring,
        .actor = "operator:test",
        .now_s = 1000,
        .house = &house,
    };
    if (!store_open(scene->cache.directory, STORE_WRITE, LIMIT_BYTES, &scene->action.store, &error))
        fail_msg("%s", error.text);
    *state = scene;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *scene = *state;
    store_close(scene->action.store);
    keyring_destroy(scene->ring);
    cache_remove(&scene->cache);
    free(scene);
    return 0;
}

static void check_targets(struct scene *scene, const char *wanted)
{
    struct snapshot *snapshot;
    struct person_record person;
    struct target_list list;
    struct buffer lines = {0};
    struct error error = {0};
    assert_true(snapshot_begin(scene->action.store, &snapshot, &error));
    assert_int_equal(snapshot_person(snapshot, "jdoe", &person, &error), STORE_FOUND);
    assert_int_equal(person.date_created_us, 77);
    if (!target_list_open(scene->ring, "jdoe", &person, &list, &error))
        fail_msg("%s", error.text);
    assert_int_equal(target_list_used(&list, &lines),
                     *wanted != '\0' ? TARGET_SOURCE_OPERATOR : TARGET_SOURCE_NONE);
    assert_string_equal(buffer_text(&lines), wanted);
    buffer_finish(&lines);
    target_list_finish(&list);
    snapshot_end(snapshot);
}

static void a_ban_keeps_the_targets(void **state)
{
    struct scene *scene = *state;
    struct store_update_result result;
    struct error error = {0};
    assert_true(action_ban(&scene->action, "jdoe", "x", &result, &error));
    check_targets(scene, "one@home.example\ntwo@home.example");
    assert_true(action_unban(&scene->action, "jdoe", "", &result, &error));
    check_targets(scene, "one@home.example\ntwo@home.example");
}

static void a_pause_keeps_the_targets(void **state)
{
    struct scene *scene = *state;
    struct store_update_result result;
    struct error error = {0};
    assert_true(action_pause(&scene->action, "jdoe", &result, &error));
    check_targets(scene, "one@home.example\ntwo@home.example");
    assert_false(action_pause(&scene->action, "nobody", &result, &error));
    assert_error(error, ERROR_INVALID, "nobody");
}

static void an_erasure_needs_no_key(void **state)
{
    struct scene *scene = *state;
    struct store_update_result result;
    struct error error = {0};
    assert_true(action_ban(&scene->action, "jdoe", "x", &result, &error));
    scene->action.ring = NULL;
    assert_true(action_erase(&scene->action, "jdoe", &result, &error));
    check_targets(scene, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_ban_keeps_the_targets, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_pause_keeps_the_targets, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_erasure_needs_no_key, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
