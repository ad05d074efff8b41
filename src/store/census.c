#include "store/census.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "store/transaction.h"

struct census_taker {
    struct store_reader *reader;
    struct census result;
    uint64_t result_view; /* of the reader, when the count began */
    bool is_counting;
    struct census counted; /* so far */
    uint64_t counted_view;
    size_t capacity;
    enum table table; /* that is being walked */
    struct key last;  /* row of it that was counted last; empty: none */
};

static void finish(struct census *census)
{
    for (size_t i = 0; i < census->domain_count; i++)
        free(census->domains[i].name);
    free(census->domains);
    *census = (struct census){0};
}

struct census_taker *census_taker_create(struct store_reader *reader)
{
    struct census_taker *taker = memory_new(1, sizeof(*taker));
    taker->reader = reader;
    return taker;
}

void census_taker_destroy(struct census_taker *taker)
{
    if (taker == NULL)
        return;
    finish(&taker->result);
    finish(&taker->counted);
    free(taker);
}

const struct census *census_taker_result(const struct census_taker *taker)
{
    return &taker->result;
}

static void begin(struct census_taker *taker)
{
    finish(&taker->counted);
    taker->capacity = 0;
    taker->counted.is_made = true;
    taker->counted.generation = store_reader_generation(taker->reader);
    taker->counted_view = store_reader_view(taker->reader);
    taker->table = TABLE_ALIAS;
    taker->last.length = 0;
    taker->is_counting = true;
}

static void end(struct census_taker *taker)
{
    finish(&taker->result);
    taker->result = taker->counted;
    taker->result_view = taker->counted_view;
    taker->counted = (struct census){0};
    taker->is_counting = false;
}

/* Rows of a domain stand together, so it is the last one or a new one. */
static struct census_domain *domain_of(struct census_taker *taker, struct span name)
{
    struct census *counted = &taker->counted;
    if (counted->domain_count > 0 &&
        span_is_text(name, counted->domains[counted->domain_count - 1].name))
        return &counted->domains[counted->domain_count - 1];
    counted->domains = memory_grow(counted->domains, counted->domain_count, &taker->capacity,
                                   sizeof(*counted->domains));
    struct census_domain *domain = &counted->domains[counted->domain_count++];
    *domain = (struct census_domain){.name = memory_copy_bytes(name.data, name.length)};
    return domain;
}

static bool count_alias(struct census_taker *taker, struct span key, struct span value,
                        struct error *error)
{
    struct span domain, local;
    struct alias_record record;
    if (!key_split_pair(key, &domain, &local) || !alias_record_decode(value, &record))
        return snapshot_undecodable(error, "alias") != STORE_TROUBLE;
    domain_of(taker, domain)->aliases[record.kind][record.state]++;
    return true;
}

static bool count_notice(struct census_taker *taker, struct span value, struct error *error)
{
    struct census *counted = &taker->counted;
    struct outbox_record record;
    if (!outbox_record_decode(value, &record))
        return snapshot_undecodable(error, "outbox") != STORE_TROUBLE;
    counted->notices++;
    counted->overdue_notices += record.is_overdue;
    if (counted->oldest_notice_s == 0 || record.at_s < counted->oldest_notice_s)
        counted->oldest_notice_s = record.at_s;
    return true;
}

static bool count_row(struct census_taker *taker, struct span key, struct span value,
                      struct error *error)
{
    bool is_fine = taker->table == TABLE_ALIAS ? count_alias(taker, key, value, error)
                                               : count_notice(taker, value, error);
    memcpy(taker->last.bytes, key.data, key.length);
    taker->last.length = key.length;
    return is_fine;
}

/* Moves to the row behind the last one that was counted, which may be gone by now. */
static int find_next(struct census_taker *taker, MDB_cursor *cursor, MDB_val *key, MDB_val *value)
{
    if (taker->last.length == 0)
        return mdb_cursor_get(cursor, key, value, MDB_FIRST);
    *key = (MDB_val){taker->last.length, taker->last.bytes};
    int code = mdb_cursor_get(cursor, key, value, MDB_SET_RANGE);
    if (code == 0 && key->mv_size == taker->last.length &&
        memcmp(key->mv_data, taker->last.bytes, key->mv_size) == 0)
        code = mdb_cursor_get(cursor, key, value, MDB_NEXT);
    return code;
}

/* Up to *left rows of the table at hand. *ret_at_end: that was all of it. */
static bool count_rows(struct census_taker *taker, size_t *left, bool *ret_at_end,
                       struct error *error)
{
    struct snapshot *snapshot = store_reader_snapshot(taker->reader);
    MDB_cursor *cursor;
    MDB_val key, value;
    *ret_at_end = true;
    if (snapshot->store->tables[taker->table] == NO_TABLE)
        return true;
    int code =
        mdb_cursor_open(snapshot->transaction, snapshot->store->tables[taker->table], &cursor);
    if (code != 0)
        return environment_error(error, code, "cannot read the cache");
    bool is_fine = true;
    code = find_next(taker, cursor, &key, &value);
    for (; code == 0 && is_fine && *left > 0; --*left) {
        is_fine = count_row(taker, (struct span){key.mv_data, key.mv_size},
                            (struct span){value.mv_data, value.mv_size}, error);
        code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    if (code != 0 && code != MDB_NOTFOUND)
        return environment_error(error, code, "cannot read the cache");
    *ret_at_end = code == MDB_NOTFOUND;
    return is_fine;
}

static bool count(struct census_taker *taker, size_t left, struct error *error)
{
    bool is_at_end = true;
    while (is_at_end) {
        if (!count_rows(taker, &left, &is_at_end, error))
            return false;
        if (is_at_end && taker->table == TABLE_OUTBOX) {
            end(taker);
            return true;
        }
        if (is_at_end) {
            taker->table = TABLE_OUTBOX;
            taker->last.length = 0;
        }
    }
    return true;
}

enum census_step census_taker_go_on(struct census_taker *taker, size_t max_rows,
                                    struct error *error)
{
    if (!store_reader_wake(taker->reader, error)) {
        taker->is_counting = false;
        return CENSUS_TROUBLE;
    }
    uint64_t view = store_reader_view(taker->reader);
    if (!taker->is_counting && taker->result.is_made && taker->result_view == view)
        return CENSUS_DONE;
    if (!taker->is_counting)
        begin(taker);
    if (!count(taker, max_rows, error)) {
        taker->is_counting = false;
        return CENSUS_TROUBLE;
    }
    return taker->is_counting || taker->result_view != view ? CENSUS_MORE : CENSUS_DONE;
}
