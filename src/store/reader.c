#include "store/reader.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/timestamp.h"
#include "store/generation.h"
#include "store/keyring.h"
#include "store/transaction.h"

/* How often the path is looked at, an ill cache opened again, and a same key file re-read. */
#define RECHECK_MS 1000

/* What the data file was when it was last looked at. */
struct sighting {
    bool is_made;
    struct file_identity file;
    struct cache_state state;
};

struct store_reader {
    char *directory;
    char *key_file;
    uint64_t limit_bytes;

    struct store *store;      /* NULL while the cache cannot be read */
    MDB_txn *transaction;     /* reset while at rest; NULL before the first wake */
    struct snapshot snapshot; /* of transaction, while awake */
    bool is_awake;
    int64_t looked_at_ms; /* when the path was last looked at or opening last tried */
    struct error trouble; /* why store is NULL */

    struct sighting seen;    /* last look */
    struct sighting trusted; /* last look at which the file was believed */
    bool is_trusted;
    uint64_t distrusted_generation; /* of the file at the first distrustful look */
    bool awaits_opening;            /* an operator has not yet said that it is to be served */
    uint64_t view;

    struct keyring *keyring;        /* NULL until needed */
    struct keyring *keyring_before; /* that it replaced since waking, or NULL */
    int64_t keyring_read_ms;
    struct stat keyring_file;     /* as it was then; zeroed: absent */
    bool has_unseal_trouble;      /* a value did not open since keys were last checked */
    struct error keyring_trouble; /* why the key file could not be read the last time */
};

struct store_reader *store_reader_create(const struct store_reader_settings *settings)
{
    struct store_reader *reader = memory_new(1, sizeof(*reader));
    reader->directory = memory_copy_text(settings->directory);
    reader->key_file = memory_copy_text(settings->key_file);
    reader->limit_bytes = settings->limit_bytes;
    reader->looked_at_ms = INT64_MIN / 2;
    reader->keyring_read_ms = INT64_MIN / 2;
    return reader;
}

static void close_store(struct store_reader *reader)
{
    if (reader->transaction != NULL)
        mdb_txn_abort(reader->transaction);
    reader->transaction = NULL;
    store_close(reader->store);
    reader->store = NULL;
    reader->is_awake = false;
}

void store_reader_destroy(struct store_reader *reader)
{
    if (reader == NULL)
        return;
    close_store(reader);
    keyring_destroy(reader->keyring);
    keyring_destroy(reader->keyring_before);
    free(reader->directory);
    free(reader->key_file);
    free(reader);
}

static bool is_same_file(const struct sighting *a, const struct sighting *b)
{
    return a->is_made && b->is_made && a->file.device == b->file.device &&
           a->file.inode == b->file.inode;
}

/* The very generation that was trusted, to the byte, be it in another file. */
static bool is_same_content(const struct sighting *a, const struct sighting *b)
{
    return a->is_made && b->is_made && environment_is_same_state(&a->state, &b->state);
}

static bool goes_on_from(const struct sighting *now, const struct sighting *before)
{
    return is_same_file(now, before) && environment_goes_on_from(&now->state, &before->state);
}

/*
 * A file that differs from the last one seen is believed all the same if it is what was trusted:
 * the file put back, or its last content. A file that has gone back under our eyes is not the
 * one that was trusted, whatever its generation.
 */
static bool is_put_back(const struct store_reader *reader, const struct sighting *now)
{
    return is_same_content(now, &reader->trusted) ||
           (!is_same_file(now, &reader->seen) && goes_on_from(now, &reader->trusted));
}

struct openings {
    const struct store_reader *reader;
    bool has_new, has_old; /* since the distrust began, or in the file as it came */
};

static bool note_opening(void *context, const char *name, const struct domain_record *record)
{
    struct openings *openings = context;
    (void)name;
    if (store_reader_is_open(openings->reader, record))
        openings->has_new = true;
    else if (record->is_open)
        openings->has_old = true;
    return true;
}

/* Domains that were closed by a writer, which distrusted the file too, need not all be opened. */
static bool awaits_opening(struct store_reader *reader)
{
    struct openings openings = {reader, false, false};
    return !reader->is_trusted &&
           (!snapshot_each_domain(&reader->snapshot, note_opening, &openings, NULL) ||
            openings.has_old || !openings.has_new);
}

/*
 * Nothing was seen before: the file "generation" says what writers wrote last. What it says is
 * trusted should it come.
 */
static void judge_first_sighting(struct store_reader *reader, const struct generation_file *file,
                                 const struct sighting *now)
{
    reader->is_trusted = generation_fits(file, &now->state);
    reader->distrusted_generation = now->state.generation;
    reader->seen = *now;
    if (reader->is_trusted)
        reader->trusted = *now;
    else if (file->what == GENERATION_READ)
        reader->trusted = (struct sighting){.is_made = true, .state = file->state};
    reader->awaits_opening = awaits_opening(reader);
    reader->view++;
}

/* Decides whether the file just seen is believed; see "Change of file" in the architecture. */
static void judge_sighting(struct store_reader *reader, const struct sighting *now)
{
    bool was_trusted = reader->is_trusted;
    bool is_changed =
        !goes_on_from(now, &reader->seen) || now->state.generation != reader->seen.state.generation;
    if (!goes_on_from(now, &reader->seen)) {
        reader->is_trusted = is_put_back(reader, now);
        reader->distrusted_generation = now->state.generation;
    }
    reader->seen = *now;
    if (reader->is_trusted)
        reader->trusted = *now;
    if (is_changed || was_trusted != reader->is_trusted) {
        reader->awaits_opening = awaits_opening(reader);
        reader->view++;
    }
}

/* Opens the cache unless it was tried less than a second ago. */
static bool open_store(struct store_reader *reader, int64_t now_ms)
{
    if (now_ms - reader->looked_at_ms < RECHECK_MS)
        return false;
    reader->looked_at_ms = now_ms;
    return store_open(reader->directory, STORE_READ, reader->limit_bytes, &reader->store,
                      &reader->trouble);
}

/* Once a second: the path still names the open file, else close it and open what is there. */
static bool look_at_path(struct store_reader *reader, int64_t now_ms)
{
    if (now_ms - reader->looked_at_ms < RECHECK_MS)
        return true;
    if (environment_check_identity(reader->store, &reader->trouble)) {
        reader->looked_at_ms = now_ms;
        return true;
    }
    close_store(reader);
    return open_store(reader, now_ms);
}

static bool begin_transaction(struct store_reader *reader, struct sighting *ret)
{
    struct error *error = &reader->trouble;
    struct snapshot *snapshot = &reader->snapshot;
    if (!environment_check_size(reader->store, error))
        return false;
    int code = reader->transaction != NULL ? mdb_txn_renew(reader->transaction)
                                           : mdb_txn_begin(reader->store->environment, NULL,
                                                           MDB_RDONLY, &reader->transaction);
    if (code != 0)
        return environment_error(error, code, "cannot read the cache");
    *snapshot = (struct snapshot){.store = reader->store, .transaction = reader->transaction};
    if (!environment_read_state(reader->store, reader->transaction, &snapshot->state, error))
        return false;
    *ret = (struct sighting){true, reader->store->data, snapshot->state};
    return true;
}

static bool renew_first(struct store_reader *reader)
{
    struct generation_file file;
    struct sighting now;
    generation_read(reader->store, &file);
    if (!begin_transaction(reader, &now))
        return false;
    judge_first_sighting(reader, &file, &now);
    return true;
}

static bool renew(struct store_reader *reader)
{
    struct sighting now;
    if (!reader->seen.is_made)
        return renew_first(reader);
    if (!begin_transaction(reader, &now))
        return false;
    /*
     * Written over in place: LMDB still counts transactions from the old content, and may take
     * the last but one of the new. It counts anew when the last user opens again.
     */
    if (is_same_file(&now, &reader->seen) && !goes_on_from(&now, &reader->seen)) {
        close_store(reader);
        if (!store_open(reader->directory, STORE_READ, reader->limit_bytes, &reader->store,
                        &reader->trouble) ||
            !begin_transaction(reader, &now))
            return false;
    }
    judge_sighting(reader, &now);
    return true;
}

bool store_reader_wake(struct store_reader *reader, struct error *error)
{
    if (reader->is_awake)
        return true;
    int64_t now_ms = timestamp_monotonic_ms();
    bool is_open =
        reader->store != NULL ? look_at_path(reader, now_ms) : open_store(reader, now_ms);
    if (is_open && !renew(reader)) {
        close_store(reader);
        reader->looked_at_ms = now_ms;
        is_open = false;
    }
    if (!is_open) {
        if (error != NULL)
            *error = reader->trouble;
        return false;
    }
    reader->is_awake = true;
    return true;
}

void store_reader_rest(struct store_reader *reader)
{
    if (!reader->is_awake)
        return;
    mdb_txn_reset(reader->transaction);
    keyring_destroy(reader->keyring_before);
    reader->keyring_before = NULL;
    reader->is_awake = false;
}

uint64_t store_reader_view(const struct store_reader *reader)
{
    return reader->view;
}

uint64_t store_reader_generation(const struct store_reader *reader)
{
    return reader->seen.state.generation;
}

struct snapshot *store_reader_snapshot(struct store_reader *reader)
{
    return &reader->snapshot;
}

bool store_reader_is_open(const struct store_reader *reader, const struct domain_record *domain)
{
    return domain->is_open &&
           (reader->is_trusted || domain->opened_generation > reader->distrusted_generation);
}

bool store_reader_is_trusted(const struct store_reader *reader)
{
    return reader->is_trusted;
}

bool store_reader_awaits_opening(const struct store_reader *reader)
{
    return reader->awaits_opening;
}

bool store_reader_each_domain(struct store_reader *reader, snapshot_domain_visit *visit,
                              void *context, struct error *error)
{
    return snapshot_each_domain(&reader->snapshot, visit, context, error);
}

enum store_result store_reader_alias(struct store_reader *reader, const char *domain,
                                     struct span local, struct alias_record *ret,
                                     struct error *error)
{
    return snapshot_alias(&reader->snapshot, domain, local, ret, error);
}

enum store_result store_reader_person(struct store_reader *reader, const char *name,
                                      struct person_record *ret, struct error *error)
{
    return snapshot_person(&reader->snapshot, name, ret, error);
}

/* "PID THREAD TRANSACTION" or, at rest, "PID THREAD -"; or a heading. */
static int note_slot(const char *line, void *context)
{
    struct reader_slots *slots = context;
    int process;
    uint64_t transaction;
    if (sscanf(line, "%d %*x %" SCNu64, &process, &transaction) != 2 || process == getpid())
        return 0;
    slots->readers++;
    if (slots->oldest_process == 0 || transaction < slots->oldest_transaction) {
        slots->oldest_process = process;
        slots->oldest_transaction = transaction;
    }
    return 0;
}

bool store_reader_look_at_slots(struct store_reader *reader, struct reader_slots *ret)
{
    int cleared = 0;
    if (reader->store == NULL)
        return false;
    *ret = (struct reader_slots){0};
    mdb_reader_check(reader->store->environment, &cleared);
    ret->cleared = (unsigned)cleared;
    mdb_reader_list(reader->store->environment, note_slot, ret);
    return true;
}

static bool is_same_time(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool is_same_version(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           is_same_time(&a->st_mtim, &b->st_mtim) && is_same_time(&a->st_ctim, &b->st_ctim);
}

/*
 * The old ring stays if the new one cannot be read. A file that is another than the one that was
 * read is read at once: a rotation puts it there before it seals anything by the new key. It is
 * looked at before it is read, so that one that comes in between is read once more.
 */
static bool read_keyring(struct store_reader *reader)
{
    int64_t now_ms = timestamp_monotonic_ms();
    struct keyring *fresh;
    struct stat file = {0};
    if (stat(reader->key_file, &file) != 0)
        file = (struct stat){0};
    if (now_ms - reader->keyring_read_ms < RECHECK_MS &&
        is_same_version(&file, &reader->keyring_file))
        return false;
    reader->keyring_file = file;
    reader->keyring_read_ms = now_ms;
    if (!keyring_read(reader->key_file, &fresh, &reader->keyring_trouble))
        return false;
    keyring_destroy(reader->keyring_before);
    reader->keyring_before = reader->keyring;
    reader->keyring = fresh;
    return true;
}

/*
 * Opens with the ring at hand, and once more with a fresh one: a value may be newer than it. And
 * older than that: the snapshot is from before a key was retired that is gone from the file by now.
 */
static enum unseal_result unseal(struct store_reader *reader, const char *domain, struct span local,
                                 struct span sealed, struct buffer *out)
{
    enum unseal_result result = keyring_unseal_alias(reader->keyring, domain, local, sealed, out);
    if (result != UNSEAL_DONE && read_keyring(reader))
        result = keyring_unseal_alias(reader->keyring, domain, local, sealed, out);
    if (result == UNSEAL_UNKNOWN_KEY && reader->keyring_before != NULL)
        result = keyring_unseal_alias(reader->keyring_before, domain, local, sealed, out);
    return result;
}

bool store_reader_open_targets(struct store_reader *reader, const char *domain, struct span local,
                               const struct alias_record *record, struct buffer *out,
                               struct error *error)
{
    if (reader->keyring == NULL && !read_keyring(reader)) {
        if (error != NULL)
            *error = reader->keyring_trouble;
        return false;
    }
    enum unseal_result result = unseal(reader, domain, local, record->sealed_targets, out);
    if (result == UNSEAL_DONE)
        return true;
    unseal_result_to_error(result, &reader->keyring_trouble);
    reader->has_unseal_trouble = true;
    return unseal_result_to_error(result, error);
}

bool store_reader_check_keys(struct store_reader *reader, struct error *error)
{
    struct keyring *fresh;
    bool is_readable = keyring_read(reader->key_file, &fresh, &reader->keyring_trouble);
    bool is_fine = is_readable && !reader->has_unseal_trouble;
    reader->has_unseal_trouble = false;
    if (is_readable && reader->keyring == NULL)
        reader->keyring = fresh;
    else if (is_readable)
        keyring_destroy(fresh);
    if (!is_fine && error != NULL)
        *error = reader->keyring_trouble;
    return is_fine;
}
