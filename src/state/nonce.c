#include "state/nonce.h"

#include "state/table.h"

enum state_answer nonce_use(struct state *state, const char *endpoint, const char *nonce,
                            int64_t until_s, int64_t now_s, struct error *error)
{
    MDB_txn *transaction;
    struct state_row row;
    unsigned char hash[STATE_HASH_BYTES];
    struct span key = state_hash(hash, endpoint, span_of(nonce));
    if (!state_begin(state, STATE_DURABLE, &transaction, error))
        return STATE_TROUBLE;
    enum state_answer known = state_get(state, transaction, STATE_NONCE, key, now_s, &row, error);
    if (known == STATE_NO && state_put(state, transaction, STATE_NONCE, key,
                                       (struct state_row){.until_s = until_s}, error))
        return state_commit(transaction, error) ? STATE_YES : STATE_TROUBLE;
    mdb_txn_abort(transaction);
    return known == STATE_YES ? STATE_NO : STATE_TROUBLE;
}
