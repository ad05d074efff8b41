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
    STORE_READ,    /* also a cache of the layout before */
    STORE_WRITE,   /* makes directory's contents (and the directory) if absent; closes all domains
                      of a cache that went back */
    STORE_UPGRADE, /* as STORE_WRITE for a cache that is there, of any layout that is read; closes
                      nothing: store_went_back tells */
};

struct store;

/*
 * Opens the cache in directory. ERROR_TEMPORARY: absent, unreadable, truncated, no reader slot
 * can be had, or LMDB says no; ERROR_INVALID: another layout than this release reads, or writes.
 */
bool store_open(const char *directory, enum store_access access, uint64_t limit_bytes,
                struct store **ret, struct error *error) MUST_CHECK;
void store_close(struct store *store);

/*
 * The paths still name the files that are open, and we may read them. ERROR_TEMPORARY: not so; the
 * cache is to be closed, and what is there now to be opened.
 */
bool store_is_in_place(struct store *store, struct error *error) MUST_CHECK;

/*
 * Opens the copy of a data file that nobody writes to, only to begin snapshots of it. Errors as
 * above.
 */
bool store_open_backup(const char *path, uint64_t limit_bytes, struct store **ret,
                       struct error *error) MUST_CHECK;

/*
 * Writes a copy of the cache as it is at one moment to fd, without the pages that are free; nobody
 * waits for it. ERROR_TEMPORARY: it cannot be read or written.
 */
bool store_backup(struct store *store, int fd, struct error *error) MUST_CHECK;

/* Whether path names the very file that cache's data is, or would be, in. */
bool store_is_data_file(const char *directory, const char *path) MUST_CHECK;

/*
 * The cache is older or another one than was written last, see docs/architecture.md "Change of
 * file". ERROR_TEMPORARY: cannot tell.
 */
bool store_went_back(struct store *store, bool *ret, struct error *error) MUST_CHECK;

/*
 * A command run as root takes on the owner of the cache directory before it opens anything, so
 * that no file of the cache comes to belong to root. Does nothing when not root, when the
 * directory is absent, or when root owns it. ERROR_TEMPORARY: the ids cannot be changed.
 */
bool store_take_on_owner(const char *directory, struct error *error) MUST_CHECK;

/* One refresh at a time: takes the lock that ends with the process. ERROR_BUSY, _TEMPORARY. */
bool store_lock_refresh(const char *directory, int *ret_fd, struct error *error) MUST_CHECK;

/* The same for handing over notices, so that none leaves twice. */
bool store_lock_notify(const char *directory, int *ret_fd, struct error *error) MUST_CHECK;

#endif
