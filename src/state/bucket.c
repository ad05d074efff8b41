#include "state/bucket.h"

#include "state/table.h"

enum { BUCKET_BYTES = 16 }; /* tokens, and the time up to which they were counted */

struct bucket {
    int64_t tokens, counted_s;
};

static void refill(struct bucket *bucket, const struct bucket_rate *rate, int64_t now_s)
{
    int64_t come = (now_s - bucket->counted_s) / rate->interval_s;
    if (now_s < bucket->counted_s)
        bucket->counted_s = now_s;
    else if (come >= rate->capacity - bucket->tokens)
        *bucket = (struct bucket){rate->capacity, now_s};
    else
        *bucket =
            (struct bucket){bucket->tokens + come, bucket->counted_s + come * rate->interval_s};
}

static bool write_bucket(struct state *state, MDB_txn *transaction, struct span key,
                         const struct bucket *bucket, const struct bucket_rate *rate,
                         struct error *error)
{
    unsigned char bytes[BUCKET_BYTES];
    state_write_number(bytes, bucket->tokens);
    state_write_number(bytes + 8, bucket->counted_s);
    int64_t full_s = bucket->counted_s + (rate->capacity - bucket->tokens) * rate->interval_s;
    struct state_row row = {full_s, {(const char *)bytes, BUCKET_BYTES}};
    return state_put(state, transaction, STATE_BUCKET, key, row, error);
}

enum state_answer bucket_take(struct state *state, const struct bucket_rate *rate,
                              const char *subject, int64_t now_s, int64_t *ret_wait_s,
                              struct error *error)
{
    MDB_txn *transaction;
    struct state_row row;
    struct bucket bucket = {rate->capacity, now_s};
    unsigned char hash[STATE_HASH_BYTES];
    struct span key = state_hash(hash, rate->name, span_of(subject));
    if (!state_begin(state, STATE_CHEAP, &transaction, error))
        return STATE_TROUBLE;
    enum state_answer found = state_get(state, transaction, STATE_BUCKET, key, now_s, &row, error);
    if (found == STATE_YES && row.value.length == BUCKET_BYTES)
        bucket = (struct bucket){state_read_number(row.value.data),
                                 state_read_number(row.value.data + 8)};
    int64_t before_s = bucket.counted_s;
    refill(&bucket, rate, now_s);
    bool is_taken = bucket.tokens > 0;
    bucket.tokens -= is_taken;
    *ret_wait_s = is_taken ? 0 : bucket.counted_s + rate->interval_s - now_s;
    if (found == STATE_YES && !is_taken && bucket.counted_s == before_s) {
        mdb_txn_abort(transaction); /* who knocks on a closed door costs no write */
        return STATE_NO;
    }
    if (found != STATE_TROUBLE && write_bucket(state, transaction, key, &bucket, rate, error)) {
        if (!state_commit(transaction, error))
            return STATE_TROUBLE;
        return is_taken ? STATE_YES : STATE_NO;
    }
    mdb_txn_abort(transaction);
    return STATE_TROUBLE;
}
