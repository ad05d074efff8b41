#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/memory.h"
#include "store/environment.h"
#include "store/generation.h"
#include "store/record.h"

static const char *const table_names[TABLE_COUNT] = {
    [TABLE_ALIAS] = "alias",   [TABLE_PERSON] = "person", [TABLE_MEMBERSHIP] = "membership",
    [TABLE_DOMAIN] = "domain", [TABLE_LOGIN] = "login",   [TABLE_PLAN] = "plan",
    [TABLE_EVENT] = "event",   [TABLE_OUTBOX] = "outbox", [TABLE_SENT] = "sent",
    [TABLE_UNDO] = "undo",     [TABLE_RUN] = "run",       [TABLE_META] = "meta",
};

/*
 * Kept between the last used page and the end of the file, so that pages which a transaction
 * took and gave back unwritten still lie inside the file, and a full disk is noticed before.
 */
#define TAIL_BYTES (1024 * 1024)

bool environment_error(struct error *error, int code, const char *what)
{
    switch (code) {
    case MDB_MAP_FULL:
        return error_set(error, ERROR_TEMPORARY, "%s: the cache is full (cache-limit)", what);
    case MDB_MAP_RESIZED:
        return error_set(error, ERROR_TEMPORARY, "%s: the cache is larger than cache-limit", what);
    case MDB_INVALID:
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
        return error_set(error, ERROR_TEMPORARY, "%s: the data file is damaged (%s)", what,
                         mdb_strerror(code));
    default:
        return error_set(error, ERROR_TEMPORARY, "%s: %s", what, mdb_strerror(code));
    }
}

static bool file_size(struct store *store, uint64_t *ret_bytes, struct error *error)
{
    int fd;
    struct stat status;
    mdb_env_get_fd(store->environment, &fd);
    if (fstat(fd, &status) != 0)
        return error_set(error, ERROR_TEMPORARY, "%s: %s", store->data_path, strerror(errno));
    *ret_bytes = (uint64_t)status.st_size;
    return true;
}

uint64_t environment_used_bytes(struct store *store)
{
    MDB_envinfo info;
    MDB_stat stat;
    mdb_env_info(store->environment, &info);
    mdb_env_stat(store->environment, &stat);
    return ((uint64_t)info.me_last_pgno + 1) * stat.ms_psize;
}

bool environment_check_size(struct store *store, struct error *error)
{
    const uint64_t meta_bytes = 2 * (uint64_t)sysconf(_SC_PAGESIZE);
    uint64_t bytes;
    if (!file_size(store, &bytes, error))
        return false;
    if (bytes < meta_bytes || bytes < environment_used_bytes(store))
        return error_set(error, ERROR_TEMPORARY,
                         "%s has %" PRIu64 " bytes, fewer than its pages need: it was cut short",
                         store->data_path, bytes);
    return true;
}

static bool identify(const char *path, struct file_identity *ret, struct error *error)
{
    struct stat status;
    if (stat(path, &status) != 0)
        return error_set(error, ERROR_TEMPORARY, "cannot look at %s: %s", path, strerror(errno));
    *ret = (struct file_identity){status.st_dev, status.st_ino};
    return true;
}

static bool is_still(const char *path, const struct file_identity *opened, struct error *error)
{
    struct file_identity now = {0};
    if (!identify(path, &now, error))
        return false;
    return (now.device == opened->device && now.inode == opened->inode) ||
           error_set(error, ERROR_TEMPORARY, "%s is another file than before", path);
}

bool environment_check_identity(struct store *store, struct error *error)
{
    if (faccessat(AT_FDCWD, store->data_path, R_OK, AT_EACCESS) != 0)
        return error_set(error, ERROR_TEMPORARY, "cannot look at %s: %s", store->data_path,
                         strerror(errno));
    return is_still(store->data_path, &store->data, error) &&
           is_still(store->lock_path, &store->lock, error);
}

bool store_is_in_place(struct store *store, struct error *error)
{
    return environment_check_identity(store, error);
}

/* Bytes of the state row: layout, cache id, stamp, generation, next event. */
#define STATE_BYTES (1 + 2 * CACHE_ID_BYTES + 8 + 8)

static uint64_t number_at(const unsigned char *bytes)
{
    uint64_t number = 0;
    for (size_t i = 0; i < 8; i++)
        number |= (uint64_t)bytes[i] << (8 * i);
    return number;
}

bool environment_read_state(struct store *store, MDB_txn *transaction, struct cache_state *ret,
                            struct error *error)
{
    MDB_val key = {5, "state"};
    MDB_val value;
    int code = mdb_get(transaction, store->tables[TABLE_META], &key, &value);
    if (code != 0)
        return environment_error(error, code, "cannot read the cache's state");
    const unsigned char *bytes = value.mv_data;
    if (value.mv_size < 1 || bytes[0] < RECORD_LAYOUT_OLDEST || bytes[0] > RECORD_LAYOUT_VERSION ||
        value.mv_size != STATE_BYTES)
        return error_set(error, ERROR_INVALID,
                         "%s has layout %d; this release reads layout %d and %d", store->data_path,
                         value.mv_size < 1 ? 0 : bytes[0], RECORD_LAYOUT_OLDEST,
                         RECORD_LAYOUT_VERSION);
    ret->layout = bytes[0];
    memcpy(ret->cache_id, bytes + 1, CACHE_ID_BYTES);
    memcpy(ret->stamp, bytes + 1 + CACHE_ID_BYTES, CACHE_ID_BYTES);
    ret->generation = number_at(bytes + 1 + 2 * CACHE_ID_BYTES);
    ret->next_sequence = number_at(bytes + 1 + 2 * CACHE_ID_BYTES + 8);
    return true;
}

bool environment_write_state(struct store *store, MDB_txn *transaction,
                             const struct cache_state *state, struct error *error)
{
    unsigned char bytes[STATE_BYTES];
    bytes[0] = RECORD_LAYOUT_VERSION;
    memcpy(bytes + 1, state->cache_id, CACHE_ID_BYTES);
    memcpy(bytes + 1 + CACHE_ID_BYTES, state->stamp, CACHE_ID_BYTES);
    for (size_t i = 0; i < 8; i++) {
        bytes[1 + 2 * CACHE_ID_BYTES + i] = (unsigned char)(state->generation >> (8 * i));
        bytes[1 + 2 * CACHE_ID_BYTES + 8 + i] = (unsigned char)(state->next_sequence >> (8 * i));
    }
    MDB_val key = {5, "state"};
    MDB_val value = {sizeof(bytes), bytes};
    int code = mdb_put(transaction, store->tables[TABLE_META], &key, &value, 0);
    return code == 0 || environment_error(error, code, "cannot write the cache's state");
}

/* Lengthens the file, never shortens it: another process may have grown it meanwhile. */
static bool keep_tail(struct store *store, uint64_t extra_bytes, struct error *error)
{
    uint64_t bytes = 0;
    uint64_t wanted = environment_used_bytes(store) + extra_bytes;
    if (!file_size(store, &bytes, error))
        return false;
    if (bytes >= wanted)
        return true;
    int fd;
    mdb_env_get_fd(store->environment, &fd);
    int code = posix_fallocate(fd, (off_t)bytes, (off_t)(wanted - bytes));
    return code == 0 || error_set(error, ERROR_TEMPORARY, "cannot lengthen %s: %s",
                                  store->data_path, strerror(code));
}

/* A writer writes records of the newest layout, and a cache is of one layout as a whole. */
static bool check_writable(const struct store *store, const struct cache_state *state,
                           struct error *error)
{
    return state->layout == RECORD_LAYOUT_VERSION || store->access == STORE_UPGRADE ||
           error_set(error, ERROR_INVALID, "%s has layout %u; lpalias cache upgrade converts it",
                     store->data_path, state->layout);
}

bool environment_is_same_state(const struct cache_state *a, const struct cache_state *b)
{
    return a->generation == b->generation &&
           memcmp(a->cache_id, b->cache_id, CACHE_ID_BYTES) == 0 &&
           memcmp(a->stamp, b->stamp, CACHE_ID_BYTES) == 0;
}

bool environment_goes_on_from(const struct cache_state *now, const struct cache_state *before)
{
    return environment_is_same_state(now, before) ||
           (now->generation > before->generation &&
            memcmp(now->cache_id, before->cache_id, CACHE_ID_BYTES) == 0);
}

bool environment_begin_write(struct store *store, MDB_txn **ret, struct error *error)
{
    MDB_txn *transaction;
    struct cache_state state;
    if (!environment_check_identity(store, error) || !environment_check_size(store, error))
        return false;
    int code = mdb_txn_begin(store->environment, NULL, 0, &transaction);
    if (code != 0)
        return environment_error(error, code, "cannot begin a change");
    /* Again under the lock: what held before waiting for it may not hold now. */
    bool is_fine = environment_check_identity(store, error) &&
                   environment_check_size(store, error) &&
                   environment_read_state(store, transaction, &state, error) &&
                   check_writable(store, &state, error) && keep_tail(store, TAIL_BYTES, error);
    if (is_fine && memcmp(state.cache_id, store->opened.cache_id, CACHE_ID_BYTES) != 0)
        is_fine =
            error_set(error, ERROR_TEMPORARY, "%s is another cache than before", store->data_path);
    if (is_fine && !environment_goes_on_from(&state, &store->opened))
        is_fine = error_set(
            error, ERROR_TEMPORARY, "%s has gone back from generation %" PRIu64 " to %s%" PRIu64,
            store->data_path, store->opened.generation,
            state.generation == store->opened.generation ? "another " : "", state.generation);
    if (!is_fine) {
        mdb_txn_abort(transaction);
        return false;
    }
    store->opened = state;
    *ret = transaction;
    return true;
}

bool environment_commit(struct store *store, MDB_txn *transaction, struct error *error)
{
    if (!environment_check_identity(store, error)) {
        mdb_txn_abort(transaction);
        return false;
    }
    int code = mdb_txn_commit(transaction);
    if (code != 0)
        return environment_error(error, code, "cannot write the change");
    /* It is written, so it is done. Should the tail be short now, the next writer mends it. */
    struct error short_tail;
    bool is_long = keep_tail(store, 0, &short_tail);
    (void)is_long;
    return true;
}

/* ---- opening ---- */

static bool make_directory(const char *directory, struct error *error)
{
    if (mkdir(directory, 0750) != 0)
        return errno == EEXIST ||
               error_set(error, ERROR_TEMPORARY, "cannot make cache directory %s: %s", directory,
                         strerror(errno));
    if (chmod(directory, 02750) != 0)
        return error_set(error, ERROR_TEMPORARY, "cannot set mode 2750 on %s: %s", directory,
                         strerror(errno));
    return true;
}

/* lock.mdb is written by readers too, who are only in our group; data.mdb is not. */
static bool set_file_modes(const struct store *store, struct error *error)
{
    struct stat status;
    const struct {
        const char *path;
        mode_t mode;
    } files[] = {{store->data_path, 0640}, {store->lock_path, 0660}};
    for (size_t i = 0; i < ARRAY_LENGTH(files); i++) {
        if (stat(files[i].path, &status) != 0)
            return error_set(error, ERROR_TEMPORARY, "cannot look at %s: %s", files[i].path,
                             strerror(errno));
        if ((status.st_mode & 07777) != files[i].mode && status.st_uid == geteuid() &&
            chmod(files[i].path, files[i].mode) != 0)
            return error_set(error, ERROR_TEMPORARY, "cannot set the mode of %s: %s", files[i].path,
                             strerror(errno));
    }
    return true;
}

static int note_own_slot(const char *line, void *context)
{
    bool *has_slot = context;
    char *end;
    long pid = strtol(line, &end, 10);
    if (end != line && pid == (long)getpid())
        *has_slot = true;
    return 0;
}

/*
 * LMDB goes on without a reader slot, and without a word, when lock.mdb cannot be written; such a
 * reader reads pages that writers are overwriting. Called while a read transaction is open.
 */
static bool check_reader_slot(struct store *store, struct error *error)
{
    bool has_slot = false;
    mdb_reader_list(store->environment, note_own_slot, &has_slot);
    return has_slot ||
           error_set(error, ERROR_TEMPORARY,
                     "no reader slot in lock.mdb beside %s: is it writable?", store->data_path);
}

/* Layout 1 has them not. */
static bool is_new_table(enum table table)
{
    return table == TABLE_LOGIN || table == TABLE_PLAN || table == TABLE_OUTBOX ||
           table == TABLE_SENT || table == TABLE_UNDO;
}

static bool open_table(struct store *store, MDB_txn *transaction, enum table table, unsigned flags,
                       struct error *error)
{
    int code = mdb_dbi_open(transaction, table_names[table], flags, &store->tables[table]);
    if (code == MDB_NOTFOUND)
        return error_set(error, ERROR_TEMPORARY, "%s is not filled yet (no table \"%s\")",
                         store->data_path, table_names[table]);
    return code == 0 || environment_error(error, code, "cannot open the cache's tables");
}

/* All but the table of meta, which says of which layout they are. */
static bool open_tables(struct store *store, MDB_txn *transaction, unsigned layout, unsigned flags,
                        struct error *error)
{
    for (enum table table = 0; table < TABLE_COUNT; table++) {
        store->tables[table] = table == TABLE_META ? store->tables[table] : NO_TABLE;
        if (table == TABLE_META || (layout == 1 && is_new_table(table)))
            continue;
        if (!open_table(store, transaction, table, flags, error))
            return false;
    }
    return true;
}

/* Makes what is not there yet. Nothing is made in a cache that we do not write to. */
static bool make_contents(struct store *store, MDB_txn *transaction, struct error *error)
{
    MDB_val key = {5, "state"};
    MDB_val value;
    struct cache_state state = {.layout = RECORD_LAYOUT_VERSION, .next_sequence = 1};
    if (!open_table(store, transaction, TABLE_META, MDB_CREATE, error))
        return false;
    if (mdb_get(transaction, store->tables[TABLE_META], &key, &value) == 0)
        return environment_read_state(store, transaction, &state, error) &&
               check_writable(store, &state, error) &&
               open_tables(store, transaction, RECORD_LAYOUT_VERSION, MDB_CREATE, error);
    randombytes_buf(state.cache_id, sizeof(state.cache_id));
    randombytes_buf(state.stamp, sizeof(state.stamp));
    return open_tables(store, transaction, RECORD_LAYOUT_VERSION, MDB_CREATE, error) &&
           environment_write_state(store, transaction, &state, error);
}

static bool make_tables(struct store *store, struct error *error)
{
    MDB_txn *transaction;
    int code = mdb_txn_begin(store->environment, NULL, 0, &transaction);
    if (code != 0)
        return environment_error(error, code, "cannot begin a change");
    if (!make_contents(store, transaction, error)) {
        mdb_txn_abort(transaction);
        return false;
    }
    return environment_commit(store, transaction, error);
}

/* Table handles are kept from a committed transaction; an aborted one would close them. */
static bool learn_tables(struct store *store, struct error *error)
{
    MDB_txn *transaction;
    int code = mdb_txn_begin(store->environment, NULL, MDB_RDONLY, &transaction);
    if (code != 0)
        return environment_error(error, code, "cannot read the cache");
    /* A writer of an older layout has just made the tables that it had not. */
    bool is_fine =
        (store->lock_path == NULL || check_reader_slot(store, error)) &&
        open_table(store, transaction, TABLE_META, 0, error) &&
        environment_read_state(store, transaction, &store->opened, error) &&
        open_tables(store, transaction,
                    store->access == STORE_READ ? store->opened.layout : RECORD_LAYOUT_VERSION, 0,
                    error);
    code = mdb_txn_commit(transaction);
    if (is_fine && code != 0)
        return environment_error(error, code, "cannot read the cache");
    return is_fine;
}

/*
 * A reader is one of the group's: it must write lock.mdb, which LMDB's own words do not say. And it
 * may be confined, which modes do not say.
 */
static bool explain_open(const struct store *store, const char *directory, int code,
                         struct error *error)
{
    char what[320];
    snprintf(what, sizeof(what), "cannot open the cache in %s", directory);
    environment_error(error, code, what);
    if (code == EACCES && faccessat(AT_FDCWD, store->lock_path, R_OK | W_OK, AT_EACCESS) != 0)
        return error_set(error, ERROR_TEMPORARY, "%s: user %u may not write lock.mdb there", what,
                         (unsigned)geteuid());
    if (code == EACCES && store->access == STORE_READ &&
        faccessat(AT_FDCWD, store->data_path, R_OK, AT_EACCESS) == 0)
        return error_set(error, ERROR_TEMPORARY,
                         "%s: Permission denied, although its modes allow it; if the directory is "
                         "a new one, restart lpaliasd, whose sandbox knows the old one",
                         what);
    return false;
}

static bool open_environment(struct store *store, const char *directory, uint64_t limit_bytes,
                             struct error *error)
{
    struct stat status;
    int dead;
    unsigned flags = MDB_NOTLS | (store->access == STORE_READ ? MDB_RDONLY : 0U);
    if (store->access == STORE_READ && stat(store->data_path, &status) != 0)
        return error_set(error, ERROR_TEMPORARY, "no cache at %s: %s", store->data_path,
                         strerror(errno));
    int code = mdb_env_create(&store->environment);
    if (code != 0)
        return environment_error(error, code, "cannot prepare the cache");
    mdb_env_set_maxdbs(store->environment, TABLE_COUNT);
    code = mdb_env_set_mapsize(store->environment, limit_bytes);
    if (code == 0)
        code = mdb_env_open(store->environment, directory, flags, 0640);
    if (code != 0)
        return explain_open(store, directory, code, error);
    mdb_reader_check(store->environment, &dead);
    int fd;
    mdb_env_get_fd(store->environment, &fd);
    if (fstat(fd, &status) != 0)
        return error_set(error, ERROR_TEMPORARY, "%s: %s", store->data_path, strerror(errno));
    store->data = (struct file_identity){status.st_dev, status.st_ino};
    return identify(store->lock_path, &store->lock, error) && environment_check_size(store, error);
}

static bool open_backup_environment(struct store *store, uint64_t limit_bytes, struct error *error)
{
    int code = mdb_env_create(&store->environment);
    if (code != 0)
        return environment_error(error, code, "cannot prepare the backup");
    mdb_env_set_maxdbs(store->environment, TABLE_COUNT);
    code = mdb_env_set_mapsize(store->environment, limit_bytes);
    if (code == 0)
        code = mdb_env_open(store->environment, store->data_path,
                            MDB_RDONLY | MDB_NOLOCK | MDB_NOSUBDIR | MDB_NOTLS, 0640);
    if (code != 0) {
        char what[320];
        snprintf(what, sizeof(what), "cannot open the backup %s", store->data_path);
        return environment_error(error, code, what);
    }
    return environment_check_size(store, error);
}

static void name_files(struct store *store, const char *directory)
{
    if (asprintf(&store->data_path, "%s/data.mdb", directory) < 0 ||
        asprintf(&store->lock_path, "%s/lock.mdb", directory) < 0 ||
        asprintf(&store->generation_path, "%s/generation", directory) < 0)
        abort();
}

bool store_open(const char *directory, enum store_access access, uint64_t limit_bytes,
                struct store **ret, struct error *error)
{
    if (sodium_init() < 0)
        return error_set(error, ERROR_TEMPORARY, "libsodium cannot start");
    if (access == STORE_WRITE && !make_directory(directory, error))
        return false;
    struct store *store = memory_new(1, sizeof(*store));
    store->access = access;
    name_files(store, directory);
    bool is_open = open_environment(store, directory, limit_bytes, error);
    if (is_open && access != STORE_READ)
        is_open = set_file_modes(store, error) && make_tables(store, error);
    is_open = is_open && learn_tables(store, error);
    if (is_open && access == STORE_WRITE)
        is_open = generation_settle(store, error);
    if (!is_open) {
        store_close(store);
        return false;
    }
    *ret = store;
    return true;
}

bool store_open_backup(const char *path, uint64_t limit_bytes, struct store **ret,
                       struct error *error)
{
    struct store *store = memory_new(1, sizeof(*store));
    store->access = STORE_READ;
    store->data_path = memory_copy_text(path);
    if (!open_backup_environment(store, limit_bytes, error) || !learn_tables(store, error)) {
        store_close(store);
        return false;
    }
    *ret = store;
    return true;
}

bool store_backup(struct store *store, int fd, struct error *error)
{
    if (!environment_check_size(store, error))
        return false;
    int code = mdb_env_copyfd2(store->environment, fd, MDB_CP_COMPACT);
    return code == 0 || environment_error(error, code, "cannot write the backup");
}

bool store_is_data_file(const char *directory, const char *path)
{
    CLEANUP(memory_free_at) char *data_path = NULL;
    struct stat data, other;
    if (asprintf(&data_path, "%s/data.mdb", directory) < 0)
        abort();
    return stat(data_path, &data) == 0 && stat(path, &other) == 0 && data.st_dev == other.st_dev &&
           data.st_ino == other.st_ino;
}

void store_close(struct store *store)
{
    if (store == NULL)
        return;
    if (store->environment != NULL)
        mdb_env_close(store->environment);
    free(store->data_path);
    free(store->lock_path);
    free(store->generation_path);
    free(store);
}

/* ---- users and locks ---- */

bool store_take_on_owner(const char *directory, struct error *error)
{
    struct stat status;
    if (geteuid() != 0 || stat(directory, &status) != 0 || status.st_uid == 0)
        return true;
    const struct passwd *owner = getpwuid(status.st_uid);
    int code =
        owner != NULL ? initgroups(owner->pw_name, status.st_gid) : setgroups(1, &status.st_gid);
    if (code != 0 || setresgid(status.st_gid, status.st_gid, status.st_gid) != 0 ||
        setresuid(status.st_uid, status.st_uid, status.st_uid) != 0)
        return error_set(error, ERROR_TEMPORARY, "cannot become the owner of %s (uid %u): %s",
                         directory, (unsigned)status.st_uid, strerror(errno));
    return true;
}

static bool lock_in(const char *directory, const char *name, int *ret_fd, struct error *error)
{
    CLEANUP(memory_free_at) char *path = NULL;
    if (!make_directory(directory, error))
        return false;
    if (asprintf(&path, "%s/%s", directory, name) < 0)
        abort();
    return file_lock(path, ret_fd, error);
}

bool store_lock_refresh(const char *directory, int *ret_fd, struct error *error)
{
    return lock_in(directory, "refresh.lock", ret_fd, error);
}

bool store_lock_notify(const char *directory, int *ret_fd, struct error *error)
{
    return lock_in(directory, "notify.lock", ret_fd, error);
}
