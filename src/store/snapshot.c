#include "store/snapshot.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base/memory.h"
#include "store/generation.h"
#include "store/transaction.h"

bool snapshot_begin(struct store *store, struct snapshot **ret, struct error *error)
{
    MDB_txn *transaction;
    struct cache_state state;
    struct generation_file file;
    generation_read(store, &file);
    if (!environment_check_size(store, error))
        return false;
    int code = mdb_txn_begin(store->environment, NULL, MDB_RDONLY, &transaction);
    if (code != 0)
        return environment_error(error, code, "cannot read the cache");
    if (!environment_read_state(store, transaction, &state, error)) {
        mdb_txn_abort(transaction);
        return false;
    }
    struct snapshot *snapshot = memory_new(1, sizeof(*snapshot));
    *snapshot = (struct snapshot){store, transaction, state, generation_fits(&file, &state)};
    *ret = snapshot;
    return true;
}

void snapshot_end(struct snapshot *snapshot)
{
    if (snapshot == NULL)
        return;
    mdb_txn_abort(snapshot->transaction);
    free(snapshot);
}

bool snapshot_is_trusted(const struct snapshot *snapshot)
{
    return snapshot->is_trusted;
}

uint64_t snapshot_generation(const struct snapshot *snapshot)
{
    return snapshot->state.generation;
}

const char *snapshot_cache_id(const struct snapshot *snapshot, char text[33])
{
    return sodium_bin2hex(text, 33, snapshot->state.cache_id, CACHE_ID_BYTES);
}

unsigned snapshot_layout(const struct snapshot *snapshot)
{
    return snapshot->state.layout;
}

uint64_t snapshot_used_bytes(const struct snapshot *snapshot)
{
    return environment_used_bytes(snapshot->store);
}

enum store_result snapshot_get(struct snapshot *snapshot, enum table table, const struct key *key,
                               struct span *ret, struct error *error)
{
    MDB_val wanted = {key->length, (void *)key->bytes};
    MDB_val value;
    if (snapshot->store->tables[table] == NO_TABLE)
        return STORE_ABSENT;
    int code = mdb_get(snapshot->transaction, snapshot->store->tables[table], &wanted, &value);
    if (code == MDB_NOTFOUND)
        return STORE_ABSENT;
    if (code != 0) {
        environment_error(error, code, "cannot read the cache");
        return STORE_TROUBLE;
    }
    *ret = (struct span){value.mv_data, value.mv_size};
    return STORE_FOUND;
}

enum store_result snapshot_undecodable(struct error *error, const char *table)
{
    error_set(error, ERROR_TEMPORARY, "a record of table \"%s\" cannot be understood", table);
    return STORE_TROUBLE;
}

enum store_result snapshot_alias(struct snapshot *snapshot, const char *domain, struct span local,
                                 struct alias_record *ret, struct error *error)
{
    struct key key;
    struct span bytes;
    if (!key_of_pair(&key, domain, local))
        return STORE_ABSENT;
    enum store_result result = snapshot_get(snapshot, TABLE_ALIAS, &key, &bytes, error);
    if (result == STORE_FOUND && !alias_record_decode(bytes, ret))
        return snapshot_undecodable(error, "alias");
    return result;
}

enum store_result snapshot_person(struct snapshot *snapshot, const char *name,
                                  struct person_record *ret, struct error *error)
{
    struct key key;
    struct span bytes;
    if (!key_of_name(&key, span_of(name)))
        return STORE_ABSENT;
    enum store_result result = snapshot_get(snapshot, TABLE_PERSON, &key, &bytes, error);
    if (result == STORE_FOUND && !person_record_decode(bytes, ret))
        return snapshot_undecodable(error, "person");
    return result;
}

enum store_result snapshot_membership(struct snapshot *snapshot, const char *domain,
                                      const char *name, struct membership_record *ret,
                                      struct error *error)
{
    struct key key;
    struct span bytes;
    if (!key_of_pair(&key, domain, span_of(name)))
        return STORE_ABSENT;
    enum store_result result = snapshot_get(snapshot, TABLE_MEMBERSHIP, &key, &bytes, error);
    if (result == STORE_FOUND && !membership_record_decode(bytes, ret))
        return snapshot_undecodable(error, "membership");
    return result;
}

enum store_result snapshot_domain(struct snapshot *snapshot, const char *domain,
                                  struct domain_record *ret, struct error *error)
{
    struct key key;
    struct span bytes;
    if (!key_of_name(&key, span_of(domain)))
        return STORE_ABSENT;
    enum store_result result = snapshot_get(snapshot, TABLE_DOMAIN, &key, &bytes, error);
    if (result == STORE_FOUND && !domain_record_decode(bytes, ret))
        return snapshot_undecodable(error, "domain");
    return result;
}

enum store_result snapshot_login(struct snapshot *snapshot, const char *identifier,
                                 struct login_record *ret, struct error *error)
{
    struct key key;
    struct span bytes;
    if (!key_of_name(&key, span_of(identifier)))
        return STORE_ABSENT;
    enum store_result result = snapshot_get(snapshot, TABLE_LOGIN, &key, &bytes, error);
    if (result == STORE_FOUND && !login_record_decode(bytes, ret))
        return snapshot_undecodable(error, "login");
    return result;
}

enum store_result snapshot_plan(struct snapshot *snapshot, const char *domain,
                                struct plan_record *ret, struct error *error)
{
    struct key key;
    struct span bytes;
    if (!key_of_name(&key, span_of(domain)))
        return STORE_ABSENT;
    enum store_result result = snapshot_get(snapshot, TABLE_PLAN, &key, &bytes, error);
    if (result == STORE_FOUND && !plan_record_decode(bytes, ret))
        return snapshot_undecodable(error, "plan");
    return result;
}

enum store_result snapshot_notice(struct snapshot *snapshot, uint64_t sequence,
                                  struct outbox_record *ret, struct error *error)
{
    struct key key;
    struct span bytes;
    key_of_sequence(&key, sequence);
    enum store_result result = snapshot_get(snapshot, TABLE_OUTBOX, &key, &bytes, error);
    if (result == STORE_FOUND && !outbox_record_decode(bytes, ret))
        return snapshot_undecodable(error, "outbox");
    return result;
}

enum store_result snapshot_sent(struct snapshot *snapshot, const char *domain, const char *name,
                                const char *word, struct sent_record *ret, struct error *error)
{
    struct key key;
    struct span bytes;
    if (!key_of_sent(&key, domain, name, word))
        return STORE_ABSENT;
    enum store_result result = snapshot_get(snapshot, TABLE_SENT, &key, &bytes, error);
    if (result == STORE_FOUND && !sent_record_decode(bytes, ret))
        return snapshot_undecodable(error, "sent");
    return result;
}

enum store_result snapshot_keys(struct snapshot *snapshot, struct keys_record *ret,
                                struct error *error)
{
    struct key key;
    struct span bytes;
    if (!key_of_name(&key, span_of("keys")))
        return STORE_ABSENT;
    enum store_result result = snapshot_get(snapshot, TABLE_META, &key, &bytes, error);
    if (result == STORE_FOUND && !keys_record_decode(bytes, ret))
        return snapshot_undecodable(error, "meta");
    return result;
}

enum store_result snapshot_run(struct snapshot *snapshot, const char *domain,
                               struct run_record *ret, struct error *error)
{
    struct key key;
    struct span bytes;
    if (!key_of_name(&key, span_of(domain)))
        return STORE_ABSENT;
    enum store_result result = snapshot_get(snapshot, TABLE_RUN, &key, &bytes, error);
    if (result == STORE_FOUND && !run_record_decode(bytes, ret))
        return snapshot_undecodable(error, "run");
    return result;
}

/* ---- walks ---- */

/* A row on the way; the result is whether to go on. */
typedef enum store_result row_visit(void *context, struct span key, struct span value,
                                    bool *ret_go_on, struct error *error);

/* Over the rows whose key begins with prefix, an empty one is all rows, from the one of key first
 * on, or what would stand behind it. */
static bool walk_from(struct snapshot *snapshot, enum table table, struct key prefix,
                      struct key first, row_visit *visit, void *context, struct error *error)
{
    MDB_cursor *cursor;
    MDB_val key = {0};
    MDB_val value;
    if (snapshot->store->tables[table] == NO_TABLE)
        return true;
    int code = mdb_cursor_open(snapshot->transaction, snapshot->store->tables[table], &cursor);
    if (code != 0)
        return environment_error(error, code, "cannot read the cache");
    key = (MDB_val){first.length, first.bytes};
    code = mdb_cursor_get(cursor, &key, &value, first.length != 0 ? MDB_SET_RANGE : MDB_FIRST);
    bool go_on = true;
    enum store_result result = STORE_FOUND;
    while (code == 0 && go_on && result == STORE_FOUND) {
        if (key.mv_size < prefix.length || memcmp(key.mv_data, prefix.bytes, prefix.length) != 0)
            break;
        result = visit(context, (struct span){key.mv_data, key.mv_size},
                       (struct span){value.mv_data, value.mv_size}, &go_on, error);
        if (go_on && result == STORE_FOUND)
            code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    if (code != 0 && code != MDB_NOTFOUND)
        return environment_error(error, code, "cannot read the cache");
    return result != STORE_TROUBLE;
}

static bool walk_prefix(struct snapshot *snapshot, enum table table, struct key prefix,
                        row_visit *visit, void *context, struct error *error)
{
    return walk_from(snapshot, table, prefix, prefix, visit, context, error);
}

/* Over the rows of a domain; NULL: of all. */
static bool walk(struct snapshot *snapshot, enum table table, const char *domain, row_visit *visit,
                 void *context, struct error *error)
{
    struct key prefix = {0};
    if (domain != NULL && !key_of_pair(&prefix, domain, (struct span){"", 0}))
        return true;
    return walk_prefix(snapshot, table, prefix, visit, context, error);
}

/* Key parts as NUL-terminated text. */
struct names {
    char first[KEY_MAX_BYTES + 1];
    char second[KEY_MAX_BYTES + 1];
};

static bool names_of_pair(struct names *names, struct span key)
{
    struct span first, second;
    if (!key_split_pair(key, &first, &second))
        return false;
    memcpy(names->first, first.data, first.length);
    names->first[first.length] = '\0';
    memcpy(names->second, second.data, second.length);
    names->second[second.length] = '\0';
    return true;
}

static void name_of_key(struct names *names, struct span key)
{
    memcpy(names->first, key.data, key.length);
    names->first[key.length] = '\0';
}

struct alias_walk {
    snapshot_alias_visit *visit;
    void *context;
};

static enum store_result visit_alias(void *context, struct span key, struct span value,
                                     bool *ret_go_on, struct error *error)
{
    struct alias_walk *alias_walk = context;
    struct names names;
    struct alias_record record;
    if (!names_of_pair(&names, key) || !alias_record_decode(value, &record))
        return snapshot_undecodable(error, "alias");
    *ret_go_on = alias_walk->visit(alias_walk->context, names.first, names.second, &record);
    return STORE_FOUND;
}

bool snapshot_each_alias(struct snapshot *snapshot, const char *domain, snapshot_alias_visit *visit,
                         void *context, struct error *error)
{
    struct alias_walk alias_walk = {visit, context};
    return walk(snapshot, TABLE_ALIAS, domain, visit_alias, &alias_walk, error);
}

bool snapshot_each_alias_after(struct snapshot *snapshot, const char *domain, const char *local,
                               snapshot_alias_visit *visit, void *context, struct error *error)
{
    struct alias_walk alias_walk = {visit, context};
    struct key prefix, first;
    if (!key_of_pair(&prefix, domain, span_of("")) || !key_of_pair(&first, domain, span_of(local)))
        return true;
    /* The least key that is greater. */
    if (*local != '\0' && first.length < KEY_MAX_BYTES)
        first.bytes[first.length++] = '\0';
    return walk_from(snapshot, TABLE_ALIAS, prefix, first, visit_alias, &alias_walk, error);
}

struct person_walk {
    snapshot_person_visit *visit;
    void *context;
};

static enum store_result visit_person(void *context, struct span key, struct span value,
                                      bool *ret_go_on, struct error *error)
{
    struct person_walk *person_walk = context;
    struct names names;
    struct person_record record;
    name_of_key(&names, key);
    if (!person_record_decode(value, &record))
        return snapshot_undecodable(error, "person");
    *ret_go_on = person_walk->visit(person_walk->context, names.first, &record);
    return STORE_FOUND;
}

bool snapshot_each_person(struct snapshot *snapshot, snapshot_person_visit *visit, void *context,
                          struct error *error)
{
    struct person_walk person_walk = {visit, context};
    return walk(snapshot, TABLE_PERSON, NULL, visit_person, &person_walk, error);
}

struct membership_walk {
    snapshot_membership_visit *visit;
    void *context;
};

static enum store_result visit_membership(void *context, struct span key, struct span value,
                                          bool *ret_go_on, struct error *error)
{
    struct membership_walk *membership_walk = context;
    struct names names;
    struct membership_record record;
    if (!names_of_pair(&names, key) || !membership_record_decode(value, &record))
        return snapshot_undecodable(error, "membership");
    *ret_go_on =
        membership_walk->visit(membership_walk->context, names.first, names.second, &record);
    return STORE_FOUND;
}

bool snapshot_each_membership(struct snapshot *snapshot, const char *domain,
                              snapshot_membership_visit *visit, void *context, struct error *error)
{
    struct membership_walk membership_walk = {visit, context};
    return walk(snapshot, TABLE_MEMBERSHIP, domain, visit_membership, &membership_walk, error);
}

struct domain_walk {
    snapshot_domain_visit *visit;
    void *context;
};

static enum store_result visit_domain(void *context, struct span key, struct span value,
                                      bool *ret_go_on, struct error *error)
{
    struct domain_walk *domain_walk = context;
    struct names names;
    struct domain_record record;
    name_of_key(&names, key);
    if (!domain_record_decode(value, &record))
        return snapshot_undecodable(error, "domain");
    *ret_go_on = domain_walk->visit(domain_walk->context, names.first, &record);
    return STORE_FOUND;
}

bool snapshot_each_domain(struct snapshot *snapshot, snapshot_domain_visit *visit, void *context,
                          struct error *error)
{
    struct domain_walk domain_walk = {visit, context};
    return walk(snapshot, TABLE_DOMAIN, NULL, visit_domain, &domain_walk, error);
}

struct event_walk {
    snapshot_event_visit *visit;
    void *context;
};

static enum store_result visit_event(void *context, struct span key, struct span value,
                                     bool *ret_go_on, struct error *error)
{
    struct event_walk *event_walk = context;
    struct event_record record;
    if (!event_record_decode(value, &record))
        return snapshot_undecodable(error, "event");
    *ret_go_on = event_walk->visit(event_walk->context, key_sequence(key), &record);
    return STORE_FOUND;
}

bool snapshot_each_event(struct snapshot *snapshot, snapshot_event_visit *visit, void *context,
                         struct error *error)
{
    struct event_walk event_walk = {visit, context};
    return walk(snapshot, TABLE_EVENT, NULL, visit_event, &event_walk, error);
}

bool snapshot_each_event_before(struct snapshot *snapshot, uint64_t before,
                                snapshot_event_visit *visit, void *context, struct error *error)
{
    struct event_walk event_walk = {visit, context};
    MDB_cursor *cursor;
    MDB_val key, value;
    struct key first;
    bool go_on = true;
    enum store_result result = STORE_FOUND;
    if (snapshot->store->tables[TABLE_EVENT] == NO_TABLE)
        return true;
    int code =
        mdb_cursor_open(snapshot->transaction, snapshot->store->tables[TABLE_EVENT], &cursor);
    if (code != 0)
        return environment_error(error, code, "cannot read the cache");
    key_of_sequence(&first, before);
    key = (MDB_val){first.length, first.bytes};
    code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    if (code == 0 || code == MDB_NOTFOUND)
        code = mdb_cursor_get(cursor, &key, &value, code == 0 ? MDB_PREV : MDB_LAST);
    while (code == 0 && go_on && result == STORE_FOUND) {
        result = visit_event(&event_walk, (struct span){key.mv_data, key.mv_size},
                             (struct span){value.mv_data, value.mv_size}, &go_on, error);
        code = mdb_cursor_get(cursor, &key, &value, MDB_PREV);
    }
    mdb_cursor_close(cursor);
    if (code != 0 && code != MDB_NOTFOUND)
        return environment_error(error, code, "cannot read the cache");
    return result != STORE_TROUBLE;
}

struct login_walk {
    snapshot_login_visit *visit;
    void *context;
};

static enum store_result visit_login(void *context, struct span key, struct span value,
                                     bool *ret_go_on, struct error *error)
{
    struct login_walk *login_walk = context;
    struct names names;
    struct login_record record;
    name_of_key(&names, key);
    if (!login_record_decode(value, &record))
        return snapshot_undecodable(error, "login");
    *ret_go_on = login_walk->visit(login_walk->context, names.first, &record);
    return STORE_FOUND;
}

bool snapshot_each_login(struct snapshot *snapshot, snapshot_login_visit *visit, void *context,
                         struct error *error)
{
    struct login_walk login_walk = {visit, context};
    return walk(snapshot, TABLE_LOGIN, NULL, visit_login, &login_walk, error);
}

struct plan_walk {
    snapshot_plan_visit *visit;
    void *context;
};

static enum store_result visit_plan(void *context, struct span key, struct span value,
                                    bool *ret_go_on, struct error *error)
{
    struct plan_walk *plan_walk = context;
    struct names names;
    struct plan_record record;
    name_of_key(&names, key);
    if (!plan_record_decode(value, &record))
        return snapshot_undecodable(error, "plan");
    *ret_go_on = plan_walk->visit(plan_walk->context, names.first, &record);
    return STORE_FOUND;
}

bool snapshot_each_plan(struct snapshot *snapshot, snapshot_plan_visit *visit, void *context,
                        struct error *error)
{
    struct plan_walk plan_walk = {visit, context};
    return walk(snapshot, TABLE_PLAN, NULL, visit_plan, &plan_walk, error);
}

struct outbox_walk {
    snapshot_outbox_visit *visit;
    void *context;
};

static enum store_result visit_notice(void *context, struct span key, struct span value,
                                      bool *ret_go_on, struct error *error)
{
    struct outbox_walk *outbox_walk = context;
    struct outbox_record record;
    if (!outbox_record_decode(value, &record))
        return snapshot_undecodable(error, "outbox");
    *ret_go_on = outbox_walk->visit(outbox_walk->context, key_sequence(key), &record);
    return STORE_FOUND;
}

bool snapshot_each_notice(struct snapshot *snapshot, snapshot_outbox_visit *visit, void *context,
                          struct error *error)
{
    struct outbox_walk outbox_walk = {visit, context};
    return walk(snapshot, TABLE_OUTBOX, NULL, visit_notice, &outbox_walk, error);
}

struct run_walk {
    snapshot_run_visit *visit;
    void *context;
};

static enum store_result visit_run(void *context, struct span key, struct span value,
                                   bool *ret_go_on, struct error *error)
{
    struct run_walk *run_walk = context;
    struct names names;
    struct run_record record;
    name_of_key(&names, key);
    if (!run_record_decode(value, &record))
        return snapshot_undecodable(error, "run");
    *ret_go_on = run_walk->visit(run_walk->context, names.first, &record);
    return STORE_FOUND;
}

bool snapshot_each_run(struct snapshot *snapshot, snapshot_run_visit *visit, void *context,
                       struct error *error)
{
    struct run_walk run_walk = {visit, context};
    return walk(snapshot, TABLE_RUN, NULL, visit_run, &run_walk, error);
}

struct sent_walk {
    snapshot_sent_visit *visit;
    void *context;
};

static enum store_result visit_sent(void *context, struct span key, struct span value,
                                    bool *ret_go_on, struct error *error)
{
    struct sent_walk *sent_walk = context;
    struct names names;
    struct sent_record record;
    if (!names_of_pair(&names, key) || !sent_record_decode(value, &record))
        return snapshot_undecodable(error, "sent");
    char *space = strrchr(names.second, ' ');
    if (space == NULL)
        return snapshot_undecodable(error, "sent");
    *space = '\0';
    *ret_go_on =
        sent_walk->visit(sent_walk->context, names.first, names.second, space + 1, &record);
    return STORE_FOUND;
}

bool snapshot_each_sent(struct snapshot *snapshot, const char *domain, snapshot_sent_visit *visit,
                        void *context, struct error *error)
{
    struct sent_walk sent_walk = {visit, context};
    return walk(snapshot, TABLE_SENT, domain, visit_sent, &sent_walk, error);
}

bool snapshot_each_sent_about(struct snapshot *snapshot, const char *domain, const char *name,
                              snapshot_sent_visit *visit, void *context, struct error *error)
{
    struct sent_walk sent_walk = {visit, context};
    struct key prefix;
    return !key_of_sent(&prefix, domain, name, "") ||
           walk_prefix(snapshot, TABLE_SENT, prefix, visit_sent, &sent_walk, error);
}

struct undo_walk {
    snapshot_undo_visit *visit;
    void *context;
};

static enum store_result visit_undo(void *context, struct span key, struct span value,
                                    bool *ret_go_on, struct error *error)
{
    struct undo_walk *undo_walk = context;
    struct undo_record record;
    if (key.length != 16 || !undo_record_decode(value, &record))
        return snapshot_undecodable(error, "undo");
    *ret_go_on = undo_walk->visit(undo_walk->context, key_sequence(key),
                                  key_sequence((struct span){key.data + 8, 8}), &record);
    return STORE_FOUND;
}

bool snapshot_each_undo(struct snapshot *snapshot, uint64_t generation, snapshot_undo_visit *visit,
                        void *context, struct error *error)
{
    struct undo_walk undo_walk = {visit, context};
    struct key prefix = {0};
    if (generation != 0)
        key_of_sequence(&prefix, generation);
    return walk_prefix(snapshot, TABLE_UNDO, prefix, visit_undo, &undo_walk, error);
}

bool snapshot_each_undo_generation(struct snapshot *snapshot, snapshot_undo_generation_visit *visit,
                                   void *context, struct error *error)
{
    MDB_cursor *cursor;
    struct key next; /* LMDB reads it when the following turn begins */
    MDB_val key, value;
    int code = mdb_cursor_open(snapshot->transaction, snapshot->store->tables[TABLE_UNDO], &cursor);
    if (code != 0)
        return environment_error(error, code, "cannot read the cache");
    bool is_fine = true;
    for (code = mdb_cursor_get(cursor, &key, &value, MDB_FIRST); code == 0 && is_fine;
         code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE)) {
        struct undo_record record;
        is_fine = key.mv_size == 16 &&
                  undo_record_decode((struct span){value.mv_data, value.mv_size}, &record);
        if (!is_fine) {
            snapshot_undecodable(error, "undo");
            break;
        }
        uint64_t generation = key_sequence((struct span){key.mv_data, key.mv_size});
        if (!visit(context, generation, record.at_s))
            break;
        key_of_numbers(&next, generation + 1, 0);
        key = (MDB_val){next.length, next.bytes};
    }
    mdb_cursor_close(cursor);
    if (code != 0 && code != MDB_NOTFOUND)
        return environment_error(error, code, "cannot read the cache");
    return is_fine;
}
