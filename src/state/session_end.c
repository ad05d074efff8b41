#include "state/session_end.h"

#include "state/table.h"

#define EPOCH_BYTES 8

static struct span account_key(unsigned char hash[STATE_HASH_BYTES], const char *account)
{
    return state_hash(hash, "account", span_of(account));
}

bool session_end(struct state *state, struct span id, int64_t until_s, struct error *error)
{
    MDB_txn *transaction;
    if (!state_begin(state, STATE_DURABLE, &transaction, error))
        return false;
    if (state_put(state, transaction, STATE_ENDED, id, (struct state_row){.until_s = until_s},
                  error))
        return state_commit(transaction, error);
    mdb_txn_abort(transaction);
    return false;
}

static bool read_epoch(struct state *state, MDB_txn *transaction, const char *account, int64_t *ret,
                       struct error *error)
{
    struct state_row row;
    unsigned char hash[STATE_HASH_BYTES];
    enum state_answer found =
        state_get(state, transaction, STATE_EPOCH, account_key(hash, account), 0, &row, error);
    if (found == STATE_YES && row.value.length != EPOCH_BYTES)
        return error_set(error, ERROR_TEMPORARY, "an epoch in the portal's database is cut off");
    *ret = found == STATE_YES ? state_read_number(row.value.data) : 0;
    return found != STATE_TROUBLE;
}

bool session_end_all(struct state *state, const char *account, struct error *error)
{
    MDB_txn *transaction;
    int64_t epoch;
    unsigned char hash[STATE_HASH_BYTES], bytes[EPOCH_BYTES];
    if (!state_begin(state, STATE_DURABLE, &transaction, error))
        return false;
    if (read_epoch(state, transaction, account, &epoch, error)) {
        state_write_number(bytes, epoch + 1);
        struct state_row row = {STATE_FOREVER_S, {(const char *)bytes, EPOCH_BYTES}};
        if (state_put(state, transaction, STATE_EPOCH, account_key(hash, account), row, error))
            return state_commit(transaction, error);
    }
    mdb_txn_abort(transaction);
    return false;
}

bool session_epoch(struct state *state, const char *account, int64_t *ret, struct error *error)
{
    MDB_txn *transaction;
    if (!state_begin(state, STATE_READ, &transaction, error))
        return false;
    bool is_read = read_epoch(state, transaction, account, ret, error);
    mdb_txn_abort(transaction);
    return is_read;
}

enum state_answer session_goes_on(struct state *state, struct span id, const char *account,
                                  int64_t epoch, int64_t now_s, struct error *error)
{
    MDB_txn *transaction;
    struct state_row row;
    int64_t wanted = 0;
    if (!state_begin(state, STATE_READ, &transaction, error))
        return STATE_TROUBLE;
    enum state_answer ended = state_get(state, transaction, STATE_ENDED, id, now_s, &row, error);
    bool is_read =
        ended != STATE_TROUBLE && read_epoch(state, transaction, account, &wanted, error);
    mdb_txn_abort(transaction);
    if (!is_read)
        return STATE_TROUBLE;
    return ended == STATE_NO && epoch == wanted ? STATE_YES : STATE_NO;
}
