#include "action/key.h"

#include <stdlib.h>

#include "action/update.h"
#include "base/memory.h"

#define RESEAL_MAX_VALUES  4000 /* in one changeset, so that no write lock is held for long */
#define UNOPENED_MAX_NAMES 10

/* ---- counting ---- */

struct census_taking {
    const struct keyring *ring;
    bool is_opening;
    struct key_census *census;
    struct buffer plain;
};

static struct key_use *find_use(struct key_census *census, uint32_t id)
{
    for (size_t i = 0; i < census->count; i++)
        if (census->keys[i].id == id)
            return &census->keys[i];
    return NULL;
}

static struct key_use *add_use(struct key_census *census, uint32_t id, bool is_in_ring)
{
    census->keys =
        memory_grow(census->keys, census->count, &census->capacity, sizeof(*census->keys));
    census->keys[census->count] = (struct key_use){.id = id, .is_in_ring = is_in_ring};
    return &census->keys[census->count++];
}

static void note_unopened(struct key_census *census, const struct sealed_value *value)
{
    if (census->unopened++ >= UNOPENED_MAX_NAMES)
        return;
    sealed_append_name(&census->unopened_names, value);
    buffer_append_char(&census->unopened_names, '\n');
}

static bool opens(const struct keyring *ring, const struct sealed_value *value,
                  struct buffer *scratch)
{
    buffer_clear(scratch);
    return sealed_open(ring, value, scratch) == UNSEAL_DONE;
}

static bool count_value(void *context, const struct sealed_value *value)
{
    struct census_taking *taking = context;
    struct key_census *census = taking->census;
    uint32_t id;
    if (!keyring_sealed_id(value->sealed, &id)) {
        census->malformed++;
        note_unopened(census, value);
        return true;
    }
    struct key_use *use = find_use(census, id);
    if (use == NULL)
        use = add_use(census, id, false);
    use->values[value->place]++;
    if (taking->is_opening && !opens(taking->ring, value, &taking->plain)) {
        use->unopened++;
        note_unopened(census, value);
    }
    return true;
}

bool key_census_take(struct snapshot *snapshot, const struct keyring *ring, bool is_opening,
                     struct key_census *ret, struct error *error)
{
    *ret = (struct key_census){0};
    struct census_taking taking = {.ring = ring, .is_opening = is_opening, .census = ret};
    for (size_t i = 0; i < keyring_count(ring); i++)
        add_use(ret, keyring_id(ring, i), true);
    bool is_taken = sealed_each(snapshot, count_value, &taking, error);
    buffer_finish(&taking.plain);
    return is_taken;
}

void key_census_finish(struct key_census *census)
{
    free(census->keys);
    buffer_finish(&census->unopened_names);
    *census = (struct key_census){0};
}

size_t key_use_total(const struct key_use *use)
{
    size_t total = 0;
    for (size_t i = 0; i < SEALED_PLACE_COUNT; i++)
        total += use->values[i];
    return total;
}

bool key_census_is_mixed(const struct key_census *census)
{
    for (size_t i = 1; i < census->count; i++)
        if (key_use_total(&census->keys[i]) > census->keys[i].unopened)
            return true;
    return false;
}

/* ---- re-sealing ---- */

bool key_check_ring(struct snapshot *snapshot, const struct keyring *ring, struct span sealed,
                    struct error *error)
{
    struct keys_record keys;
    uint32_t id;
    if (!keyring_sealed_id(sealed, &id) || keyring_has(ring, id))
        return true;
    enum store_result result = snapshot_keys(snapshot, &keys, error);
    if (result == STORE_FOUND && keys.sealing == id)
        return error_set(error, ERROR_TEMPORARY,
                         "the key file has a new key since it was read, or key %u is lost: do it "
                         "again, or let lpalias key rotate make another one",
                         (unsigned)id);
    return result != STORE_TROUBLE;
}

static bool put_sealing(const struct planning *planning, uint32_t id, struct error *error)
{
    struct keys_record keys = {0};
    enum store_result result = snapshot_keys(planning->snapshot, &keys, error);
    if (result == STORE_TROUBLE)
        return false;
    if (keys.sealing == id)
        return true;
    keys.sealing = id;
    changeset_put_keys(planning->changeset, &keys);
    return true;
}

struct resealing {
    const struct planning *planning;
    bool is_told; /* the event is written */
    size_t planned, unopened;
    struct buffer plain;
};

static bool reseal_value(void *context, const struct sealed_value *value)
{
    struct resealing *resealing = context;
    const struct planning *planning = resealing->planning;
    uint32_t id;
    if (keyring_sealed_id(value->sealed, &id) && id == keyring_id(planning->ring, 0))
        return true;
    if (!opens(planning->ring, value, &resealing->plain)) {
        resealing->unopened++;
        return true;
    }
    changeset_begin_group(planning->changeset, false);
    sealed_put(planning->changeset, planning->ring, value,
               (struct span){resealing->plain.data, resealing->plain.length});
    return ++resealing->planned < RESEAL_MAX_VALUES;
}

/* With the first piece; it says by which key all others are sealed. */
static bool begin(const struct planning *planning, struct error *error)
{
    struct buffer detail = {0};
    uint32_t id = keyring_id(planning->ring, 0);
    changeset_begin_group(planning->changeset, false);
    if (!put_sealing(planning, id, error))
        return false;
    buffer_appendf(&detail, "key %u seals", (unsigned)id);
    action_event(planning, "key.rotate", "", "", buffer_text(&detail));
    buffer_finish(&detail);
    return true;
}

static bool plan_piece(void *context, const struct planning *planning, struct error *error)
{
    struct resealing *resealing = context;
    resealing->planning = planning;
    resealing->planned = resealing->unopened = 0;
    if (!resealing->is_told && !begin(planning, error))
        return false;
    changeset_keep_stamps(planning->changeset);
    return sealed_each(planning->snapshot, reseal_value, resealing, error);
}

bool action_key_reseal(const struct action *action, reseal_progress *progress, void *context,
                       struct reseal_result *ret, struct error *error)
{
    struct resealing resealing = {0};
    struct reseal_result result = {0};
    struct store_update_result update;
    bool is_done;
    do {
        is_done = action_update(action, plan_piece, &resealing, &update, error);
        if (!is_done)
            break;
        resealing.is_told = true;
        result.resealed += resealing.planned;
        result.unopened = resealing.unopened;
        result.generation = update.generation;
        if (progress != NULL)
            progress(context, result.resealed);
    } while (resealing.planned == RESEAL_MAX_VALUES);
    buffer_finish(&resealing.plain);
    *ret = result;
    return is_done;
}

/* ---- retiring ---- */

static bool check_unused(const struct key_census *census, uint32_t id, struct error *error)
{
    for (size_t i = 0; i < census->count; i++) {
        const struct key_use *use = &census->keys[i];
        if (use->id == id && key_use_total(use) != 0)
            return error_set(error, ERROR_INVALID,
                             "key %u still seals %zu values (alias %zu, person %zu, outbox %zu, "
                             "undo %zu); lpalias key rotate re-seals them",
                             (unsigned)id, key_use_total(use), use->values[SEALED_ALIAS],
                             use->values[SEALED_PERSON], use->values[SEALED_OUTBOX],
                             use->values[SEALED_UNDO]);
    }
    return true;
}

static bool put_retired(const struct planning *planning, uint32_t id, struct error *error)
{
    struct keys_record keys = {0};
    struct buffer retired = {0}, detail = {0};
    enum store_result result = snapshot_keys(planning->snapshot, &keys, error);
    if (result == STORE_TROUBLE)
        return false;
    if (result == STORE_FOUND && keys_record_is_retired(&keys, id))
        return true;
    buffer_append(&retired, keys.retired.data, keys.retired.length);
    keys_record_append(&retired, id);
    keys.retired = (struct span){retired.data, retired.length};
    changeset_begin_group(planning->changeset, false);
    changeset_put_keys(planning->changeset, &keys);
    buffer_appendf(&detail, "key %u", (unsigned)id);
    action_event(planning, "key.retire", "", "", buffer_text(&detail));
    buffer_finish(&retired);
    buffer_finish(&detail);
    return true;
}

static bool plan_retirement(void *context, const struct planning *planning, struct error *error)
{
    const uint32_t *id = context;
    struct key_census census;
    bool is_planned = key_census_take(planning->snapshot, planning->ring, false, &census, error) &&
                      check_unused(&census, *id, error) && put_retired(planning, *id, error);
    key_census_finish(&census);
    return is_planned;
}

bool action_key_retire(const struct action *action, uint32_t id, struct store_update_result *ret,
                       struct error *error)
{
    if (!keyring_has(action->ring, id))
        return error_set(error, ERROR_INVALID, "the key file has no key %u", (unsigned)id);
    if (keyring_id(action->ring, 0) == id)
        return error_set(error, ERROR_INVALID,
                         "key %u seals; lpalias key rotate makes another one first", (unsigned)id);
    return action_update(action, plan_retirement, &id, ret, error);
}
