/* key: every sealed value is found, sealed anew without a change, and never left without its key.
 */
#include "action/key.h"

#include <unistd.h>

#include "action/target.h"

#include "world.h"

#define EVERYTHING                                                           \
    "alias alias jdoe@d.org: " JDOE "\n"                                     \
    "person person jdoe: o+ " JDOE "\n"                                      \
    "outbox notice 1: " JDOE "\n"                                            \
    "undo alias jdoe@d.org as it was before generation 5: " JDOE_BEFORE "\n" \
    "undo person jdoe as it was before generation 5: o+ " JDOE_BEFORE "\n"

static void assert_all(struct world *world, const char *wanted)
{
    char *all = world_read_all(world);
    assert_string_equal(all, wanted);
    free(all);
}

static struct reseal_result reseal(struct world *world)
{
    struct reseal_result result;
    struct error error;
    if (!action_key_reseal(&world->action, NULL, NULL, &result, &error))
        fail_msg("%s", error.text);
    return result;
}

static void take_census(struct world *world, struct key_census *ret)
{
    struct snapshot *snapshot = world_begin(world);
    struct error error;
    assert_true(key_census_take(snapshot, world->ring, true, ret, &error));
    snapshot_end(snapshot);
}

/* How many values of each table the key at that place of the ring seals. */
static void assert_uses(struct world *world, size_t index, size_t alias, size_t person,
                        size_t outbox, size_t undo)
{
    struct key_census census;
    take_census(world, &census);
    assert_true(index < census.count);
    assert_int_equal(census.keys[index].values[SEALED_ALIAS], alias);
    assert_int_equal(census.keys[index].values[SEALED_PERSON], person);
    assert_int_equal(census.keys[index].values[SEALED_OUTBOX], outbox);
    assert_int_equal(census.keys[index].values[SEALED_UNDO], undo);
    key_census_finish(&census);
}

static uint64_t generation_of_jdoe(struct world *world)
{
    struct snapshot *snapshot = world_begin(world);
    struct alias_record alias;
    struct error error;
    assert_int_equal(snapshot_alias(snapshot, "d.org", span_of("jdoe"), &alias, &error),
                     STORE_FOUND);
    uint64_t generation = alias.stamp.generation;
    snapshot_end(snapshot);
    return generation;
}

static void every_value_is_sealed_anew_and_says_the_same(void **state)
{
    struct world *world = *state;
    world_fill(world);
    assert_all(world, EVERYTHING);
    uint64_t generation = generation_of_jdoe(world);
    world_add_key(world);
    assert_uses(world, 1, 1, 1, 1, 2);
    struct reseal_result result = reseal(world);
    assert_int_equal(result.resealed, 5);
    assert_int_equal(result.unopened, 0);
    assert_uses(world, 0, 1, 1, 1, 2);
    assert_uses(world, 1, 0, 0, 0, 0);
    assert_all(world, EVERYTHING);
    /* A held plan and a roll-back look at the generation of a row. */
    assert_int_equal(generation_of_jdoe(world), generation);
}

static bool count_unchanged(void *context, const struct sealed_value *value)
{
    struct buffer *all = context;
    buffer_append(all, value->sealed.data, value->sealed.length);
    return true;
}

static void what_the_first_key_seals_is_left_alone(void **state)
{
    struct world *world = *state;
    struct buffer before = {0}, after = {0};
    struct error error;
    world_fill(world);
    struct snapshot *snapshot = world_begin(world);
    assert_true(sealed_each(snapshot, count_unchanged, &before, &error));
    snapshot_end(snapshot);
    assert_int_equal(reseal(world).resealed, 0);
    snapshot = world_begin(world);
    assert_true(sealed_each(snapshot, count_unchanged, &after, &error));
    snapshot_end(snapshot);
    assert_int_equal(before.length, after.length);
    assert_memory_equal(before.data, after.data, after.length);
    buffer_finish(&before);
    buffer_finish(&after);
}

static bool plan_many(void *context, struct snapshot *snapshot, struct changeset *changeset,
                      struct error *error)
{
    (void)snapshot, (void)error;
    for (unsigned i = 0; i < 9000; i++) {
        char name[16];
        snprintf(name, sizeof(name), "m%05u", i);
        changeset_begin_group(changeset, true);
        world_put_alias(context, changeset, name, JDOE);
    }
    return true;
}

static void note_progress(void *context, size_t resealed)
{
    size_t *most = context;
    assert_true(resealed - most[0] <= 4000);
    most[0] = resealed;
    most[1]++;
}

static void many_values_are_sealed_in_pieces(void **state)
{
    struct world *world = *state;
    struct store_update_result update;
    struct reseal_result result;
    struct error error;
    size_t progress[2] = {0};
    assert_true(store_update(world->store, plan_many, world, &update, &error));
    world_add_key(world);
    assert_true(action_key_reseal(&world->action, note_progress, progress, &result, &error));
    assert_int_equal(result.resealed, 9000);
    assert_int_equal(result.generation, update.generation + 3);
    assert_int_equal(progress[1], 3);
    assert_uses(world, 0, 9000, 0, 0, 0);
}

static void a_rotation_that_is_not_done_is_seen(void **state)
{
    struct world *world = *state;
    struct key_census census;
    world_fill(world);
    take_census(world, &census);
    assert_false(key_census_is_mixed(&census));
    key_census_finish(&census);
    world_add_key(world);
    take_census(world, &census);
    assert_true(key_census_is_mixed(&census));
    key_census_finish(&census);
    reseal(world);
    take_census(world, &census);
    assert_false(key_census_is_mixed(&census));
    key_census_finish(&census);
}

static bool plan_moved_value(void *context, struct snapshot *snapshot, struct changeset *changeset,
                             struct error *error)
{
    struct alias_record alias;
    (void)context;
    assert_int_equal(snapshot_alias(snapshot, "d.org", span_of("jdoe"), &alias, error),
                     STORE_FOUND);
    changeset_put_alias(changeset, "d.org", "mallory", &alias);
    alias.sealed_targets = span_of("no sealed value");
    changeset_put_alias(changeset, "d.org", "rubbish", &alias);
    return true;
}

static void what_does_not_open_is_counted_named_and_left(void **state)
{
    struct world *world = *state;
    struct store_update_result update;
    struct key_census census;
    struct error error;
    world_fill(world);
    assert_true(store_update(world->store, plan_moved_value, NULL, &update, &error));
    uint32_t old_id = keyring_id(world->ring, 0);
    world_add_key(world);
    struct reseal_result result = reseal(world);
    assert_int_equal(result.resealed, 5);
    assert_int_equal(result.unopened, 2);
    take_census(world, &census);
    assert_int_equal(census.unopened, 2);
    assert_int_equal(census.malformed, 1);
    assert_int_equal(census.keys[1].unopened, 1);
    assert_string_equal(buffer_text(&census.unopened_names),
                        "alias mallory@d.org\nalias rubbish@d.org\n");
    /* It does not keep a rotation from ever being done. */
    assert_false(key_census_is_mixed(&census));
    key_census_finish(&census);
    assert_false(action_key_retire(&world->action, old_id, &update, &error));
    assert_error(error, ERROR_INVALID, "still seals 1 values (alias 1, person 0");
}

static void a_missing_key_is_told_by_its_number(void **state)
{
    struct world *world = *state;
    struct key_census census;
    struct error error;
    world_fill(world);
    uint32_t old_id = keyring_id(world->ring, 0);
    world_add_key(world);
    assert_true(keyring_file_remove(world->keys, old_id, &error));
    world_read_ring(world);
    take_census(world, &census);
    assert_int_equal(census.count, 2);
    assert_int_equal(census.keys[1].id, old_id);
    assert_false(census.keys[1].is_in_ring);
    assert_int_equal(census.keys[1].unopened, 5);
    assert_int_equal(census.unopened, 5);
    key_census_finish(&census);
}

static void a_key_is_retired_when_nothing_uses_it(void **state)
{
    struct world *world = *state;
    struct store_update_result update;
    struct error error;
    world_fill(world);
    uint32_t old_id = keyring_id(world->ring, 0);
    assert_false(action_key_retire(&world->action, old_id, &update, &error));
    assert_error(error, ERROR_INVALID, "seals; lpalias key rotate");
    uint32_t new_id = world_add_key(world);
    assert_false(action_key_retire(&world->action, old_id, &update, &error));
    assert_error(error, ERROR_INVALID,
                 "still seals 5 values (alias 1, person 1, outbox 1, undo 2)");
    assert_false(action_key_retire(&world->action, new_id, &update, &error));
    assert_error(error, ERROR_INVALID, "seals; lpalias key rotate");
    assert_false(action_key_retire(&world->action, 1000000000, &update, &error));
    assert_error(error, ERROR_INVALID, "has no key 1000000000");
    reseal(world);
    assert_true(action_key_retire(&world->action, old_id, &update, &error));
    assert_true(update.changed);
    /* Killed before the key file was changed: again, and nothing is to be done in the cache. */
    assert_true(action_key_retire(&world->action, old_id, &update, &error));
    assert_false(update.changed);
}

/* It read the key file before, and would seal what nothing opens any more. */
static void a_writer_with_an_old_ring_cannot_use_a_retired_key(void **state)
{
    struct world *world = *state;
    struct store_update_result update;
    struct keyring *old_ring;
    struct error error;
    world_fill(world);
    assert_true(keyring_read(world->keys, &old_ring, &error));
    uint32_t old_id = keyring_id(old_ring, 0);
    world_add_key(world);
    reseal(world);
    assert_true(action_key_retire(&world->action, old_id, &update, &error));
    struct world late = *world;
    late.ring = old_ring;
    assert_false(store_update(world->store, world_plan, &late, &update, &error));
    assert_error(error, ERROR_TEMPORARY, "is retired and seals nothing any more");
    assert_all(world, EVERYTHING);
    assert_true(store_update(world->store, world_plan, world, &update, &error));
    keyring_destroy(old_ring);
}

/* Whoever read the key file before a rotation must not take its values for lost ones. */
static void a_value_of_a_newer_key_is_not_replaced(void **state)
{
    struct world *world = *state;
    struct store_update_result update;
    struct keyring *old_ring;
    struct error error;
    static const char *const targets[] = {"new@target.example"};
    world_fill(world);
    assert_true(keyring_read(world->keys, &old_ring, &error));
    world_add_key(world);
    reseal(world);
    struct action late = world->action;
    late.ring = old_ring;
    assert_false(action_target_set(&late, "jdoe", targets, 1, &update, &error));
    assert_error(error, ERROR_TEMPORARY, "has a new key since it was read");
    assert_all(world, EVERYTHING);
    keyring_destroy(old_ring);
    /* The key is lost for good: after a rotation to another one the operator can mend it. */
    assert_int_equal(unlink(world->keys), 0);
    assert_true(keyring_generate(world->keys, (gid_t)-1, &error));
    world_read_ring(world);
    assert_false(action_target_set(&world->action, "jdoe", targets, 1, &update, &error));
    assert_int_equal(reseal(world).unopened, 5);
    assert_true(action_target_set(&world->action, "jdoe", targets, 1, &update, &error));
    assert_true(update.changed);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)
    const struct CMUnitTest tests[] = {
        CASE(every_value_is_sealed_anew_and_says_the_same),
        CASE(what_the_first_key_seals_is_left_alone),
        CASE(many_values_are_sealed_in_pieces),
        CASE(a_rotation_that_is_not_done_is_seen),
        CASE(what_does_not_open_is_counted_named_and_left),
        CASE(a_missing_key_is_told_by_its_number),
        CASE(a_key_is_retired_when_nothing_uses_it),
        CASE(a_value_of_a_newer_key_is_not_replaced),
        CASE(a_writer_with_an_old_ring_cannot_use_a_retired_key),
    };
    return cmocka_run_group_tests_name("action/key", tests, NULL, NULL);
}
