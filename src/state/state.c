#include "state/state.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "state/table.h"

#define MAP_BYTES   (256UL << 20) /* address space, not disk */
#define READERS_MAX 64
#define UNTIL_BYTES 8

struct state {
    MDB_env *environment;
    MDB_dbi tables[STATE_TABLE_COUNT];
    unsigned char key[STATE_KEY_BYTES];
};

static const char *const table_names[STATE_TABLE_COUNT] = {
    [STATE_NONCE] = "nonce",   [STATE_LOGIN] = "login", [STATE_ENDED] = "ended",
    [STATE_EPOCH] = "epoch",   [STATE_PROOF] = "proof", [STATE_BUCKET] = "bucket",
    [STATE_SAMPLE] = "sample", [STATE_META] = "meta",   [STATE_WAITING] = "waiting",
};

bool state_error(struct error *error, int code, const char *what)
{
    return error_set(error, ERROR_TEMPORARY, "%s of the portal's database: %s", what,
                     mdb_strerror(code));
}

void state_write_number(unsigned char bytes[8], int64_t number)
{
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)((uint64_t)number >> (56 - 8 * i));
}

int64_t state_read_number(const char *bytes)
{
    uint64_t number = 0;
    for (int i = 0; i < 8; i++)
        number = number << 8 | (unsigned char)bytes[i];
    return (int64_t)number;
}

struct span state_hash(unsigned char hash[STATE_HASH_BYTES], const char *purpose, struct span text)
{
    crypto_generichash_state hashing;
    crypto_generichash_init(&hashing, NULL, 0, STATE_HASH_BYTES);
    crypto_generichash_update(&hashing, (const unsigned char *)purpose, strlen(purpose) + 1);
    crypto_generichash_update(&hashing, (const unsigned char *)text.data, text.length);
    crypto_generichash_final(&hashing, hash, STATE_HASH_BYTES);
    return (struct span){(const char *)hash, STATE_HASH_BYTES};
}

MDB_dbi state_table_handle(const struct state *state, enum state_table table)
{
    return state->tables[table];
}

bool state_begin(struct state *state, enum state_write write, MDB_txn **ret, struct error *error)
{
    /* As a flag of the transaction LMDB 0.9.24 takes it and does not heed it. */
    int code = write == STATE_READ
                   ? 0
                   : mdb_env_set_flags(state->environment, MDB_NOMETASYNC, write == STATE_CHEAP);
    if (code == 0)
        code = mdb_txn_begin(state->environment, NULL, write == STATE_READ ? MDB_RDONLY : 0, ret);
    return code == 0 || state_error(error, code, "transaction");
}

bool state_commit(MDB_txn *transaction, struct error *error)
{
    int code = mdb_txn_commit(transaction);
    return code == 0 || state_error(error, code, "commit");
}

enum state_answer state_get(struct state *state, MDB_txn *transaction, enum state_table table,
                            struct span key, int64_t now_s, struct state_row *ret,
                            struct error *error)
{
    MDB_val name = {key.length, (void *)key.data};
    MDB_val value;
    int code = mdb_get(transaction, state->tables[table], &name, &value);
    if (code == MDB_NOTFOUND)
        return STATE_NO;
    if (code != 0) {
        state_error(error, code, "a row");
        return STATE_TROUBLE;
    }
    if (value.mv_size < UNTIL_BYTES) {
        error_set(error, ERROR_TEMPORARY, "a row of the portal's database is cut off");
        return STATE_TROUBLE;
    }
    const char *bytes = value.mv_data;
    *ret = (struct state_row){state_read_number(bytes),
                              {bytes + UNTIL_BYTES, value.mv_size - UNTIL_BYTES}};
    return ret->until_s > now_s ? STATE_YES : STATE_NO;
}

bool state_put(struct state *state, MDB_txn *transaction, enum state_table table, struct span key,
               struct state_row row, struct error *error)
{
    unsigned char bytes[UNTIL_BYTES + STATE_VALUE_BYTES];
    if (row.value.length > STATE_VALUE_BYTES)
        return error_set(error, ERROR_INVALID, "a row of the portal's database is too long");
    state_write_number(bytes, row.until_s);
    if (row.value.length > 0)
        memcpy(bytes + UNTIL_BYTES, row.value.data, row.value.length);
    MDB_val name = {key.length, (void *)key.data};
    MDB_val value = {UNTIL_BYTES + row.value.length, bytes};
    int code = mdb_put(transaction, state->tables[table], &name, &value, 0);
    explicit_bzero(bytes, sizeof(bytes));
    return code == 0 || state_error(error, code, "a change");
}

static bool make_directory(const char *directory, struct error *error)
{
    struct stat there;
    if (mkdir(directory, 0700) != 0 && errno != EEXIST)
        return error_set(error, ERROR_TEMPORARY, "cannot make %s: %s", directory, strerror(errno));
    if (stat(directory, &there) != 0)
        return error_set(error, ERROR_TEMPORARY, "cannot look at %s: %s", directory,
                         strerror(errno));
    if ((there.st_mode & 077) != 0)
        return error_set(error, ERROR_INVALID,
                         "%s is open to others than its owner, who could log in as anybody; "
                         "chmod 0700 it",
                         directory);
    return true;
}

static bool open_environment(struct state *state, const char *directory, struct error *error)
{
    int code = mdb_env_create(&state->environment);
    if (code == 0)
        code = mdb_env_set_maxdbs(state->environment, STATE_TABLE_COUNT);
    if (code == 0)
        code = mdb_env_set_mapsize(state->environment, MAP_BYTES);
    if (code == 0)
        code = mdb_env_set_maxreaders(state->environment, READERS_MAX);
    if (code == 0)
        code = mdb_env_open(state->environment, directory, MDB_NOTLS, 0600);
    if (code != 0)
        return error_set(error, ERROR_TEMPORARY, "cannot open the portal's database in %s: %s",
                         directory, mdb_strerror(code));
    return true;
}

static bool open_tables(struct state *state, MDB_txn *transaction, struct error *error)
{
    for (int i = 0; i < STATE_TABLE_COUNT; i++) {
        int code = mdb_dbi_open(transaction, table_names[i], MDB_CREATE, &state->tables[i]);
        if (code != 0)
            return state_error(error, code, table_names[i]);
    }
    return true;
}

static bool read_or_make_key(struct state *state, MDB_txn *transaction, struct error *error)
{
    struct state_row row;
    struct span name = span_of("key");
    switch (state_get(state, transaction, STATE_META, name, 0, &row, error)) {
    case STATE_YES:
        if (row.value.length != STATE_KEY_BYTES)
            return error_set(error, ERROR_TEMPORARY, "the key in the portal's database is cut off");
        memcpy(state->key, row.value.data, STATE_KEY_BYTES);
        return true;
    case STATE_NO:
        randombytes_buf(state->key, STATE_KEY_BYTES);
        row = (struct state_row){STATE_FOREVER_S, {(const char *)state->key, STATE_KEY_BYTES}};
        return state_put(state, transaction, STATE_META, name, row, error);
    case STATE_TROUBLE:
        break;
    }
    return false;
}

static bool prepare(struct state *state, const char *directory, struct error *error)
{
    MDB_txn *transaction;
    if (sodium_init() < 0)
        return error_set(error, ERROR_TEMPORARY, "cannot set up libsodium");
    if (!make_directory(directory, error) || !open_environment(state, directory, error) ||
        !state_begin(state, STATE_DURABLE, &transaction, error))
        return false;
    if (open_tables(state, transaction, error) && read_or_make_key(state, transaction, error))
        return state_commit(transaction, error);
    mdb_txn_abort(transaction);
    return false;
}

bool state_open(const char *directory, struct state **ret, struct error *error)
{
    struct state *state = memory_new(1, sizeof(*state));
    if (!prepare(state, directory, error)) {
        state_close(state);
        return false;
    }
    *ret = state;
    return true;
}

void state_close(struct state *state)
{
    if (state == NULL)
        return;
    if (state->environment != NULL)
        mdb_env_close(state->environment);
    explicit_bzero(state->key, sizeof(state->key));
    free(state);
}

const unsigned char *state_key(const struct state *state)
{
    return state->key;
}

static int prune_table(MDB_txn *transaction, MDB_dbi table, int64_t now_s)
{
    MDB_cursor *cursor;
    MDB_val key, value;
    int code = mdb_cursor_open(transaction, table, &cursor);
    if (code != 0)
        return code;
    while ((code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0)
        if (value.mv_size < UNTIL_BYTES || state_read_number(value.mv_data) <= now_s)
            if ((code = mdb_cursor_del(cursor, 0)) != 0)
                break;
    mdb_cursor_close(cursor);
    return code == MDB_NOTFOUND ? 0 : code;
}

bool state_prune(struct state *state, int64_t now_s, struct error *error)
{
    MDB_txn *transaction;
    int dead;
    mdb_reader_check(state->environment, &dead); /* their old pages could not be used again */
    if (!state_begin(state, STATE_CHEAP, &transaction, error))
        return false;
    for (int i = 0; i < STATE_TABLE_COUNT; i++) {
        int code = prune_table(transaction, state->tables[i], now_s);
        if (code == 0)
            continue;
        mdb_txn_abort(transaction);
        return state_error(error, code, table_names[i]);
    }
    return state_commit(transaction, error);
}
