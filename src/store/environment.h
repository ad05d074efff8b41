/*
 * Inside src/store only: the opened LMDB environment and the rules that every user of it keeps
 * before touching a page.
 */
#ifndef LPALIAS_STORE_ENVIRONMENT_H
#define LPALIAS_STORE_ENVIRONMENT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <lmdb.h>

#include "base/error.h"
#include "store/store.h"

enum table {
    TABLE_ALIAS,
    TABLE_PERSON,
    TABLE_MEMBERSHIP,
    TABLE_DOMAIN,
    TABLE_LOGIN,
    TABLE_PLAN,
    TABLE_EVENT,
    TABLE_OUTBOX,
    TABLE_SENT,
    TABLE_UNDO,
    TABLE_RUN,
    TABLE_META,
    TABLE_COUNT,
};

#define CACHE_ID_BYTES 16
#define NO_TABLE       ((MDB_dbi)0) /* LMDB's own table of free pages has this number */

/* The row "state" of the meta table. */
struct cache_state {
    uint8_t layout;
    unsigned char cache_id[CACHE_ID_BYTES]; /* made with the cache, never changes */
    unsigned char stamp[CACHE_ID_BYTES];    /* new with each generation */
    uint64_t generation;
    uint64_t next_sequence; /* of events and of the outbox */
};

struct file_identity {
    dev_t device;
    ino_t inode;
};

struct store {
    MDB_env *environment;
    MDB_dbi tables[TABLE_COUNT]; /* NO_TABLE: the cache is of a layout that has it not */
    char *data_path, *lock_path, *generation_path; /* a backup has only the first */
    enum store_access access;
    /* The files that are open. */
    struct file_identity data, lock;
    struct cache_state opened; /* as it was on opening, or at the last change begun since */
};

/* LMDB's code as an error text. Returns false. */
bool environment_error(struct error *error, int code, const char *what);

/* Bytes up to and with the last used page. Reads the meta pages, so check the size before. */
uint64_t environment_used_bytes(struct store *store);

/*
 * The data file is as large as its last used page says. LMDB does not look: a read behind the
 * end of the file is SIGBUS. ERROR_TEMPORARY if it is not.
 */
bool environment_check_size(struct store *store, struct error *error) MUST_CHECK;

/*
 * The paths still name the data file and the lock file that are open, and we may still read the
 * data. ERROR_TEMPORARY: one is gone, forbidden, or another one. Without the lock file of all the
 * others a reader has no slot that writers see, and a writer excludes nobody.
 */
bool environment_check_identity(struct store *store, struct error *error) MUST_CHECK;

/*
 * Reads the state row in a transaction. ERROR_TEMPORARY, or ERROR_INVALID for a layout that this
 * release does not read. Writing makes it one of the newest layout.
 */
bool environment_read_state(struct store *store, MDB_txn *transaction, struct cache_state *ret,
                            struct error *error) MUST_CHECK;
bool environment_write_state(struct store *store, MDB_txn *transaction,
                             const struct cache_state *state, struct error *error) MUST_CHECK;

/* The same generation of the same cache, to the byte: the stamp is new with each generation. */
bool environment_is_same_state(const struct cache_state *a, const struct cache_state *b);

/* The state now is the one before, or a later generation of the same cache. */
bool environment_goes_on_from(const struct cache_state *now, const struct cache_state *before);

/*
 * Begins a write transaction after all checks of a writer: same file, its size, same cache id,
 * generation not gone back. store->opened is the state then. The lock is held until commit or
 * abort.
 */
bool environment_begin_write(struct store *store, MDB_txn **ret, struct error *error) MUST_CHECK;

/*
 * Commits, unless a path names another file by now; the transaction is gone either way.
 * ERROR_TEMPORARY.
 */
bool environment_commit(struct store *store, MDB_txn *transaction, struct error *error) MUST_CHECK;

#endif
