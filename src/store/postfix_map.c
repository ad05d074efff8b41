#include "store/postfix_map.h"

#include <string.h>

#include <lmdb.h>

/* LMDB's pages are half full at worst, and a map needs a few more of its own. */
static size_t room_bytes(const struct postfix_map_entry *entries, size_t entry_count)
{
    size_t bytes = (size_t)16 << 20;
    for (size_t i = 0; i < entry_count; i++)
        bytes += 4 * (strlen(entries[i].key) + strlen(entries[i].value) + 64);
    return bytes;
}

static MDB_val value_of(const char *text)
{
    return (MDB_val){strlen(text) + 1, (void *)text};
}

static int put_all(MDB_txn *transaction, const struct postfix_map_entry *entries,
                   size_t entry_count)
{
    MDB_dbi table;
    int code = mdb_dbi_open(transaction, NULL, 0, &table);
    for (size_t i = 0; code == 0 && i < entry_count; i++) {
        MDB_val key = value_of(entries[i].key);
        MDB_val value = value_of(entries[i].value);
        code = mdb_put(transaction, table, &key, &value, 0);
    }
    return code;
}

/* Nobody else knows the file yet, so it needs no lock and no lock file is left beside it. */
static int fill(MDB_env *environment, const char *path, const struct postfix_map_entry *entries,
                size_t entry_count)
{
    MDB_txn *transaction;
    int code = mdb_env_set_mapsize(environment, room_bytes(entries, entry_count));
    if (code == 0)
        code = mdb_env_open(environment, path, MDB_NOSUBDIR | MDB_NOLOCK, 0640);
    if (code == 0)
        code = mdb_txn_begin(environment, NULL, 0, &transaction);
    if (code != 0)
        return code;
    code = put_all(transaction, entries, entry_count);
    if (code == 0)
        return mdb_txn_commit(transaction);
    mdb_txn_abort(transaction);
    return code;
}

bool postfix_map_write(const char *path, const struct postfix_map_entry *entries,
                       size_t entry_count, struct error *error)
{
    MDB_env *environment;
    for (size_t i = 0; i < entry_count; i++)
        if (strlen(entries[i].key) > POSTFIX_MAP_KEY_MAX_BYTES)
            return error_set(error, ERROR_INVALID, "a key is longer than %d bytes",
                             POSTFIX_MAP_KEY_MAX_BYTES);
    int code = mdb_env_create(&environment);
    if (code != 0)
        return error_set(error, ERROR_TEMPORARY, "cannot write %s: %s", path, mdb_strerror(code));
    code = fill(environment, path, entries, entry_count);
    mdb_env_close(environment);
    return code == 0 ||
           error_set(error, ERROR_TEMPORARY, "cannot write %s: %s", path, mdb_strerror(code));
}
