/* Inside src/store only: a snapshot is a transaction and what was read when it began. */
#ifndef LPALIAS_STORE_TRANSACTION_H
#define LPALIAS_STORE_TRANSACTION_H

#include <lmdb.h>

#include "store/environment.h"
#include "store/key.h"
#include "store/snapshot.h"

struct snapshot {
    struct store *store;
    MDB_txn *transaction; /* borrowed from the write transaction or the reader, or our own */
    struct cache_state state;
    bool is_trusted; /* see snapshot_is_trusted */
};

/* The row of that key, borrowed until the snapshot ends. */
enum store_result snapshot_get(struct snapshot *snapshot, enum table table, const struct key *key,
                               struct span *ret, struct error *error) MUST_CHECK;

/* A record that cannot be decoded is trouble, never absence. Returns STORE_TROUBLE. */
enum store_result snapshot_undecodable(struct error *error, const char *table);

#endif
