/* A cache in a temporary directory with a key ring, and what waits in its outbox as text. */
#ifndef LPALIAS_TESTS_OUTBOX_WORLD_H
#define LPALIAS_TESTS_OUTBOX_WORLD_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../unit.h"
#include "store/changeset.h"
#include "store/keyring.h"

struct outbox_world {
    char directory[64];
    char key_file[96];
    struct store *store;
    struct keyring *ring;
};

static int outbox_world_set_up(void **state)
{
    struct outbox_world *world = calloc(1, sizeof(*world));
    struct error error = {0};
    strcpy(world->directory, "/tmp/lpalias-unit-XXXXXX");
    assert_non_null(mkdtemp(world->directory));
    snprintf(world->key_file, sizeof(world->key_file), "%s/keys", world->directory);
    if (!keyring_generate(world->key_file, (gid_t)-1, &error) ||
        !keyring_read(world->key_file, &world->ring, &error) ||
        !store_open(world->directory, STORE_WRITE, 256 << 20, &world->store, &error))
        fail_msg("%s", error.text);
    *state = world;
    return 0;
}

static int outbox_world_tear_down(void **state)
{
    struct outbox_world *world = *state;
    static const char *const files[] = {"keys", "data.mdb", "lock.mdb", "generation"};
    store_close(world->store);
    keyring_destroy(world->ring);
    for (size_t i = 0; i < ARRAY_LENGTH(files); i++) {
        char path[128];
        snprintf(path, sizeof(path), "%s/%s", world->directory, files[i]);
        unlink(path);
    }
    rmdir(world->directory);
    free(world);
    return 0;
}

static struct store_update_result outbox_world_update(struct outbox_world *world,
                                                      changeset_plan *plan, void *context)
{
    struct store_update_result result = {0};
    struct error error = {0};
    if (!store_update(world->store, plan, context, &result, &error))
        fail_msg("%s", error.text);
    return result;
}

static struct snapshot *outbox_world_begin(struct outbox_world *world)
{
    struct snapshot *snapshot;
    struct error error = {0};
    if (!snapshot_begin(world->store, &snapshot, &error))
        fail_msg("%s", error.text);
    return snapshot;
}

/* All notices, one a line: "admins leaving ubuntu.com jdoe not-member"; of a digest and an alarm
 * the detail behind " | ". */
struct outbox_text {
    struct outbox_world *world;
    struct buffer text;
};

static bool outbox_world_append_notice(void *context, uint64_t sequence,
                                       const struct outbox_record *notice)
{
    static const char *const audiences[] = {
        [AUDIENCE_PERSON] = "person", [AUDIENCE_ADMINS] = "admins", [AUDIENCE_ALERTS] = "alerts"};
    struct outbox_text *outbox = context;
    (void)sequence;
    buffer_appendf(&outbox->text, "%s %.*s", audiences[notice->audience], (int)notice->kind.length,
                   notice->kind.data);
    const struct span words[] = {notice->domain, notice->subject, notice->reason};
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++)
        if (words[i].length != 0)
            buffer_appendf(&outbox->text, " %.*s", (int)words[i].length, words[i].data);
    if (notice->detail.length != 0)
        buffer_appendf(&outbox->text, " | %.*s", (int)notice->detail.length, notice->detail.data);
    if (notice->audience == AUDIENCE_PERSON) {
        struct buffer plain = {0};
        assert_int_equal(keyring_unseal_notice(outbox->world->ring, notice->id,
                                               notice->sealed_recipients, &plain),
                         UNSEAL_DONE);
        buffer_appendf(&outbox->text, " -> %s", buffer_text(&plain));
        buffer_finish(&plain);
    } else {
        assert_int_equal(notice->sealed_recipients.length, 0);
    }
    buffer_append_char(&outbox->text, '\n');
    return true;
}

/* Caller finishes. */
static struct buffer outbox_world_outbox(struct outbox_world *world)
{
    struct outbox_text outbox = {world, {0}};
    struct error error = {0};
    struct snapshot *snapshot = outbox_world_begin(world);
    if (!snapshot_each_notice(snapshot, outbox_world_append_notice, &outbox, &error))
        fail_msg("%s", error.text);
    snapshot_end(snapshot);
    return outbox.text;
}

static bool outbox_world_delete_notice(void *context, uint64_t sequence,
                                       const struct outbox_record *notice)
{
    (void)notice;
    changeset_delete_notice(context, sequence);
    return true;
}

static bool outbox_world_plan_emptying(void *context, struct snapshot *snapshot,
                                       struct changeset *changeset, struct error *error)
{
    (void)context;
    return snapshot_each_notice(snapshot, outbox_world_delete_notice, changeset, error);
}

/* As if all had been handed over. */
static void outbox_world_empty_outbox(struct outbox_world *world)
{
    outbox_world_update(world, outbox_world_plan_emptying, NULL);
}

#endif
