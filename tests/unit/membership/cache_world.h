/* A cache in a temporary directory with a key ring, and changesets that a test plans by hand. */
#ifndef LPALIAS_TESTS_MEMBERSHIP_CACHE_WORLD_H
#define LPALIAS_TESTS_MEMBERSHIP_CACHE_WORLD_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../unit.h"
#include "base/compiler.h"
#include "membership/projection.h"
#include "store/changeset.h"
#include "store/keyring.h"
#include "store/store.h"

struct cache_world {
    char directory[64];
    struct store *store;
    struct keyring *ring;
    const struct house *house;
};

static inline int cache_world_make(struct cache_world *world, const struct house *house)
{
    char keys[96];
    struct error error = {0};
    strcpy(world->directory, "/tmp/lpalias-unit-XXXXXX");
    assert_non_null(mkdtemp(world->directory));
    snprintf(keys, sizeof(keys), "%s/keys", world->directory);
    if (!keyring_generate(keys, (gid_t)-1, &error) || !keyring_read(keys, &world->ring, &error) ||
        !store_open(world->directory, STORE_WRITE, 64 << 20, &world->store, &error))
        fail_msg("%s", error.text);
    world->house = house;
    return 0;
}

static inline int cache_world_remove(struct cache_world *world)
{
    static const char *const files[] = {"keys", "data.mdb", "lock.mdb", "generation"};
    store_close(world->store);
    keyring_destroy(world->ring);
    for (size_t i = 0; i < ARRAY_LENGTH(files); i++) {
        char path[128];
        snprintf(path, sizeof(path), "%s/%s", world->directory, files[i]);
        unlink(path);
    }
    return rmdir(world->directory);
}

/* What a test wants in the cache, or of it. */
typedef bool cache_world_plan(const struct planning *planning, void *context, struct error *error);

struct cache_world_change {
    const struct cache_world *world;
    cache_world_plan *plan;
    void *context;
};

static inline bool cache_world_plan_change(void *context, struct snapshot *snapshot,
                                           struct changeset *changeset, struct error *error)
{
    const struct cache_world_change *change = context;
    const struct planning planning = {
        .house = change->world->house,
        .ring = change->world->ring,
        .actor = "operator:test",
        .now_s = 1000,
        .snapshot = snapshot,
        .changeset = changeset,
    };
    return change->plan(&planning, change->context, error);
}

static inline void cache_world_change(struct cache_world *world, cache_world_plan *plan,
                                      void *context)
{
    struct cache_world_change change = {world, plan, context};
    struct store_update_result result;
    struct error error = {0};
    if (!store_update(world->store, cache_world_plan_change, &change, &result, &error))
        fail_msg("%s", error.text);
}

#endif
