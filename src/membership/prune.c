#include "membership/prune.h"

#include <string.h>

#include "membership/notice.h"

/* One pruning on its way. */
struct prune {
    const struct planning *planning;
    size_t room; /* for so many more deletes */
    bool has_group;
};

/* False: this run has done its share. */
static bool take_room(struct prune *prune)
{
    if (prune->room == 0)
        return false;
    if (!prune->has_group)
        changeset_begin_group(prune->planning->changeset, false);
    prune->has_group = true;
    prune->room--;
    return true;
}

static bool is_older(const struct prune *prune, int64_t at_s, int64_t age_s)
{
    return prune->planning->now_s - at_s > age_s;
}

/* ---- undo ---- */

/* The last refreshes that are kept whatever their age; a ring of generations. */
struct undo_ages {
    const struct prune *prune;
    uint64_t last[PRUNE_UNDO_REFRESHES];
    size_t count;          /* of all */
    uint64_t last_overdue; /* newest generation beyond the age; 0: none */
};

static bool note_age(void *context, uint64_t generation, int64_t at_s)
{
    struct undo_ages *ages = context;
    if (is_older(ages->prune, at_s, PRUNE_UNDO_S))
        ages->last_overdue = generation;
    ages->last[ages->count++ % PRUNE_UNDO_REFRESHES] = generation;
    return ages->count > 1 || ages->last_overdue != 0; /* else the oldest is young */
}

/* Generations below it are neither young nor among the last; 0: all are to be kept. */
static bool find_kept(const struct prune *prune, uint64_t *ret, struct error *error)
{
    struct undo_ages ages = {.prune = prune};
    *ret = 0;
    if (!snapshot_each_undo_generation(prune->planning->snapshot, note_age, &ages, error))
        return false;
    if (ages.count <= PRUNE_UNDO_REFRESHES || ages.last_overdue == 0)
        return true;
    uint64_t oldest_of_last = ages.last[ages.count % PRUNE_UNDO_REFRESHES];
    *ret = ages.last_overdue < oldest_of_last ? ages.last_overdue + 1 : oldest_of_last;
    return true;
}

struct undo_cut {
    struct prune *prune;
    uint64_t kept; /* from this generation on */
};

static bool delete_undo(void *context, uint64_t generation, uint64_t number,
                        const struct undo_record *record)
{
    struct undo_cut *cut = context;
    (void)record;
    if (generation >= cut->kept || !take_room(cut->prune))
        return false;
    changeset_delete_undo(cut->prune->planning->changeset, generation, number);
    return true;
}

static bool prune_undo(struct prune *prune, struct error *error)
{
    struct undo_cut cut = {.prune = prune};
    return find_kept(prune, &cut.kept, error) &&
           (cut.kept == 0 ||
            snapshot_each_undo(prune->planning->snapshot, 0, delete_undo, &cut, error));
}

/* ---- events and what was told ---- */

static bool delete_event(void *context, uint64_t sequence, const struct event_record *event)
{
    struct prune *prune = context;
    if (!is_older(prune, event->at_s, PRUNE_EVENT_S) || !take_room(prune))
        return false;
    changeset_delete_event(prune->planning->changeset, sequence);
    return true;
}

/* Rows of the name "!" are alarms (membership/alarm.h). */
static bool delete_sent(void *context, const char *domain, const char *name, const char *word,
                        const struct sent_record *sent)
{
    struct prune *prune = context;
    if (strcmp(name, "!") == 0 || !is_older(prune, sent->last_s, NOTICE_AGAIN_S))
        return true;
    if (!take_room(prune))
        return false;
    changeset_delete_sent(prune->planning->changeset, domain, name, word);
    return true;
}

bool prune_plan(const struct planning *planning, struct error *error)
{
    struct prune prune = {.planning = planning, .room = PRUNE_MAX_ROWS};
    struct snapshot *snapshot = planning->snapshot;
    return !planning->is_time_trusted ||
           (prune_undo(&prune, error) &&
            snapshot_each_event(snapshot, delete_event, &prune, error) &&
            snapshot_each_sent(snapshot, NULL, delete_sent, &prune, error));
}
