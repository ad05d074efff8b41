/* restore: what comes of the backup, what stays of the live cache, what goes. */
#include "action/restore.h"

#include <fcntl.h>
#include <unistd.h>

#include "world.h"

static char *backup_path(const struct world *world)
{
    static char path[128];
    snprintf(path, sizeof(path), "%s/backup.mdb", world->directory);
    return path;
}

static void back_up(struct world *world)
{
    struct error error;
    int fd = open(backup_path(world), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    if (!store_backup(world->store, fd, &error))
        fail_msg("%s", error.text);
    close(fd);
}

static struct restore_result restore(struct world *world)
{
    struct store *backup;
    struct key_census keys;
    struct restore_result result = {0};
    struct error error;
    if (!store_open_backup(backup_path(world), WORLD_LIMIT_BYTES, &backup, &error) ||
        !restore_check_keys(backup, world->ring, &keys, &error) ||
        !action_restore(&world->action, backup, &keys, &result, &error))
        fail_msg("%s", error.text);
    key_census_finish(&keys);
    store_close(backup);
    return result;
}

static void update(struct world *world, changeset_plan *plan)
{
    struct store_update_result result;
    struct error error;
    if (!store_update(world->store, plan, world, &result, &error))
        fail_msg("%s", error.text);
}

static void assert_all(struct world *world, const char *wanted)
{
    char *all = world_read_all(world);
    assert_string_equal(all, wanted);
    free(all);
}

/* After the backup: a notice is handed over and another waits, somebody new, another domain. */
static bool plan_later(void *context, struct snapshot *snapshot, struct changeset *changeset,
                       struct error *error)
{
    const struct world *world = context;
    const struct domain_record domain = {.is_open = true, .team = span_of("other")};
    const struct sent_record sent = {.first_s = 1, .last_s = 2};
    const struct plan_record held = {.holds = PLAN_HOLDS_ALL};
    const struct membership_record membership = {.extension = EXTENSION_APPEND, .is_member = true};
    const struct login_record login = {.name = span_of("late")};
    struct outbox_record notice = {.id = {9}, .audience = AUDIENCE_ADMINS, .kind = span_of("gone")};
    (void)snapshot, (void)error;
    changeset_delete_notice(changeset, 1);
    changeset_notice(changeset, &notice);
    changeset_put_sent(changeset, "d.org", "jdoe", "leaving", &sent);
    changeset_put_domain(changeset, "late.org", &domain);
    changeset_put_plan(changeset, "d.org", &held);
    changeset_put_membership(changeset, "d.org", "late", &membership);
    changeset_put_login(changeset, "https://login/late", &login);
    world_put_alias(world, changeset, "late", "late@target.example");
    world_put_person(world, changeset, "late", "o+ late@target.example");
    world_put_alias(world, changeset, "jdoe", "moved@target.example");
    return true;
}

static bool count_notice(void *context, uint64_t sequence, const struct outbox_record *record)
{
    (void)sequence;
    *(unsigned *)context = *(unsigned *)context * 100 + record->id[0];
    return true;
}

static bool check_event(void *context, uint64_t sequence, const struct event_record *record)
{
    struct buffer *acts = context;
    (void)sequence;
    buffer_append(acts, record->act.data, record->act.length);
    buffer_append_char(acts, ' ');
    return true;
}

static void the_backups_rows_come_and_what_waits_stays(void **state)
{
    struct world *world = *state;
    struct error error;
    struct domain_record domain;
    struct alias_record alias;
    struct membership_record membership;
    struct login_record login;
    struct plan_record held;
    struct sent_record sent;
    char before[33], after[33];
    unsigned notices = 0;
    world_fill(world);
    back_up(world);
    update(world, plan_later);
    struct snapshot *snapshot = world_begin(world);
    snapshot_cache_id(snapshot, before);
    uint64_t generation = snapshot_generation(snapshot);
    snapshot_end(snapshot);
    struct restore_result result = restore(world);
    assert_int_equal(result.generation, generation + 1);
    assert_int_equal(result.aliases, 1);
    assert_int_equal(result.people, 1);
    assert_int_equal(result.domains, 1);
    assert_false(result.was_empty);
    assert_false(result.is_another_cache);
    /* The notice that was handed over does not come back, and undo is gone. */
    assert_all(world, "alias alias jdoe@d.org: " JDOE "\nperson person jdoe: o+ " JDOE "\n");
    snapshot = world_begin(world);
    assert_string_equal(snapshot_cache_id(snapshot, after), before);
    assert_int_equal(snapshot_alias(snapshot, "d.org", span_of("jdoe"), &alias, &error),
                     STORE_FOUND);
    assert_int_equal(alias.stamp.generation, result.generation);
    static const char *const domains[] = {"d.org", "late.org"};
    for (size_t i = 0; i < ARRAY_LENGTH(domains); i++) {
        assert_int_equal(snapshot_domain(snapshot, domains[i], &domain, &error), STORE_FOUND);
        assert_false(domain.is_open);
    }
    assert_int_equal(snapshot_membership(snapshot, "d.org", "late", &membership, &error),
                     STORE_ABSENT);
    assert_int_equal(snapshot_login(snapshot, "https://login/late", &login, &error), STORE_ABSENT);
    assert_int_equal(snapshot_plan(snapshot, "d.org", &held, &error), STORE_ABSENT);
    assert_int_equal(snapshot_sent(snapshot, "d.org", "jdoe", "leaving", &sent, &error),
                     STORE_FOUND);
    assert_int_equal(sent.last_s, 2);
    assert_true(snapshot_each_notice(snapshot, count_notice, &notices, &error));
    assert_int_equal(notices, 9);
    snapshot_end(snapshot);
}

static bool plan_history(void *context, struct snapshot *snapshot, struct changeset *changeset,
                         struct error *error)
{
    const struct event_record event = {.act = span_of("alias.active")};
    const struct sent_record sent = {.first_s = 1, .last_s = 2};
    (void)context, (void)snapshot, (void)error;
    changeset_event(changeset, &event);
    changeset_put_sent(changeset, "d.org", "jdoe", "leaving", &sent);
    return true;
}

static void an_empty_cache_gets_the_history_too(void **state)
{
    struct world *world = *state;
    struct error error;
    struct sent_record sent;
    struct buffer acts = {0};
    world_fill(world);
    update(world, plan_history);
    back_up(world);
    store_close(world->store);
    snprintf(world->cache, sizeof(world->cache), "%s/another", world->directory);
    world_open(world);
    struct restore_result result = restore(world);
    assert_true(result.was_empty);
    assert_true(result.is_another_cache);
    assert_int_equal(result.generation, 1);
    /* The notice has a number behind that of the event. */
    assert_all(world, "alias alias jdoe@d.org: " JDOE "\nperson person jdoe: o+ " JDOE
                      "\noutbox notice 2: " JDOE "\n");
    struct snapshot *snapshot = world_begin(world);
    assert_true(snapshot_each_event(snapshot, check_event, &acts, &error));
    assert_string_equal(buffer_text(&acts), "alias.active cache.restore ");
    assert_int_equal(snapshot_sent(snapshot, "d.org", "jdoe", "leaving", &sent, &error),
                     STORE_FOUND);
    snapshot_end(snapshot);
    buffer_finish(&acts);
}

static void a_backup_that_the_ring_does_not_open_is_refused(void **state)
{
    struct world *world = *state;
    struct store *backup;
    struct key_census keys;
    struct error error;
    world_fill(world);
    back_up(world);
    uint32_t old_id = keyring_id(world->ring, 0);
    world_add_key(world);
    assert_true(keyring_file_remove(world->keys, old_id, &error));
    world_read_ring(world);
    assert_true(store_open_backup(backup_path(world), WORLD_LIMIT_BYTES, &backup, &error));
    assert_false(restore_check_keys(backup, world->ring, &keys, &error));
    assert_error(error, ERROR_INVALID, "5 values of the backup are sealed by key");
    key_census_finish(&keys);
    /* The same number, and another key. */
    FILE *file = fopen(world->keys, "w");
    assert_non_null(file);
    fprintf(file, "%u %064u\n", (unsigned)old_id, 0U);
    fclose(file);
    world_read_ring(world);
    assert_false(restore_check_keys(backup, world->ring, &keys, &error));
    assert_error(error, ERROR_INVALID, "the key file is another one");
    key_census_finish(&keys);
    store_close(backup);
}

/* Put into the key file again for the backup, a retired key may be used again. */
static void a_retired_key_that_the_backup_needs_comes_back(void **state)
{
    struct world *world = *state;
    struct store_update_result result;
    struct reseal_result resealed;
    struct error error;
    world_fill(world);
    back_up(world);
    uint32_t old_id = keyring_id(world->ring, 0);
    world_add_key(world);
    assert_true(action_key_reseal(&world->action, NULL, NULL, &resealed, &error));
    assert_true(action_key_retire(&world->action, old_id, &result, &error));
    /* The key file has it still. */
    restore(world);
    assert_all(world, "alias alias jdoe@d.org: " JDOE "\nperson person jdoe: o+ " JDOE
                      "\noutbox notice 1: " JDOE "\n");
    assert_true(action_key_reseal(&world->action, NULL, NULL, &resealed, &error));
    assert_int_equal(resealed.resealed, 2);
    assert_true(action_key_retire(&world->action, old_id, &result, &error));
    assert_true(result.changed);
}

static void what_is_no_backup_is_refused(void **state)
{
    struct world *world = *state;
    struct store *backup;
    struct error error;
    world_fill(world);
    back_up(world);
    assert_int_equal(truncate(backup_path(world), 5 * 4096), 0);
    assert_false(store_open_backup(backup_path(world), WORLD_LIMIT_BYTES, &backup, &error));
    assert_error(error, ERROR_TEMPORARY, "it was cut short");
    assert_int_equal(truncate(backup_path(world), 0), 0);
    assert_false(store_open_backup(backup_path(world), WORLD_LIMIT_BYTES, &backup, &error));
    assert_error(error, ERROR_TEMPORARY, "cannot open the backup");
    assert_false(store_open_backup(world->keys, WORLD_LIMIT_BYTES, &backup, &error));
    assert_error(error, ERROR_TEMPORARY, "not an LMDB file");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)
    const struct CMUnitTest tests[] = {
        CASE(the_backups_rows_come_and_what_waits_stays),
        CASE(an_empty_cache_gets_the_history_too),
        CASE(a_backup_that_the_ring_does_not_open_is_refused),
        CASE(a_retired_key_that_the_backup_needs_comes_back),
        CASE(what_is_no_backup_is_refused),
    };
    return cmocka_run_group_tests_name("action/restore", tests, NULL, NULL);
}
