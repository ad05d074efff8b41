#include "state/sample.h"

#include <string.h>

#include "state/table.h"

#define TIME_BYTES 8
#define KEY_MAX    (SAMPLE_SERIES_MAX_BYTES + 1 + TIME_BYTES)

/* Series, NUL, time: those of a series lie together, by time. */
static bool make_key(const char *series, int64_t at_s, unsigned char key[KEY_MAX],
                     struct span *ret_key, struct error *error)
{
    size_t length = strlen(series) + 1;
    if (length > SAMPLE_SERIES_MAX_BYTES + 1)
        return error_set(error, ERROR_INVALID, "the name of a series is too long");
    memcpy(key, series, length);
    state_write_number(key + length, at_s);
    *ret_key = (struct span){(const char *)key, length + TIME_BYTES};
    return true;
}

bool sample_put(struct state *state, const char *series, int64_t at_s, int64_t value,
                int64_t until_s, struct error *error)
{
    MDB_txn *transaction;
    unsigned char bytes[KEY_MAX], number[8];
    struct span key;
    state_write_number(number, value);
    if (!make_key(series, at_s, bytes, &key, error) ||
        !state_begin(state, STATE_CHEAP, &transaction, error))
        return false;
    if (state_put(state, transaction, STATE_SAMPLE, key,
                  (struct state_row){until_s, {(const char *)number, sizeof(number)}}, error))
        return state_commit(transaction, error);
    mdb_txn_abort(transaction);
    return false;
}

static int each(MDB_cursor *cursor, struct span first, int64_t to_s,
                void (*visit)(void *context, int64_t at_s, int64_t value), void *context)
{
    MDB_val key = {first.length, (void *)first.data};
    MDB_val value;
    int code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    for (; code == 0; code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) {
        const char *bytes = key.mv_data;
        if (key.mv_size != first.length ||
            memcmp(bytes, first.data, first.length - TIME_BYTES) != 0)
            break;
        int64_t at_s = state_read_number(bytes + first.length - TIME_BYTES);
        if (at_s > to_s || value.mv_size != 16)
            break;
        visit(context, at_s, state_read_number((const char *)value.mv_data + 8));
    }
    return code == MDB_NOTFOUND ? 0 : code;
}

bool sample_each(struct state *state, const char *series, int64_t from_s, int64_t to_s,
                 void (*visit)(void *context, int64_t at_s, int64_t value), void *context,
                 struct error *error)
{
    MDB_txn *transaction;
    MDB_cursor *cursor;
    unsigned char bytes[KEY_MAX];
    struct span first;
    if (!make_key(series, from_s, bytes, &first, error) ||
        !state_begin(state, STATE_READ, &transaction, error))
        return false;
    int code = mdb_cursor_open(transaction, state_table_handle(state, STATE_SAMPLE), &cursor);
    if (code == 0) {
        code = each(cursor, first, to_s, visit, context);
        mdb_cursor_close(cursor);
    }
    mdb_txn_abort(transaction);
    return code == 0 || state_error(error, code, "samples");
}
