/* The keys of the ring and the values that they seal: counting, re-sealing, retiring. */
#ifndef LPALIAS_ACTION_KEY_H
#define LPALIAS_ACTION_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "action/actor.h"
#include "base/buffer.h"
#include "base/error.h"
#include "store/changeset.h"
#include "store/sealed.h"

/* What one key seals. */
struct key_use {
    uint32_t id;
    bool is_in_ring;
    size_t values[SEALED_PLACE_COUNT];
    size_t unopened; /* of them, that do not open: the key is missing, or they are broken */
};

/* A zeroed one is empty. */
struct key_census {
    struct key_use *keys; /* those of the ring in its order, then others that values name */
    size_t count, capacity;
    size_t malformed;             /* values that name no key at all */
    struct buffer unopened_names; /* the first few that do not open, one a line */
    size_t unopened;              /* of all keys, malformed ones too */
};

/*
 * Counts the sealed values of a snapshot by key; is_opening: opens each, else none counts as
 * unopened but the malformed ones. ret is to be finished, also on failure. ERROR_TEMPORARY: the
 * cache cannot be read.
 */
bool key_census_take(struct snapshot *snapshot, const struct keyring *ring, bool is_opening,
                     struct key_census *ret, struct error *error) MUST_CHECK;
void key_census_finish(struct key_census *census);

/* All values of that key. */
size_t key_use_total(const struct key_use *use);

/* Some value that opens is sealed by another key than the first: a rotation that is not done. */
bool key_census_is_mixed(const struct key_census *census) MUST_CHECK;

/*
 * For a value that the ring did not open: ERROR_TEMPORARY if it is sealed by the key of the last
 * rotation, which the ring does not have, as it was read before. Such a value is not lost, and must
 * not be replaced like one that is.
 */
bool key_check_ring(struct snapshot *snapshot, const struct keyring *ring, struct span sealed,
                    struct error *error) MUST_CHECK;

struct reseal_result {
    size_t resealed;
    size_t unopened; /* left as they are */
    uint64_t generation;
};

/* Called after each changeset with the values re-sealed so far. */
typedef void reseal_progress(void *context, size_t resealed);

/*
 * Seals every value anew that opens and is not sealed by the first key of the ring, a few thousand
 * in a changeset; rows keep their generation, as what they say stays the same. Ended at any point
 * it can be begun again and goes on. progress may be NULL. ERROR_TEMPORARY: the cache.
 */
bool action_key_reseal(const struct action *action, reseal_progress *progress, void *context,
                       struct reseal_result *ret, struct error *error) MUST_CHECK;

/*
 * From the generation that this makes no value can be sealed by that key any more. ERROR_INVALID:
 * some value still is, or it is the first key of the ring, or not in it; ERROR_TEMPORARY: the
 * cache.
 */
bool action_key_retire(const struct action *action, uint32_t id, struct store_update_result *ret,
                       struct error *error) MUST_CHECK;

#endif
