/*
 * A cache in a directory of its own, processes that change it meanwhile, and a clock that only
 * the test moves. LMDB takes one environment a process and no handle may cross fork(): so all
 * processes come from a helper that was forked before anything was opened.
 */
#ifndef LPALIAS_TESTS_STORE_CACHE_H
#define LPALIAS_TESTS_STORE_CACHE_H

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../unit.h"
#include "base/buffer.h"
#include "base/compiler.h"
#include "base/file.h"
#include "store/changeset.h"
#include "store/environment.h"
#include "store/keyring.h"
#include "store/transaction.h"

#define LIMIT_BYTES ((uint64_t)64 * 1024 * 1024)
#define PAGE_BYTES  ((off_t)sysconf(_SC_PAGESIZE))

/* Inside a job: an assertion of cmocka would jump back into the runner of another process. */
#define must(condition)                                                               \
    do {                                                                              \
        if (!(condition)) {                                                           \
            fprintf(stderr, "# %s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
            _exit(99);                                                                \
        }                                                                             \
    } while (0)

/* Runs in another process; what it returns is the exit status. */
typedef int elsewhere_job(const void *argument);

#define ELSEWHERE_ARGUMENT_BYTES 3500

struct elsewhere_order {
    elsewhere_job *job;
    char argument[ELSEWHERE_ARGUMENT_BYTES];
};

struct elsewhere {
    pid_t pid;
    int orders, results;
};

/* One process a job, so that each opens the cache anew and may die. */
static inline void elsewhere_serve(int orders, int results)
{
    static struct elsewhere_order order;
    while (read(orders, &order, sizeof(order)) == (ssize_t)sizeof(order)) {
        int status = 0;
        pid_t pid = fork();
        if (pid == 0) {
            close(orders);
            close(results);
            _exit(order.job(order.argument));
        }
        if (waitpid(pid, &status, 0) != pid ||
            write(results, &status, sizeof(status)) != (ssize_t)sizeof(status))
            break;
    }
    _exit(0);
}

static inline void elsewhere_start(struct elsewhere *elsewhere)
{
    int orders[2], results[2];
    if (pipe2(orders, O_CLOEXEC) != 0 || pipe2(results, O_CLOEXEC) != 0)
        abort();
    elsewhere->pid = fork();
    if (elsewhere->pid == 0) {
        close(orders[1]);
        close(results[0]);
        elsewhere_serve(orders[0], results[1]);
    }
    close(orders[0]);
    close(results[1]);
    elsewhere->orders = orders[1];
    elsewhere->results = results[0];
}

static inline void elsewhere_stop(struct elsewhere *elsewhere)
{
    int status;
    close(elsewhere->orders);
    close(elsewhere->results);
    waitpid(elsewhere->pid, &status, 0);
}

/* The wait status of the job, which has ended then. */
static inline int elsewhere_run(struct elsewhere *elsewhere, elsewhere_job *job,
                                const void *argument, size_t length)
{
    static struct elsewhere_order order;
    int status = -1;
    if (length > sizeof(order.argument))
        abort();
    memset(&order, 0, sizeof(order));
    order.job = job;
    memcpy(order.argument, argument, length);
    if (write(elsewhere->orders, &order, sizeof(order)) != (ssize_t)sizeof(order) ||
        read(elsewhere->results, &status, sizeof(status)) != (ssize_t)sizeof(status))
        abort();
    return status;
}

/* ---- the cache ---- */

struct cache {
    char base[48];
    char directory[64];
    char data[80];
    char lock[80];
    char generation[80];
    char keys[64];
    struct elsewhere elsewhere;
};

static inline void cache_make(struct cache *cache)
{
    struct error error;
    strcpy(cache->base, "/tmp/lpalias-store-XXXXXX");
    if (mkdtemp(cache->base) == NULL)
        abort();
    snprintf(cache->directory, sizeof(cache->directory), "%s/cache", cache->base);
    snprintf(cache->data, sizeof(cache->data), "%s/data.mdb", cache->directory);
    snprintf(cache->lock, sizeof(cache->lock), "%s/lock.mdb", cache->directory);
    snprintf(cache->generation, sizeof(cache->generation), "%s/generation", cache->directory);
    snprintf(cache->keys, sizeof(cache->keys), "%s/keys", cache->base);
    if (!keyring_generate(cache->keys, (gid_t)-1, &error))
        abort();
    elsewhere_start(&cache->elsewhere);
}

static inline int cache_remove_entry(const char *path, const struct stat *status, int flag,
                                     struct FTW *place)
{
    (void)status, (void)flag, (void)place;
    return remove(path);
}

static inline void cache_remove(struct cache *cache)
{
    elsewhere_stop(&cache->elsewhere);
    nftw(cache->base, cache_remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* ---- changes, written down as lines ---- */

struct cache_change {
    char directory[64];
    char keys[64];
    char lines[2048];
};

struct cache_planning {
    const struct cache_change *change;
    struct keyring *ring;
};

static inline unsigned cache_word(const char *word, const char *(*name)(unsigned))
{
    for (unsigned i = 0; i < 8; i++)
        if (strcmp(name(i), word) == 0)
            return i;
    bool is_known_word = false;
    must(is_known_word);
    return 0;
}

static inline const char *cache_state_word(unsigned i)
{
    return alias_state_name(i);
}

static inline const char *cache_policy_word(unsigned i)
{
    return extension_policy_name(i);
}

/*
 * "alias DOMAIN LOCAL STATE POLICY TARGET,TARGET"; STATE "deliver" is leaving and answering. With
 * "static" for the operator's, "extra" for a further one of OWNER-OF-LOCAL, "taken" for a member's
 * that is another's address.
 */
static inline void cache_plan_alias(const struct cache_planning *planning, const char *line,
                                    struct changeset *changeset)
{
    char kind[16], domain[128], local[128], state[32], policy[32], targets[2048] = "";
    char owner[160];
    struct buffer sealed = {0};
    must(sscanf(line, "%15s %127s %127s %31s %31s %2047[^\n]", kind, domain, local, state, policy,
                targets) >= 5);
    for (char *at = targets; *at != '\0'; at++)
        if (*at == ',')
            *at = '\n';
    if (*targets != '\0')
        keyring_seal_alias(planning->ring, domain, span_of(local), span_of(targets), &sealed);
    bool is_deliver = strcmp(state, "deliver") == 0;
    bool is_static = strcmp(kind, "static") == 0;
    bool is_extra = strcmp(kind, "extra") == 0;
    snprintf(owner, sizeof(owner), "%s%s", is_extra ? "owner-of-" : "", is_static ? "" : local);
    const struct alias_record record = {
        .kind = is_static  ? ALIAS_STATIC
                : is_extra ? ALIAS_EXTRA
                           : ALIAS_MEMBER,
        .reason = strcmp(kind, "taken") == 0 ? REASON_TAKEN : REASON_NONE,
        .state = is_deliver ? ALIAS_LEAVING : cache_word(state, cache_state_word),
        .deliver = is_deliver,
        .extension = cache_word(policy, cache_policy_word),
        .since_s = 1000,
        .owner = span_of(owner),
        .sealed_targets = {sealed.data, sealed.length},
    };
    changeset_put_alias(changeset, domain, local, &record);
    buffer_finish(&sealed);
}

static inline bool cache_plan(void *context, struct snapshot *snapshot, struct changeset *changeset,
                              struct error *error)
{
    const struct cache_planning *planning = context;
    char lines[sizeof(planning->change->lines)];
    char *rest = NULL;
    (void)error;
    strcpy(lines, planning->change->lines);
    for (char *line = strtok_r(lines, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        char verb[16], name[128] = "", local[128] = "";
        bool is_known_verb = false;
        must(sscanf(line, "%15s %127s %127s", verb, name, local) >= 2);
        struct domain_record domain = {.is_open = strcmp(verb, "open") == 0,
                                       .team = span_of("team")};
        if (domain.is_open)
            domain.opened_generation = snapshot_generation(snapshot) + 1;
        if (domain.is_open || strcmp(verb, "close") == 0)
            changeset_put_domain(changeset, name, &domain);
        else if (strcmp(verb, "remove") == 0)
            changeset_delete_domain(changeset, name);
        else if (strcmp(verb, "person") == 0)
            changeset_put_person(changeset, name,
                                 &(struct person_record){.login_name = span_of(local)});
        else if (strcmp(verb, "alias") == 0 || strcmp(verb, "static") == 0 ||
                 strcmp(verb, "extra") == 0 || strcmp(verb, "taken") == 0)
            cache_plan_alias(planning, line, changeset);
        else if (strcmp(verb, "unalias") == 0)
            changeset_delete_alias(changeset, name, local);
        else
            must(is_known_verb);
    }
    return true;
}

static inline int cache_change_job(const void *argument)
{
    const struct cache_change *change = argument;
    struct cache_planning planning = {change, NULL};
    struct store *store = NULL;
    struct store_update_result result;
    struct error error = {0};
    must(keyring_read(change->keys, &planning.ring, &error));
    bool is_open = store_open(change->directory, STORE_WRITE, LIMIT_BYTES, &store, &error);
    if (!is_open || !store_update(store, cache_plan, &planning, &result, &error)) {
        fprintf(stderr, "# elsewhere: %s\n", error.text);
        store_close(store);
        keyring_destroy(planning.ring);
        return 1;
    }
    store_close(store);
    keyring_destroy(planning.ring);
    return 0;
}

/* One changeset, written by another process. */
static inline int cache_change_status(struct cache *cache, const char *lines)
{
    static struct cache_change change;
    memset(&change, 0, sizeof(change));
    strcpy(change.directory, cache->directory);
    strcpy(change.keys, cache->keys);
    if (strlen(lines) >= sizeof(change.lines))
        abort();
    strcpy(change.lines, lines);
    return elsewhere_run(&cache->elsewhere, cache_change_job, &change, sizeof(change));
}

static inline void cache_change(struct cache *cache, const char *lines)
{
    assert_int_equal(cache_change_status(cache, lines), 0);
}

/* ---- writing behind the back of changesets ---- */

struct cache_raw {
    char directory[64];
    enum table table;
    size_t key_length, value_length;
    char key[128];
    char value[256];
};

static inline int cache_raw_job(const void *argument)
{
    const struct cache_raw *raw = argument;
    struct store *store;
    struct error error;
    MDB_txn *transaction;
    must(store_open(raw->directory, STORE_WRITE, LIMIT_BYTES, &store, &error));
    must(mdb_txn_begin(store->environment, NULL, 0, &transaction) == 0);
    MDB_val key = {raw->key_length, (void *)raw->key};
    MDB_val value = {raw->value_length, (void *)raw->value};
    must(mdb_put(transaction, store->tables[raw->table], &key, &value, 0) == 0);
    must(mdb_txn_commit(transaction) == 0);
    store_close(store);
    return 0;
}

static inline void cache_put_raw(struct cache *cache, enum table table, struct span key,
                                 struct span value)
{
    static struct cache_raw raw;
    memset(&raw, 0, sizeof(raw));
    strcpy(raw.directory, cache->directory);
    raw.table = table;
    raw.key_length = key.length;
    raw.value_length = value.length;
    assert_true(key.length <= sizeof(raw.key) && value.length <= sizeof(raw.value));
    memcpy(raw.key, key.data, key.length);
    memcpy(raw.value, value.data, value.length);
    assert_int_equal(elsewhere_run(&cache->elsewhere, cache_raw_job, &raw, sizeof(raw)), 0);
}

/* ---- files ---- */

static inline struct buffer file_bytes(const char *path)
{
    struct buffer bytes = {0};
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) != 0)
        abort();
    buffer_reserve(&bytes, (size_t)status.st_size + 1);
    while (bytes.length < (size_t)status.st_size) {
        ssize_t got = read(fd, bytes.data + bytes.length, (size_t)status.st_size - bytes.length);
        if (got <= 0)
            abort();
        bytes.length += (size_t)got;
    }
    close(fd);
    return bytes;
}

/* Into the file that is there, if one is, as cp does. */
static inline void write_bytes(const char *path, const void *data, size_t length)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    if (fd < 0 || write(fd, data, length) != (ssize_t)length)
        abort();
    close(fd);
}

static inline void copy_file(const char *from, const char *to)
{
    struct buffer bytes = file_bytes(from);
    write_bytes(to, bytes.data, bytes.length);
    buffer_finish(&bytes);
}

/* A name beside the cache; two of them are good at a time. */
static inline const char *beside(const struct cache *cache, const char *name)
{
    static char paths[2][128];
    static unsigned next;
    char *path = paths[next++ % 2];
    snprintf(path, sizeof(paths[0]), "%s/%s", cache->base, name);
    return path;
}

#endif
