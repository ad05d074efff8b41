/*
 * Inside src/store only: the file "generation" beside the data file. It says which generation the
 * writers wrote last, so that a data file that went back while nobody looked is noticed
 * (docs/architecture.md "Change of file").
 */
#ifndef LPALIAS_STORE_GENERATION_H
#define LPALIAS_STORE_GENERATION_H

#include <stdbool.h>

#include "store/environment.h"

struct generation_file {
    enum {
        GENERATION_ABSENT,
        GENERATION_READ,
        GENERATION_MALFORMED,
        GENERATION_UNREADABLE,
    } what;
    struct cache_state state; /* GENERATION_READ: without next_sequence */
    struct error trouble;     /* GENERATION_UNREADABLE: why */
};

/*
 * To be called before the state of the data file is read: the file follows it, so that it is
 * never ahead of a cache that is well. A backup has no such file.
 */
void generation_read(const struct store *store, struct generation_file *ret);

/* The data file is what the file says, or goes on from there, or there is no such file. */
bool generation_fits(const struct generation_file *file, const struct cache_state *state);

/*
 * Writes the file anew. The change is done already and does not fail for it: a file that stays
 * behind is mended by the next change.
 */
void generation_write(const struct store *store, const struct cache_state *state);

/*
 * Closes all domains, in one generation with its event, if the cache is not what the file says.
 * ERROR_TEMPORARY: it cannot be told, or the cache cannot be written.
 */
bool generation_settle(struct store *store, struct error *error) MUST_CHECK;

#endif
