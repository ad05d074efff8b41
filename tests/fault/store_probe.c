/*
 * Opens a cache the way our programs do, for tests about users and file systems:
 *   store_probe write DIR N     writes N generations
 *   store_probe command DIR     takes on the owner of DIR, writes one generation, tells who it is
 *   store_probe read DIR        opens as a reader and reads
 *   store_probe hold DIR        as read; then waits for a line and reads the same snapshot again
 *   store_probe slots DIR       process ids in the reader table, without clearing it
 * Tells what it found in one line on standard output, trouble on standard error with status 1.
 */
#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lmdb.h>

#include "store/changeset.h"
#include "store/snapshot.h"
#include "store/store.h"

#define LIMIT_BYTES ((uint64_t)64 * 1024 * 1024)

static int report(const struct error *error)
{
    fprintf(stderr, "%s\n", error->text);
    return 1;
}

static bool plan_event(void *context, struct snapshot *snapshot, struct changeset *changeset,
                       struct error *error)
{
    const struct event_record event = {.actor = span_of("probe"), .act = span_of("probe.write")};
    const struct domain_record domain = {.is_open = true, .team = span_of("team")};
    (void)context, (void)snapshot, (void)error;
    changeset_event(changeset, &event);
    changeset_put_domain(changeset, "d.example", &domain);
    return true;
}

static int write_generations(const char *directory, int count)
{
    struct store *store;
    struct store_update_result result = {0};
    struct error error;
    if (!store_open(directory, STORE_WRITE, LIMIT_BYTES, &store, &error))
        return report(&error);
    for (int i = 0; i < count; i++)
        if (!store_update(store, plan_event, NULL, &result, &error)) {
            store_close(store);
            return report(&error);
        }
    printf("generation %d\n", (int)result.generation);
    store_close(store);
    return 0;
}

static int run_command(const char *directory)
{
    struct error error;
    gid_t groups[64];
    if (!store_take_on_owner(directory, &error))
        return report(&error);
    printf("uid %u gid %u groups", (unsigned)geteuid(), (unsigned)getegid());
    int count = getgroups(64, groups);
    for (int i = 0; i < count; i++)
        printf(" %u", (unsigned)groups[i]);
    printf(" root %s ", geteuid() != 0 && setuid(0) == 0 ? "regained" : "gone");
    return write_generations(directory, 1);
}

static bool count_event(void *context, uint64_t sequence, const struct event_record *record)
{
    int *count = context;
    if ((int)sequence == *count + 1 && record->act.length == strlen("probe.write"))
        ++*count;
    return true;
}

static bool tell(struct snapshot *snapshot, struct error *error)
{
    int events = 0;
    if (!snapshot_each_event(snapshot, count_event, &events, error))
        return false;
    printf("generation %d events %d\n", (int)snapshot_generation(snapshot), events);
    fflush(stdout);
    return true;
}

static int read_cache(const char *directory, bool holds)
{
    struct store *store;
    struct snapshot *snapshot;
    struct error error;
    char line[16];
    if (!store_open(directory, STORE_READ, LIMIT_BYTES, &store, &error))
        return report(&error);
    bool is_read = snapshot_begin(store, &snapshot, &error);
    if (is_read) {
        is_read = tell(snapshot, &error);
        if (is_read && holds && fgets(line, sizeof(line), stdin) != NULL)
            is_read = tell(snapshot, &error);
        snapshot_end(snapshot);
    }
    store_close(store);
    return is_read ? 0 : report(&error);
}

static int print_slot(const char *line, void *context)
{
    char *end;
    long pid = strtol(line, &end, 10);
    (void)context;
    if (end != line)
        printf("%ld ", pid);
    return 0;
}

static int list_slots(const char *directory)
{
    MDB_env *environment;
    int code = mdb_env_create(&environment);
    if (code == 0)
        code = mdb_env_open(environment, directory, MDB_RDONLY, 0640);
    if (code == 0)
        mdb_reader_list(environment, print_slot, NULL);
    printf("\n");
    mdb_env_close(environment);
    return code == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "write") == 0)
        return write_generations(argv[2], atoi(argv[3]));
    if (argc == 3 && strcmp(argv[1], "command") == 0)
        return run_command(argv[2]);
    if (argc == 3 && (strcmp(argv[1], "read") == 0 || strcmp(argv[1], "hold") == 0))
        return read_cache(argv[2], strcmp(argv[1], "hold") == 0);
    if (argc == 3 && strcmp(argv[1], "slots") == 0)
        return list_slots(argv[2]);
    fprintf(stderr, "usage: store_probe write DIR N | command|read|hold|slots DIR\n");
    return 2;
}
