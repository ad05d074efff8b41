#include "action/restore.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "action/update.h"
#include "action/upgrade.h"

struct restoring {
    struct snapshot *backup;
    const struct key_census *keys; /* of the backup */
    const struct planning *planning;
    struct restore_result result;
    struct buffer sealed;
    struct error error; /* of a visit that ended its walk */
    bool is_failed;
};

/* The walk of a table was told its trouble, or one of its visits was. */
static bool is_walked(const struct restoring *restoring, bool is_told, struct error *error)
{
    if (is_told && restoring->is_failed)
        *error = restoring->error;
    return is_told && !restoring->is_failed;
}

/* ---- rows that only the live cache has go ---- */

static bool is_absent(struct restoring *restoring, enum store_result in_backup)
{
    restoring->is_failed = in_backup == STORE_TROUBLE;
    return in_backup == STORE_ABSENT;
}

static bool drop_alias(void *context, const char *domain, const char *local,
                       const struct alias_record *record)
{
    struct restoring *restoring = context;
    struct alias_record kept;
    (void)record;
    if (is_absent(restoring, snapshot_alias(restoring->backup, domain, span_of(local), &kept,
                                            &restoring->error)))
        changeset_delete_alias(restoring->planning->changeset, domain, local);
    return !restoring->is_failed;
}

static bool drop_person(void *context, const char *name, const struct person_record *record)
{
    struct restoring *restoring = context;
    struct person_record kept;
    (void)record;
    if (is_absent(restoring, snapshot_person(restoring->backup, name, &kept, &restoring->error)))
        changeset_delete_person(restoring->planning->changeset, name);
    return !restoring->is_failed;
}

static bool drop_membership(void *context, const char *domain, const char *name,
                            const struct membership_record *record)
{
    struct restoring *restoring = context;
    struct membership_record kept;
    (void)record;
    if (is_absent(restoring,
                  snapshot_membership(restoring->backup, domain, name, &kept, &restoring->error)))
        changeset_delete_membership(restoring->planning->changeset, domain, name);
    return !restoring->is_failed;
}

static bool drop_login(void *context, const char *identifier, const struct login_record *record)
{
    struct restoring *restoring = context;
    struct login_record kept;
    (void)record;
    if (is_absent(restoring,
                  snapshot_login(restoring->backup, identifier, &kept, &restoring->error)))
        changeset_delete_login(restoring->planning->changeset, identifier);
    return !restoring->is_failed;
}

/* A domain leaves by `lpalias domain remove` only: without it its mail would be refused. */
static bool close_domain(void *context, const char *domain, const struct domain_record *record)
{
    struct restoring *restoring = context;
    struct domain_record row = *record;
    row.is_open = false;
    changeset_put_domain(restoring->planning->changeset, domain, &row);
    return true;
}

static bool drop_plan(void *context, const char *domain, const struct plan_record *record)
{
    struct restoring *restoring = context;
    (void)record;
    changeset_delete_plan(restoring->planning->changeset, domain);
    return true;
}

static bool drop_undo(void *context, uint64_t generation, uint64_t number,
                      const struct undo_record *record)
{
    struct restoring *restoring = context;
    (void)record;
    changeset_delete_undo(restoring->planning->changeset, generation, number);
    return true;
}

static bool drop_live(struct restoring *restoring, struct error *error)
{
    struct snapshot *live = restoring->planning->snapshot;
    return is_walked(restoring, snapshot_each_alias(live, NULL, drop_alias, restoring, error),
                     error) &&
           is_walked(restoring, snapshot_each_person(live, drop_person, restoring, error), error) &&
           is_walked(restoring,
                     snapshot_each_membership(live, NULL, drop_membership, restoring, error),
                     error) &&
           is_walked(restoring, snapshot_each_login(live, drop_login, restoring, error), error) &&
           snapshot_each_domain(live, close_domain, restoring, error) &&
           snapshot_each_plan(live, drop_plan, restoring, error) &&
           snapshot_each_undo(live, 0, drop_undo, restoring, error);
}

/* ---- rows of the backup come ---- */

static bool put_alias(void *context, const char *domain, const char *local,
                      const struct alias_record *record)
{
    struct restoring *restoring = context;
    restoring->result.aliases++;
    changeset_put_alias(restoring->planning->changeset, domain, local, record);
    return true;
}

static bool put_person(void *context, const char *name, const struct person_record *record)
{
    struct restoring *restoring = context;
    struct person_record row = *record;
    bool is_opened;
    restoring->is_failed = !upgrade_person(restoring->planning->ring, name, &row,
                                           &restoring->sealed, &is_opened, &restoring->error);
    restoring->result.people++;
    if (!restoring->is_failed)
        changeset_put_person(restoring->planning->changeset, name, &row);
    return !restoring->is_failed;
}

static bool put_membership(void *context, const char *domain, const char *name,
                           const struct membership_record *record)
{
    struct restoring *restoring = context;
    restoring->result.memberships++;
    changeset_put_membership(restoring->planning->changeset, domain, name, record);
    return true;
}

static bool put_login(void *context, const char *identifier, const struct login_record *record)
{
    struct restoring *restoring = context;
    changeset_put_login(restoring->planning->changeset, identifier, record);
    return true;
}

static bool put_domain(void *context, const char *domain, const struct domain_record *record)
{
    struct restoring *restoring = context;
    restoring->result.domains++;
    return close_domain(restoring, domain, record);
}

static bool put_backup(struct restoring *restoring, struct error *error)
{
    struct snapshot *backup = restoring->backup;
    return snapshot_each_alias(backup, NULL, put_alias, restoring, error) &&
           is_walked(restoring, snapshot_each_person(backup, put_person, restoring, error),
                     error) &&
           snapshot_each_membership(backup, NULL, put_membership, restoring, error) &&
           snapshot_each_login(backup, put_login, restoring, error) &&
           snapshot_each_domain(backup, put_domain, restoring, error);
}

/* ---- what an empty cache gets besides ---- */

static bool add_event(void *context, uint64_t sequence, const struct event_record *record)
{
    struct restoring *restoring = context;
    (void)sequence;
    changeset_event(restoring->planning->changeset, record);
    return true;
}

/* Its id, and so the Message-ID, stays: should it have been sent, it can be told for a repeat. */
static bool add_notice(void *context, uint64_t sequence, const struct outbox_record *record)
{
    struct restoring *restoring = context;
    (void)sequence;
    changeset_notice(restoring->planning->changeset, record);
    return true;
}

static bool put_sent(void *context, const char *domain, const char *name, const char *word,
                     const struct sent_record *record)
{
    struct restoring *restoring = context;
    changeset_put_sent(restoring->planning->changeset, domain, name, word, record);
    return true;
}

static bool put_history(struct restoring *restoring, struct error *error)
{
    struct snapshot *backup = restoring->backup;
    return snapshot_each_event(backup, add_event, restoring, error) &&
           snapshot_each_notice(backup, add_notice, restoring, error) &&
           snapshot_each_sent(backup, NULL, put_sent, restoring, error);
}

static bool find_alias(void *context, const char *domain, const char *local,
                       const struct alias_record *record)
{
    (void)domain, (void)local, (void)record;
    *(bool *)context = true;
    return false;
}

static bool find_person(void *context, const char *name, const struct person_record *record)
{
    (void)name, (void)record;
    *(bool *)context = true;
    return false;
}

static bool find_domain(void *context, const char *domain, const struct domain_record *record)
{
    (void)domain, (void)record;
    *(bool *)context = true;
    return false;
}

static bool find_notice(void *context, uint64_t sequence, const struct outbox_record *record)
{
    (void)sequence, (void)record;
    *(bool *)context = true;
    return false;
}

static bool look_whether_empty(struct snapshot *live, bool *ret, struct error *error)
{
    bool is_found = false;
    if (!snapshot_each_alias(live, NULL, find_alias, &is_found, error) ||
        !snapshot_each_person(live, find_person, &is_found, error) ||
        !snapshot_each_domain(live, find_domain, &is_found, error) ||
        !snapshot_each_notice(live, find_notice, &is_found, error))
        return false;
    *ret = !is_found;
    return true;
}

/* ---- keys ---- */

static bool check_census(const struct key_census *census, struct error *error)
{
    size_t total = census->malformed;
    for (size_t i = 0; i < census->count; i++) {
        const struct key_use *use = &census->keys[i];
        total += key_use_total(use);
        if (!use->is_in_ring)
            return error_set(error, ERROR_INVALID,
                             "%zu values of the backup are sealed by key %u, which is not in the "
                             "key file; put its line back, behind the first",
                             key_use_total(use), (unsigned)use->id);
    }
    return total == 0 || census->unopened < total ||
           error_set(error, ERROR_INVALID,
                     "none of the backup's sealed values opens: the key file is another one");
}

bool restore_check_keys(struct store *backup, const struct keyring *ring, struct key_census *ret,
                        struct error *error)
{
    struct snapshot *snapshot;
    *ret = (struct key_census){0};
    if (!snapshot_begin(backup, &snapshot, error))
        return false;
    bool is_fine = key_census_take(snapshot, ring, true, ret, error) && check_census(ret, error);
    snapshot_end(snapshot);
    return is_fine;
}

/* A key that was retired and put into the ring again for this backup may be used again. */
static bool unretire_keys(struct restoring *restoring, struct error *error)
{
    struct keys_record keys;
    struct buffer kept = {0};
    enum store_result result = snapshot_keys(restoring->planning->snapshot, &keys, error);
    if (result != STORE_FOUND)
        return result == STORE_ABSENT;
    for (size_t at = 0; at + 4 <= keys.retired.length; at += 4) {
        const struct keys_record one = {.retired = {keys.retired.data + at, 4}};
        bool is_used = false;
        for (size_t i = 0; i < restoring->keys->count; i++)
            is_used = is_used || (key_use_total(&restoring->keys->keys[i]) != 0 &&
                                  keys_record_is_retired(&one, restoring->keys->keys[i].id));
        if (!is_used)
            buffer_append(&kept, one.retired.data, one.retired.length);
    }
    if (kept.length != keys.retired.length) {
        keys.retired = (struct span){kept.data, kept.length};
        changeset_put_keys(restoring->planning->changeset, &keys);
    }
    buffer_finish(&kept);
    return true;
}

/* ---- the act ---- */

static void tell(const struct restoring *restoring)
{
    struct buffer detail = {0};
    char id[33];
    buffer_appendf(&detail, "generation %" PRIu64 " of cache %s, %zu aliases, %zu people",
                   restoring->result.backup_generation, snapshot_cache_id(restoring->backup, id),
                   restoring->result.aliases, restoring->result.people);
    action_event(restoring->planning, "cache.restore", "", "", buffer_text(&detail));
    buffer_finish(&detail);
}

/* One group, so that it is one transaction however large. */
static bool plan_restore(void *context, const struct planning *planning, struct error *error)
{
    struct restoring *restoring = context;
    char live_id[33], backup_id[33];
    restoring->planning = planning;
    restoring->is_failed = false;
    restoring->result = (struct restore_result){
        .backup_generation = snapshot_generation(restoring->backup),
        .unopened = restoring->keys->unopened,
        .is_another_cache = strcmp(snapshot_cache_id(planning->snapshot, live_id),
                                   snapshot_cache_id(restoring->backup, backup_id)) != 0,
    };
    changeset_begin_group(planning->changeset, false);
    if (!look_whether_empty(planning->snapshot, &restoring->result.was_empty, error) ||
        !drop_live(restoring, error) || !put_backup(restoring, error) ||
        (restoring->result.was_empty && !put_history(restoring, error)) ||
        !unretire_keys(restoring, error))
        return false;
    tell(restoring);
    return true;
}

bool action_restore(const struct action *action, struct store *backup,
                    const struct key_census *keys, struct restore_result *ret, struct error *error)
{
    struct restoring restoring = {.keys = keys};
    struct store_update_result update;
    if (!snapshot_begin(backup, &restoring.backup, error))
        return false;
    bool is_done = action_update(action, plan_restore, &restoring, &update, error);
    *ret = restoring.result;
    if (is_done)
        ret->generation = update.generation;
    buffer_finish(&restoring.sealed);
    snapshot_end(restoring.backup);
    return is_done;
}
