#include "store/changeset.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base/memory.h"
#include "store/generation.h"
#include "store/keyring.h"
#include "store/transaction.h"

#define DELETED UINT32_MAX

/* Bytes stand one after another in the changeset's arena; a hundred thousand rows are usual. */
struct entry {
    enum table table;
    uint32_t key_length;
    uint32_t value_length; /* DELETED: the row goes */
    size_t at;             /* of the key in the arena, the value behind it */
    bool is_superseded;    /* a later entry has the same key */
    bool keeps_stamp;
};

enum group_place { GROUP_FRONT, GROUP_ADDITION, GROUP_REST, GROUP_PLACE_COUNT };

struct group {
    size_t first_entry;
    enum group_place place;
};

struct changeset {
    struct buffer arena;
    struct entry *entries;
    size_t entry_count, entry_capacity;
    struct group *groups;
    size_t group_count, group_capacity;
    struct buffer scratch;
    int64_t undo_at_s; /* 0: keeps no undo */
    /* Of the rows that were kept so far. They stay when the changeset is cleared to be planned
     * again for a cache that moved between two pieces: it is still the same refresh. */
    uint64_t undo_generation; /* 0: none was kept yet */
    uint64_t undo_number;
    bool keeps_stamps;
    uint32_t key_ids[KEYRING_MAX_KEYS]; /* that seal the values which are put */
    size_t key_id_count;
};

struct changeset *changeset_create(void)
{
    return memory_new(1, sizeof(struct changeset));
}

void changeset_destroy(struct changeset *changeset)
{
    if (changeset == NULL)
        return;
    buffer_finish(&changeset->arena);
    buffer_finish(&changeset->scratch);
    free(changeset->entries);
    free(changeset->groups);
    free(changeset);
}

void changeset_clear(struct changeset *changeset)
{
    buffer_clear(&changeset->arena);
    changeset->entry_count = 0;
    changeset->group_count = 0;
    changeset->undo_at_s = 0;
    changeset->keeps_stamps = false;
    changeset->key_id_count = 0;
}

size_t changeset_count(const struct changeset *changeset)
{
    return changeset->entry_count;
}

static void begin_group(struct changeset *changeset, enum group_place place)
{
    struct group *last =
        changeset->group_count != 0 ? &changeset->groups[changeset->group_count - 1] : NULL;
    if (last != NULL && last->first_entry == changeset->entry_count) {
        last->place = place;
        return;
    }
    changeset->groups = memory_grow(changeset->groups, changeset->group_count,
                                    &changeset->group_capacity, sizeof(*changeset->groups));
    changeset->groups[changeset->group_count++] = (struct group){changeset->entry_count, place};
}

void changeset_begin_group(struct changeset *changeset, bool is_addition)
{
    begin_group(changeset, is_addition ? GROUP_ADDITION : GROUP_REST);
}

void changeset_begin_front_group(struct changeset *changeset)
{
    begin_group(changeset, GROUP_FRONT);
}

static void add_entry(struct changeset *changeset, enum table table, const struct key *key,
                      const struct buffer *value)
{
    if (changeset->group_count == 0)
        changeset_begin_group(changeset, false);
    changeset->entries = memory_grow(changeset->entries, changeset->entry_count,
                                     &changeset->entry_capacity, sizeof(*changeset->entries));
    changeset->entries[changeset->entry_count++] = (struct entry){
        .table = table,
        .key_length = (uint32_t)key->length,
        .value_length = value != NULL ? (uint32_t)value->length : DELETED,
        .at = changeset->arena.length,
        .keeps_stamp = changeset->keeps_stamps,
    };
    buffer_append(&changeset->arena, key->bytes, key->length);
    if (value != NULL)
        buffer_append(&changeset->arena, value->data, value->length);
}

/* Names come from configuration and checked listings; one that fits no key is our own bug. */
static struct key pair_key(const char *domain, const char *second)
{
    struct key key;
    if (!key_of_pair(&key, domain, span_of(second)))
        abort();
    return key;
}

static struct key name_key(const char *name)
{
    struct key key;
    if (!key_of_name(&key, span_of(name)))
        abort();
    return key;
}

static struct key sequence_key(uint64_t sequence)
{
    struct key key;
    key_of_sequence(&key, sequence);
    return key;
}

static struct key numbers_key(uint64_t generation, uint64_t number)
{
    struct key key;
    key_of_numbers(&key, generation, number);
    return key;
}

static struct key sent_key(const char *domain, const char *name, const char *word)
{
    struct key key;
    if (!key_of_sent(&key, domain, name, word))
        abort();
    return key;
}

/* It gets its number under the write lock. */
static struct key unnumbered_key(void)
{
    return (struct key){0};
}

/* A ring has so many keys at most, and no changeset comes from two rings that are full. */
static void note_key(struct changeset *changeset, struct span sealed)
{
    uint32_t id;
    if (!keyring_sealed_id(sealed, &id))
        return;
    for (size_t i = 0; i < changeset->key_id_count; i++)
        if (changeset->key_ids[i] == id)
            return;
    if (changeset->key_id_count < KEYRING_MAX_KEYS)
        changeset->key_ids[changeset->key_id_count++] = id;
}

static void put(struct changeset *changeset, enum table table, struct key key)
{
    add_entry(changeset, table, &key, &changeset->scratch);
}

static void erase(struct changeset *changeset, enum table table, struct key key)
{
    add_entry(changeset, table, &key, NULL);
}

void changeset_put_alias(struct changeset *changeset, const char *domain, const char *local,
                         const struct alias_record *record)
{
    buffer_clear(&changeset->scratch);
    alias_record_encode(&changeset->scratch, record);
    note_key(changeset, record->sealed_targets);
    put(changeset, TABLE_ALIAS, pair_key(domain, local));
}

void changeset_delete_alias(struct changeset *changeset, const char *domain, const char *local)
{
    erase(changeset, TABLE_ALIAS, pair_key(domain, local));
}

void changeset_put_person(struct changeset *changeset, const char *name,
                          const struct person_record *record)
{
    buffer_clear(&changeset->scratch);
    person_record_encode(&changeset->scratch, record);
    note_key(changeset, record->sealed_targets);
    put(changeset, TABLE_PERSON, name_key(name));
}

void changeset_delete_person(struct changeset *changeset, const char *name)
{
    erase(changeset, TABLE_PERSON, name_key(name));
}

void changeset_put_membership(struct changeset *changeset, const char *domain, const char *name,
                              const struct membership_record *record)
{
    buffer_clear(&changeset->scratch);
    membership_record_encode(&changeset->scratch, record);
    put(changeset, TABLE_MEMBERSHIP, pair_key(domain, name));
}

void changeset_delete_membership(struct changeset *changeset, const char *domain, const char *name)
{
    erase(changeset, TABLE_MEMBERSHIP, pair_key(domain, name));
}

void changeset_put_domain(struct changeset *changeset, const char *domain,
                          const struct domain_record *record)
{
    buffer_clear(&changeset->scratch);
    domain_record_encode(&changeset->scratch, record);
    put(changeset, TABLE_DOMAIN, name_key(domain));
}

void changeset_delete_domain(struct changeset *changeset, const char *domain)
{
    erase(changeset, TABLE_DOMAIN, name_key(domain));
}

void changeset_put_login(struct changeset *changeset, const char *identifier,
                         const struct login_record *record)
{
    buffer_clear(&changeset->scratch);
    login_record_encode(&changeset->scratch, record);
    put(changeset, TABLE_LOGIN, name_key(identifier));
}

void changeset_delete_login(struct changeset *changeset, const char *identifier)
{
    erase(changeset, TABLE_LOGIN, name_key(identifier));
}

void changeset_put_plan(struct changeset *changeset, const char *domain,
                        const struct plan_record *record)
{
    buffer_clear(&changeset->scratch);
    plan_record_encode(&changeset->scratch, record);
    put(changeset, TABLE_PLAN, name_key(domain));
}

void changeset_delete_plan(struct changeset *changeset, const char *domain)
{
    erase(changeset, TABLE_PLAN, name_key(domain));
}

void changeset_event(struct changeset *changeset, const struct event_record *event)
{
    buffer_clear(&changeset->scratch);
    event_record_encode(&changeset->scratch, event);
    put(changeset, TABLE_EVENT, unnumbered_key());
}

void changeset_put_event(struct changeset *changeset, uint64_t sequence,
                         const struct event_record *event)
{
    buffer_clear(&changeset->scratch);
    event_record_encode(&changeset->scratch, event);
    put(changeset, TABLE_EVENT, sequence_key(sequence));
}

void changeset_delete_event(struct changeset *changeset, uint64_t sequence)
{
    erase(changeset, TABLE_EVENT, sequence_key(sequence));
}

void changeset_make_notice_id(unsigned char ret[OUTBOX_ID_BYTES])
{
    randombytes_buf(ret, OUTBOX_ID_BYTES);
}

void changeset_notice(struct changeset *changeset, const struct outbox_record *notice)
{
    buffer_clear(&changeset->scratch);
    outbox_record_encode(&changeset->scratch, notice);
    note_key(changeset, notice->sealed_recipients);
    put(changeset, TABLE_OUTBOX, unnumbered_key());
}

void changeset_put_notice(struct changeset *changeset, uint64_t sequence,
                          const struct outbox_record *notice)
{
    buffer_clear(&changeset->scratch);
    outbox_record_encode(&changeset->scratch, notice);
    note_key(changeset, notice->sealed_recipients);
    put(changeset, TABLE_OUTBOX, sequence_key(sequence));
}

void changeset_delete_notice(struct changeset *changeset, uint64_t sequence)
{
    erase(changeset, TABLE_OUTBOX, sequence_key(sequence));
}

void changeset_put_sent(struct changeset *changeset, const char *domain, const char *name,
                        const char *word, const struct sent_record *record)
{
    buffer_clear(&changeset->scratch);
    sent_record_encode(&changeset->scratch, record);
    put(changeset, TABLE_SENT, sent_key(domain, name, word));
}

void changeset_delete_sent(struct changeset *changeset, const char *domain, const char *name,
                           const char *word)
{
    erase(changeset, TABLE_SENT, sent_key(domain, name, word));
}

void changeset_put_undo(struct changeset *changeset, uint64_t generation, uint64_t number,
                        const struct undo_record *record)
{
    buffer_clear(&changeset->scratch);
    undo_record_encode(&changeset->scratch, record);
    put(changeset, TABLE_UNDO, numbers_key(generation, number));
}

void changeset_delete_undo(struct changeset *changeset, uint64_t generation, uint64_t number)
{
    erase(changeset, TABLE_UNDO, numbers_key(generation, number));
}

void changeset_keep_undo(struct changeset *changeset, int64_t now_s)
{
    changeset->undo_at_s = now_s;
}

void changeset_keep_stamps(struct changeset *changeset)
{
    changeset->keeps_stamps = true;
}

void changeset_put_keys(struct changeset *changeset, const struct keys_record *record)
{
    buffer_clear(&changeset->scratch);
    keys_record_encode(&changeset->scratch, record);
    put(changeset, TABLE_META, name_key("keys"));
}

void changeset_put_run(struct changeset *changeset, const char *domain,
                       const struct run_record *record)
{
    buffer_clear(&changeset->scratch);
    run_record_encode(&changeset->scratch, record);
    put(changeset, TABLE_RUN, name_key(domain));
}

/* ---- pieces: runs of whole groups that are committed together ---- */

/* Entries of a key stand together, in the order they came. */
static int compare_entries(const void *left, const void *right, void *context)
{
    const struct changeset *changeset = context;
    size_t a = *(const size_t *)left;
    size_t b = *(const size_t *)right;
    const struct entry *x = &changeset->entries[a];
    const struct entry *y = &changeset->entries[b];
    if (x->table != y->table)
        return x->table < y->table ? -1 : 1;
    if (x->key_length != y->key_length)
        return x->key_length < y->key_length ? -1 : 1;
    int order = memcmp(changeset->arena.data + x->at, changeset->arena.data + y->at, x->key_length);
    return order != 0 ? order : a < b ? -1 : 1;
}

/* The later put or delete of a key counts, also when groups are put into another order. */
static void mark_superseded(struct changeset *changeset)
{
    size_t *indices = memory_new(changeset->entry_count, sizeof(*indices));
    for (size_t i = 0; i < changeset->entry_count; i++)
        indices[i] = i;
    qsort_r(indices, changeset->entry_count, sizeof(*indices), compare_entries, changeset);
    for (size_t i = 0; i + 1 < changeset->entry_count; i++) {
        struct entry *entry = &changeset->entries[indices[i]];
        const struct entry *next = &changeset->entries[indices[i + 1]];
        entry->is_superseded = entry->key_length != 0 && entry->table == next->table &&
                               entry->key_length == next->key_length &&
                               memcmp(changeset->arena.data + entry->at,
                                      changeset->arena.data + next->at, entry->key_length) == 0;
    }
    free(indices);
}

struct group_order {
    size_t *indices; /* by their place, else as they came */
    size_t count;
};

static struct group_order order_groups(struct changeset *changeset)
{
    mark_superseded(changeset);
    struct group_order order = {memory_new(changeset->group_count, sizeof(size_t)), 0};
    for (int place = GROUP_FRONT; place < GROUP_PLACE_COUNT; place++)
        for (size_t i = 0; i < changeset->group_count; i++)
            if ((int)changeset->groups[i].place == place)
                order.indices[order.count++] = i;
    return order;
}

static size_t group_end(const struct changeset *changeset, size_t group)
{
    return group + 1 < changeset->group_count ? changeset->groups[group + 1].first_entry
                                              : changeset->entry_count;
}

static size_t group_size(const struct changeset *changeset, size_t group)
{
    return group_end(changeset, group) - changeset->groups[group].first_entry;
}

/* Where the piece that begins at order[from] ends. */
static size_t piece_end(const struct changeset *changeset, const struct group_order *order,
                        size_t from)
{
    size_t records = 0;
    size_t to = from;
    while (to < order->count) {
        records += group_size(changeset, order->indices[to]);
        if (records > CHANGESET_MAX_RECORDS && to > from)
            break;
        to++;
    }
    return to;
}

/* 0: rows of that table are not kept. */
static enum undo_table undo_table_of(enum table table)
{
    switch (table) {
    case TABLE_ALIAS:
        return UNDO_ALIAS;
    case TABLE_PERSON:
        return UNDO_PERSON;
    case TABLE_MEMBERSHIP:
        return UNDO_MEMBERSHIP;
    default:
        return 0;
    }
}

/* Behind all others, so that pages fill up; a refresh that another overtook is not the last. */
static int append_undo(struct store *store, MDB_txn *transaction, struct changeset *changeset,
                       MDB_val *value)
{
    struct key number;
    key_of_numbers(&number, changeset->undo_generation, ++changeset->undo_number);
    MDB_val key = {number.length, number.bytes};
    int code = mdb_put(transaction, store->tables[TABLE_UNDO], &key, value, MDB_APPEND);
    return code == MDB_KEYEXIST ? mdb_put(transaction, store->tables[TABLE_UNDO], &key, value, 0)
                                : code;
}

/* The row as it is before entry is written. */
static bool keep_row(struct store *store, MDB_txn *transaction, struct changeset *changeset,
                     const struct entry *entry, uint64_t generation, struct error *error)
{
    MDB_val key = {entry->key_length, changeset->arena.data + entry->at};
    MDB_val before = {0};
    int code = mdb_get(transaction, store->tables[entry->table], &key, &before);
    if (code == MDB_NOTFOUND && entry->value_length == DELETED)
        return true;
    if (code != 0 && code != MDB_NOTFOUND)
        return environment_error(error, code, "cannot read what is to be changed");
    if (changeset->undo_generation == 0)
        changeset->undo_generation = generation;
    const struct undo_record undo = {
        .stamp.generation = generation,
        .at_s = changeset->undo_at_s,
        .table = (uint8_t)undo_table_of(entry->table),
        .was_absent = code == MDB_NOTFOUND,
        .key = {key.mv_data, key.mv_size},
        .value = {before.mv_data, before.mv_size},
    };
    buffer_clear(&changeset->scratch);
    undo_record_encode(&changeset->scratch, &undo);
    MDB_val value = {changeset->scratch.length, changeset->scratch.data};
    code = append_undo(store, transaction, changeset, &value);
    return code == 0 || environment_error(error, code, "cannot write the change");
}

static bool write_entry(struct store *store, MDB_txn *transaction, struct changeset *changeset,
                        const struct entry *entry, struct cache_state *state, struct error *error)
{
    struct key number;
    char *bytes = changeset->arena.data + entry->at;
    MDB_val key = {entry->key_length, bytes};
    MDB_val value = {entry->value_length, bytes + entry->key_length};
    MDB_dbi table = store->tables[entry->table];
    int code;
    if (changeset->undo_at_s != 0 && undo_table_of(entry->table) != 0 &&
        !keep_row(store, transaction, changeset, entry, state->generation, error))
        return false;
    if (entry->value_length == DELETED) {
        code = mdb_del(transaction, table, &key, NULL);
        return code == 0 || code == MDB_NOTFOUND ||
               environment_error(error, code, "cannot write the change");
    }
    bool is_new = entry->key_length == 0;
    if (is_new) {
        key_of_sequence(&number, state->next_sequence++);
        key = (MDB_val){number.length, number.bytes};
    }
    if (!entry->keeps_stamp)
        record_set_generation(value.mv_data, state->generation);
    code = mdb_put(transaction, table, &key, &value, is_new ? MDB_APPEND : 0);
    return code == 0 || environment_error(error, code, "cannot write the change");
}

/* None of the keys that seal what was put is retired, as the transaction has it now. */
static bool check_keys(struct store *store, MDB_txn *transaction, const struct changeset *changeset,
                       struct error *error)
{
    struct snapshot snapshot = {.store = store, .transaction = transaction};
    struct keys_record keys;
    enum store_result result = snapshot_keys(&snapshot, &keys, error);
    for (size_t i = 0; result == STORE_FOUND && i < changeset->key_id_count; i++)
        if (keys_record_is_retired(&keys, changeset->key_ids[i]))
            return error_set(error, ERROR_TEMPORARY,
                             "key %u is retired and seals nothing any more; with the key file as "
                             "it is now the same can be done again",
                             (unsigned)changeset->key_ids[i]);
    return result != STORE_TROUBLE;
}

/* Writes groups order[from..to) and the step to the next generation; counts what it writes. */
static bool write_piece(struct store *store, MDB_txn *transaction, struct changeset *changeset,
                        const struct group_order *order, size_t from, size_t to,
                        struct cache_state *state, size_t *ret_records, struct error *error)
{
    *ret_records = 0;
    state->generation++;
    randombytes_buf(state->stamp, sizeof(state->stamp));
    for (size_t i = from; i < to; i++) {
        size_t group = order->indices[i];
        for (size_t at = changeset->groups[group].first_entry; at < group_end(changeset, group);
             at++) {
            const struct entry *entry = &changeset->entries[at];
            if (entry->is_superseded)
                continue;
            if (!write_entry(store, transaction, changeset, entry, state, error))
                return false;
            ++*ret_records;
        }
    }
    return check_keys(store, transaction, changeset, error) &&
           environment_write_state(store, transaction, state, error);
}

/* Commits the step to that generation. */
static bool commit(struct store *store, MDB_txn *transaction, const struct cache_state *state,
                   struct error *error)
{
    if (!environment_commit(store, transaction, error))
        return false;
    generation_write(store, state);
    return true;
}

enum apply_result {
    APPLY_DONE,
    APPLY_MOVED, /* the cache is not in the state any more that was planned for */
    APPLY_FAILED,
};

/* Moves *planned on to the state that it leaves, and adds to result what it writes. */
static enum apply_result apply_piece(struct store *store, struct changeset *changeset,
                                     const struct group_order *order, size_t from, size_t to,
                                     struct cache_state *planned,
                                     struct store_update_result *result, struct error *error)
{
    MDB_txn *transaction;
    size_t records = 0;
    if (!environment_begin_write(store, &transaction, error))
        return APPLY_FAILED;
    struct cache_state state = store->opened;
    enum apply_result applied = APPLY_FAILED;
    if (!environment_is_same_state(&state, planned))
        applied = APPLY_MOVED;
    else if (write_piece(store, transaction, changeset, order, from, to, &state, &records, error))
        applied = APPLY_DONE;
    if (applied != APPLY_DONE) {
        mdb_txn_abort(transaction);
        return applied;
    }
    if (!commit(store, transaction, &state, error))
        return APPLY_FAILED;
    *planned = state;
    result->changed = true;
    result->records += records;
    return APPLY_DONE;
}

static enum apply_result apply_pieces(struct store *store, struct changeset *changeset,
                                      struct cache_state *planned,
                                      struct store_update_result *result, struct error *error)
{
    struct group_order order = order_groups(changeset);
    enum apply_result applied = APPLY_DONE;
    for (size_t from = 0; from < order.count && applied == APPLY_DONE;) {
        size_t to = piece_end(changeset, &order, from);
        applied = apply_piece(store, changeset, &order, from, to, planned, result, error);
        from = to;
    }
    free(order.indices);
    return applied;
}

/* ---- update ---- */

/* Plans on a snapshot and applies. MOVED: to be tried again. */
static enum apply_result update_from_snapshot(struct store *store, changeset_plan *plan,
                                              void *context, struct changeset *changeset,
                                              struct store_update_result *result,
                                              struct error *error)
{
    struct snapshot *snapshot;
    if (!snapshot_begin(store, &snapshot, error))
        return APPLY_FAILED;
    struct cache_state state = snapshot->state;
    changeset_clear(changeset);
    bool is_planned = plan(context, snapshot, changeset, error);
    snapshot_end(snapshot);
    if (!is_planned)
        return APPLY_FAILED;
    enum apply_result applied = APPLY_DONE;
    if (changeset_count(changeset) != 0)
        applied = apply_pieces(store, changeset, &state, result, error);
    result->generation = state.generation;
    return applied;
}

/*
 * Plans inside the write transaction, where nothing can move. Only the first piece is written, so
 * that the lock is not held for long; *ret_rest says that there is more to plan.
 */
static bool update_under_lock(struct store *store, changeset_plan *plan, void *context,
                              struct changeset *changeset, struct store_update_result *result,
                              bool *ret_rest, struct error *error)
{
    MDB_txn *transaction;
    struct snapshot snapshot = {.store = store};
    if (!environment_begin_write(store, &transaction, error))
        return false;
    snapshot.transaction = transaction;
    snapshot.state = store->opened;
    struct group_order order = {0};
    size_t to = 0;
    size_t records = 0;
    changeset_clear(changeset);
    bool is_fine = plan(context, &snapshot, changeset, error);
    struct cache_state state = snapshot.state;
    if (is_fine && changeset_count(changeset) != 0) {
        order = order_groups(changeset);
        to = piece_end(changeset, &order, 0);
        is_fine =
            write_piece(store, transaction, changeset, &order, 0, to, &state, &records, error);
    }
    *ret_rest = to < order.count;
    free(order.indices);
    if (!is_fine || changeset_count(changeset) == 0) {
        mdb_txn_abort(transaction);
    } else if (commit(store, transaction, &state, error)) {
        result->changed = true;
        result->records += records;
    } else {
        is_fine = false;
    }
    result->generation = state.generation;
    return is_fine;
}

bool store_update(struct store *store, changeset_plan *plan, void *context,
                  struct store_update_result *ret, struct error *error)
{
    const unsigned optimistic_attempts = 2;
    struct store_update_result result = {0};
    struct changeset *changeset = changeset_create();
    enum apply_result applied = APPLY_MOVED;
    while (applied == APPLY_MOVED && result.attempts < optimistic_attempts) {
        result.attempts++;
        applied = update_from_snapshot(store, plan, context, changeset, &result, error);
    }
    if (applied == APPLY_MOVED) {
        bool rest = true;
        bool is_fine = true;
        while (is_fine && rest) {
            result.attempts++;
            is_fine = update_under_lock(store, plan, context, changeset, &result, &rest, error);
        }
        applied = is_fine ? APPLY_DONE : APPLY_FAILED;
    }
    changeset_destroy(changeset);
    if (applied == APPLY_FAILED)
        return false;
    *ret = result;
    return true;
}

bool store_preview(struct store *store, changeset_plan *plan, void *context,
                   struct store_update_result *ret, struct error *error)
{
    struct snapshot *snapshot;
    if (!snapshot_begin(store, &snapshot, error))
        return false;
    struct changeset *changeset = changeset_create();
    bool is_planned = plan(context, snapshot, changeset, error);
    if (is_planned)
        *ret = (struct store_update_result){.changed = changeset_count(changeset) != 0,
                                            .generation = snapshot_generation(snapshot),
                                            .records = changeset_count(changeset),
                                            .attempts = 1};
    changeset_destroy(changeset);
    snapshot_end(snapshot);
    return is_planned;
}

bool store_note_runs(struct store *store, const struct store_run_row *rows, size_t count,
                     struct error *error)
{
    MDB_txn *transaction;
    if (!environment_begin_write(store, &transaction, error))
        return false;
    struct buffer bytes = {0};
    int code = 0;
    for (size_t i = 0; i < count && code == 0; i++) {
        struct key key = name_key(rows[i].domain);
        buffer_clear(&bytes);
        run_record_encode(&bytes, &rows[i].record);
        MDB_val key_value = {key.length, key.bytes};
        MDB_val value = {bytes.length, bytes.data};
        code = mdb_put(transaction, store->tables[TABLE_RUN], &key_value, &value, 0);
    }
    buffer_finish(&bytes);
    if (code != 0) {
        mdb_txn_abort(transaction);
        return environment_error(error, code, "cannot write the run rows");
    }
    return environment_commit(store, transaction, error);
}
