#include "state/pending_login.h"

#include <sodium.h>
#include <string.h>

#include "state/table.h"

#define RETURN_PATH_BYTES 2000

static struct span login_key(unsigned char hash[STATE_HASH_BYTES], const char *login)
{
    return state_hash(hash, "login", span_of(login));
}

bool pending_login_begin(struct state *state, const char *login, const char *browser,
                         const char *return_path, int64_t now_s, struct error *error)
{
    MDB_txn *transaction;
    unsigned char hash[STATE_HASH_BYTES];
    unsigned char value[STATE_HASH_BYTES + RETURN_PATH_BYTES];
    size_t length = strlen(return_path);
    if (length > RETURN_PATH_BYTES)
        return error_set(error, ERROR_INVALID, "the return path is too long");
    state_hash(value, "browser", span_of(browser));
    memcpy(value + STATE_HASH_BYTES, return_path, length);
    struct state_row row = {now_s + PENDING_LOGIN_LIMIT_S,
                            {(const char *)value, STATE_HASH_BYTES + length}};
    if (!state_begin(state, STATE_CHEAP, &transaction, error))
        return false;
    if (state_put(state, transaction, STATE_LOGIN, login_key(hash, login), row, error))
        return state_commit(transaction, error);
    mdb_txn_abort(transaction);
    return false;
}

/* Looks at it and deletes it if it is this browser's. */
static enum pending_login_answer take(struct state *state, MDB_txn *transaction, const char *login,
                                      const char *browser, int64_t now_s,
                                      struct buffer *return_path, struct error *error)
{
    struct state_row row;
    unsigned char hash[STATE_HASH_BYTES], wanted[STATE_HASH_BYTES];
    struct span key = login_key(hash, login);
    enum state_answer found = state_get(state, transaction, STATE_LOGIN, key, now_s, &row, error);
    if (found != STATE_YES)
        return found == STATE_NO ? PENDING_LOGIN_ABSENT : PENDING_LOGIN_TROUBLE;
    state_hash(wanted, "browser", span_of(browser));
    if (row.value.length < STATE_HASH_BYTES ||
        sodium_memcmp(row.value.data, wanted, STATE_HASH_BYTES) != 0)
        return PENDING_LOGIN_FOREIGN;
    size_t begin = return_path->length;
    buffer_append(return_path, row.value.data + STATE_HASH_BYTES,
                  row.value.length - STATE_HASH_BYTES);
    MDB_val name = {key.length, (void *)key.data};
    int code = mdb_del(transaction, state_table_handle(state, STATE_LOGIN), &name, NULL);
    if (code == 0)
        return PENDING_LOGIN_TAKEN;
    return_path->length = begin;
    state_error(error, code, "a change");
    return PENDING_LOGIN_TROUBLE;
}

enum pending_login_answer pending_login_take(struct state *state, const char *login,
                                             const char *browser, int64_t now_s,
                                             struct buffer *return_path, struct error *error)
{
    MDB_txn *transaction;
    if (!state_begin(state, STATE_DURABLE, &transaction, error))
        return PENDING_LOGIN_TROUBLE;
    enum pending_login_answer answer =
        take(state, transaction, login, browser, now_s, return_path, error);
    if (answer == PENDING_LOGIN_TAKEN)
        return state_commit(transaction, error) ? answer : PENDING_LOGIN_TROUBLE;
    mdb_txn_abort(transaction);
    return answer;
}
