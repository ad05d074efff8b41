/*
 * The portal's way to the cache of aliases: opened when it is first needed, and again when the path
 * names another file or the file has gone back (docs/architecture.md "Change of file"). As a writer
 * it closes all domains of such a cache.
 */
#ifndef LPALIAS_PORTAL_CACHE_H
#define LPALIAS_PORTAL_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "action/actor.h"
#include "base/compiler.h"
#include "base/error.h"
#include "config/config.h"
#include "store/keyring.h"
#include "store/snapshot.h"

struct cache;

/* Opens nothing yet; config is borrowed. Never NULL. */
struct cache *cache_create(const struct config *config);

/* No snapshot may be left. NULL is fine. */
void cache_destroy(struct cache *cache);

/*
 * Begins a snapshot, which is to be ended before the loop turns on: the next one may close what it
 * stands on. ERROR_TEMPORARY: there is no cache, or it cannot be read now; ERROR_INVALID: it is of
 * another layout.
 */
bool cache_begin(struct cache *cache, struct snapshot **ret, struct error *error) MUST_CHECK;

/* Counts up each time that the cache is opened: what was learned of another one is worth nothing.
 */
uint64_t cache_openings(const struct cache *cache);

/* The key ring as its file is now; caller destroys. Errors as keyring_read. */
bool cache_read_keys(const struct cache *cache, struct keyring **ret,
                     struct error *error) MUST_CHECK;

/*
 * What an act of src/action needs, after a cache_begin() in the same turn; actor is borrowed, and
 * ring is the caller's to destroy. Acts wait for another writer, which is the one wait that the
 * portal's thread knows. Errors as keyring_read.
 */
bool cache_action(struct cache *cache, const char *actor, int64_t now_s, struct keyring **ret_ring,
                  struct action *ret, struct error *error) MUST_CHECK;

#endif
