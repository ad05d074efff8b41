#include "portal/cache.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "base/timestamp.h"
#include "setup/house_settings.h"

#define RETRY_MS 1000 /* an ill cache is opened again so often, whoever asks */

struct cache {
    const struct config *config;
    struct house *house;
    struct store *store; /* NULL while it cannot be opened */
    uint64_t openings;
    int64_t tried_ms;     /* when opening was last tried */
    struct error trouble; /* why it failed */
};

struct cache *cache_create(const struct config *config)
{
    struct cache *cache = memory_new(1, sizeof(*cache));
    cache->config = config;
    cache->house = house_create_from_config(config);
    cache->tried_ms = INT64_MIN / 2;
    return cache;
}

void cache_destroy(struct cache *cache)
{
    if (cache == NULL)
        return;
    store_close(cache->store);
    house_destroy(cache->house);
    free(cache);
}

/* A writer would make an empty one, of which all is unknown. */
static bool check_is_there(const struct cache *cache, struct error *error)
{
    CLEANUP(memory_free_at) char *path = NULL;
    struct stat status;
    if (asprintf(&path, "%s/data.mdb", cache->config->cache) < 0)
        abort();
    return stat(path, &status) == 0 ||
           error_set(error, ERROR_TEMPORARY, "no cache at %s: %s", path, strerror(errno));
}

static bool open_anew(struct cache *cache, struct error *error)
{
    int64_t now_ms = timestamp_monotonic_ms();
    store_close(cache->store);
    cache->store = NULL;
    if (now_ms - cache->tried_ms >= RETRY_MS) {
        cache->tried_ms = now_ms;
        cache->openings++;
        if (check_is_there(cache, &cache->trouble) &&
            store_open(cache->config->cache, STORE_WRITE, cache->config->cache_limit_bytes,
                       &cache->store, &cache->trouble))
            return true;
    }
    *error = cache->trouble;
    return false;
}

bool cache_begin(struct cache *cache, struct snapshot **ret, struct error *error)
{
    struct snapshot *snapshot;
    if (cache->store == NULL || !store_is_in_place(cache->store, &cache->trouble)) {
        if (!open_anew(cache, error))
            return false;
    }
    if (!snapshot_begin(cache->store, &snapshot, error))
        return false;
    if (snapshot_is_trusted(snapshot)) {
        *ret = snapshot;
        return true;
    }
    snapshot_end(snapshot);
    error_set(&cache->trouble, ERROR_TEMPORARY, "the cache in %s is not what was written last",
              cache->config->cache);
    return open_anew(cache, error) && snapshot_begin(cache->store, ret, error);
}

uint64_t cache_openings(const struct cache *cache)
{
    return cache->openings;
}

bool cache_read_keys(const struct cache *cache, struct keyring **ret, struct error *error)
{
    return keyring_read(cache->config->key_file, ret, error);
}

bool cache_action(struct cache *cache, const char *actor, int64_t now_s, struct keyring **ret_ring,
                  struct action *ret, struct error *error)
{
    if (!cache_read_keys(cache, ret_ring, error))
        return false;
    *ret = (struct action){.store = cache->store,
                           .ring = *ret_ring,
                           .actor = actor,
                           .now_s = now_s,
                           .house = cache->house};
    return true;
}
