#include "action/upgrade.h"

#include "action/update.h"
#include "membership/target_list.h"

bool upgrade_person(const struct keyring *ring, const char *name, struct person_record *person,
                    struct buffer *sealed, bool *ret_opened, struct error *error)
{
    struct target_list list;
    struct error unopened;
    *ret_opened = true;
    if (person->stamp.layout != 1)
        return true;
    *ret_opened = target_list_open(ring, name, person, &list, &unopened);
    if (*ret_opened)
        target_list_seal(&list, ring, name, sealed, person);
    target_list_finish(&list);
    if (*ret_opened || unopened.kind == ERROR_INVALID)
        return true;
    *error = unopened;
    return false;
}

struct upgrading {
    const struct planning *planning;
    struct store *store;
    struct upgrade_result result;
    struct buffer sealed;
    struct error error; /* of a person */
    bool is_failed;
};

static bool put_alias(void *context, const char *domain, const char *local,
                      const struct alias_record *record)
{
    struct upgrading *upgrading = context;
    changeset_put_alias(upgrading->planning->changeset, domain, local, record);
    return true;
}

static bool put_person(void *context, const char *name, const struct person_record *record)
{
    struct upgrading *upgrading = context;
    struct person_record row = *record;
    bool is_opened;
    upgrading->is_failed = !upgrade_person(upgrading->planning->ring, name, &row,
                                           &upgrading->sealed, &is_opened, &upgrading->error);
    upgrading->result.unopened += !is_opened;
    if (!upgrading->is_failed)
        changeset_put_person(upgrading->planning->changeset, name, &row);
    return !upgrading->is_failed;
}

static bool put_membership(void *context, const char *domain, const char *name,
                           const struct membership_record *record)
{
    struct upgrading *upgrading = context;
    changeset_put_membership(upgrading->planning->changeset, domain, name, record);
    return true;
}

static bool put_domain(void *context, const char *domain, const struct domain_record *record)
{
    struct upgrading *upgrading = context;
    struct domain_record row = *record;
    row.is_open = row.is_open && !upgrading->result.went_back;
    changeset_put_domain(upgrading->planning->changeset, domain, &row);
    return true;
}

static bool put_event(void *context, uint64_t sequence, const struct event_record *record)
{
    struct upgrading *upgrading = context;
    changeset_put_event(upgrading->planning->changeset, sequence, record);
    return true;
}

static bool put_run(void *context, const char *domain, const struct run_record *record)
{
    struct upgrading *upgrading = context;
    changeset_put_run(upgrading->planning->changeset, domain, record);
    return true;
}

static bool put_all(struct upgrading *upgrading, struct error *error)
{
    struct snapshot *snapshot = upgrading->planning->snapshot;
    if (!snapshot_each_alias(snapshot, NULL, put_alias, upgrading, error) ||
        !snapshot_each_person(snapshot, put_person, upgrading, error))
        return false;
    if (upgrading->is_failed) {
        *error = upgrading->error;
        return false;
    }
    return snapshot_each_membership(snapshot, NULL, put_membership, upgrading, error) &&
           snapshot_each_domain(snapshot, put_domain, upgrading, error) &&
           snapshot_each_event(snapshot, put_event, upgrading, error) &&
           snapshot_each_run(snapshot, put_run, upgrading, error);
}

/* One group, so that it is one transaction however large: a cache is of one layout as a whole. */
static bool plan_upgrade(void *context, const struct planning *planning, struct error *error)
{
    struct upgrading *upgrading = context;
    upgrading->planning = planning;
    upgrading->is_failed = false;
    upgrading->result =
        (struct upgrade_result){.layout = snapshot_layout(planning->snapshot),
                                .generation = snapshot_generation(planning->snapshot)};
    if (upgrading->result.layout == RECORD_LAYOUT_VERSION)
        return true;
    if (!store_went_back(upgrading->store, &upgrading->result.went_back, error))
        return false;
    changeset_begin_group(planning->changeset, false);
    action_event(planning, "cache.upgrade", "", "",
                 upgrading->result.went_back ? "from layout 1; it had gone back, domains are closed"
                                             : "from layout 1");
    changeset_keep_stamps(planning->changeset);
    return put_all(upgrading, error);
}

bool action_cache_upgrade(const struct action *action, struct upgrade_result *ret,
                          struct error *error)
{
    struct upgrading upgrading = {.store = action->store};
    struct store_update_result update;
    bool is_done = action_update(action, plan_upgrade, &upgrading, &update, error);
    buffer_finish(&upgrading.sealed);
    *ret = upgrading.result;
    if (is_done) {
        ret->records = update.records;
        ret->generation = update.generation;
    }
    return is_done;
}
