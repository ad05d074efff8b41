/* Inside src/state only: rows that count until a certain time. */
#ifndef LPALIAS_STATE_TABLE_H
#define LPALIAS_STATE_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include <lmdb.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/error.h"
#include "state/state.h"

enum state_table {
    STATE_NONCE,
    STATE_LOGIN,
    STATE_ENDED,
    STATE_EPOCH,
    STATE_PROOF,
    STATE_WAITING,
    STATE_BUCKET,
    STATE_SAMPLE,
    STATE_META,
    STATE_TABLE_COUNT,
};

#define STATE_FOREVER_S   INT64_MAX
#define STATE_HASH_BYTES  32
#define STATE_VALUE_BYTES 4096 /* no row is larger */

struct state_row {
    int64_t until_s;
    struct span value; /* borrowed from the transaction */
};

enum state_write {
    STATE_READ,
    STATE_DURABLE, /* on the disk when it is committed */
    STATE_CHEAP,   /* a crash of the machine (not of the process) may undo the last one */
};

bool state_begin(struct state *state, enum state_write write, MDB_txn **ret,
                 struct error *error) MUST_CHECK;

/* The transaction is gone either way. */
bool state_commit(MDB_txn *transaction, struct error *error) MUST_CHECK;

/* A row that is over at now_s is STATE_NO. */
enum state_answer state_get(struct state *state, MDB_txn *transaction, enum state_table table,
                            struct span key, int64_t now_s, struct state_row *ret,
                            struct error *error) MUST_CHECK;
bool state_put(struct state *state, MDB_txn *transaction, enum state_table table, struct span key,
               struct state_row row, struct error *error) MUST_CHECK;

/* For cursors. */
MDB_dbi state_table_handle(const struct state *state, enum state_table table);

/* LMDB's code as an error text. Returns false. */
bool state_error(struct error *error, int code, const char *what);

/* BLAKE2b of purpose and text: fits as a key whatever the length of text. */
struct span state_hash(unsigned char hash[STATE_HASH_BYTES], const char *purpose, struct span text);

/* Big-endian, so that keys sort as the numbers do. */
void state_write_number(unsigned char bytes[8], int64_t number);
int64_t state_read_number(const char *bytes);

#endif
