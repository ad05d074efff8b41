/*
 * The cache: one LMDB environment, one per process. Opening rules, identity and sizes are those
 * of docs/architecture.md "The cache"; no handle crosses fork().
 */
#ifndef LPALIAS_STORE_STORE_H
#define LPALIAS_STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

enum store_access {
    STORE_READ,
    STORE_WRITE, /* makes directory's contents (and the directory) if absent; closes all domains
                    of a cache that went back */
};

struct store;

/*
 * Opens the cache in directory. ERROR_TEMPORARY: absent, unreadable, truncated, no reader slot
 * can be had, or LMDB says no; ERROR_INVALID: another layout than this release reads.
 */
bool store_open(const char *directory, enum store_access access, uint64_t limit_bytes,
                struct store **ret, struct error *error) MUST_CHECK;
void store_close(struct store *store);

/*
 * A command run as root takes on the owner of the cache directory before it opens anything, so
 * that no file of the cache comes to belong to root. Does nothing when not root, when the
 * directory is absent, or when root owns it. ERROR_TEMPORARY: the ids cannot be changed.
 */
bool store_take_on_owner(const char *directory, struct error *error) MUST_CHECK;

/* One refresh at a time: takes the lock that ends with the process. ERROR_BUSY, _TEMPORARY. */
bool store_lock_refresh(const char *directory, int *ret_fd, struct error *error) MUST_CHECK;

#endif
