/*
 * A cache that every table has a sealed value in, and a ring, in a directory of their own:
 * jdoe with an alias in d.org, an older one of each in undo, and a notice to jdoe.
 */
#ifndef LPALIAS_TESTS_UNIT_ACTION_WORLD_H
#define LPALIAS_TESTS_UNIT_ACTION_WORLD_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit.h"
#include "action/actor.h"
#include "store/changeset.h"
#include "store/key.h"
#include "store/keyring_file.h"
#include "store/sealed.h"

#define WORLD_LIMIT_BYTES ((uint64_t)64 << 20)
#define JDOE              "jdoe@target.example"
#define JDOE_BEFORE       "old@target.example"

struct world {
    char directory[64], cache[80], keys[80];
    struct keyring *ring;
    struct store *store;
    struct house house;
    struct action action;
};

static inline int world_remove_entry(const char *path, const struct stat *status, int flag,
                                     struct FTW *place)
{
    (void)status, (void)flag, (void)place;
    return remove(path);
}

static inline void world_open(struct world *world)
{
    struct error error;
    if (!store_open(world->cache, STORE_WRITE, WORLD_LIMIT_BYTES, &world->store, &error))
        fail_msg("%s", error.text);
    world->action = (struct action){
        .store = world->store,
        .ring = world->ring,
        .actor = "operator:test",
        .now_s = 1000,
        .house = &world->house,
    };
}

static inline void world_read_ring(struct world *world)
{
    struct error error;
    keyring_destroy(world->ring);
    world->ring = NULL;
    if (!keyring_read(world->keys, &world->ring, &error))
        fail_msg("%s", error.text);
    world->action.ring = world->ring;
}

static inline int world_set_up(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    struct error error;
    strcpy(world->directory, "/tmp/lpalias-action-XXXXXX");
    assert_non_null(mkdtemp(world->directory));
    snprintf(world->cache, sizeof(world->cache), "%s/cache", world->directory);
    snprintf(world->keys, sizeof(world->keys), "%s/keys", world->directory);
    if (!keyring_generate(world->keys, (gid_t)-1, &error))
        fail_msg("%s", error.text);
    world_open(world);
    world_read_ring(world);
    *state = world;
    return 0;
}

static inline int world_tear_down(void **state)
{
    struct world *world = *state;
    store_close(world->store);
    keyring_destroy(world->ring);
    nftw(world->directory, world_remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    free(world);
    return 0;
}

/* Another key before the others, as key rotate makes it. */
static inline uint32_t world_add_key(struct world *world)
{
    struct error error;
    uint32_t id;
    if (!keyring_file_add(world->keys, &id, &error))
        fail_msg("%s", error.text);
    world_read_ring(world);
    return id;
}

static inline struct span world_bytes(const struct buffer *buffer)
{
    return (struct span){buffer->data, buffer->length};
}

static inline void world_put_alias(const struct world *world, struct changeset *changeset,
                                   const char *local, const char *target)
{
    struct buffer sealed = {0};
    keyring_seal_alias(world->ring, "d.org", span_of(local), span_of(target), &sealed);
    const struct alias_record alias = {
        .kind = ALIAS_MEMBER,
        .state = ALIAS_ACTIVE,
        .extension = EXTENSION_APPEND,
        .owner = span_of(local),
        .sealed_targets = world_bytes(&sealed),
    };
    changeset_put_alias(changeset, "d.org", local, &alias);
    buffer_finish(&sealed);
}

static inline void world_put_person(const struct world *world, struct changeset *changeset,
                                    const char *name, const char *targets)
{
    struct buffer sealed = {0};
    keyring_seal_person(world->ring, name, span_of(targets), &sealed);
    const struct person_record person = {
        .date_created_us = 7,
        .target_source = TARGET_SOURCE_OPERATOR,
        .sealed_targets = world_bytes(&sealed),
    };
    changeset_put_person(changeset, name, &person);
    buffer_finish(&sealed);
}

/* jdoe's rows as they were before generation 5. */
static inline void world_put_undo(const struct world *world, struct changeset *changeset)
{
    struct buffer sealed = {0}, value = {0};
    struct key key;
    assert_true(key_of_pair(&key, "d.org", span_of("jdoe")));
    keyring_seal_alias(world->ring, "d.org", span_of("jdoe"), span_of(JDOE_BEFORE), &sealed);
    const struct alias_record alias = {
        .stamp = {.generation = 3},
        .kind = ALIAS_MEMBER,
        .state = ALIAS_ACTIVE,
        .extension = EXTENSION_APPEND,
        .sealed_targets = world_bytes(&sealed),
    };
    alias_record_encode(&value, &alias);
    struct undo_record undo = {.table = UNDO_ALIAS, .key = key_span(&key)};
    undo.value = world_bytes(&value);
    changeset_put_undo(changeset, 5, 0, &undo);
    buffer_clear(&sealed);
    buffer_clear(&value);
    keyring_seal_person(world->ring, "jdoe", span_of("o+ " JDOE_BEFORE), &sealed);
    const struct person_record person = {.stamp = {.generation = 3},
                                         .sealed_targets = world_bytes(&sealed)};
    person_record_encode(&value, &person);
    undo = (struct undo_record){
        .table = UNDO_PERSON, .key = span_of("jdoe"), .value = world_bytes(&value)};
    changeset_put_undo(changeset, 5, 1, &undo);
    undo = (struct undo_record){.table = UNDO_ALIAS, .was_absent = true, .key = key_span(&key)};
    changeset_put_undo(changeset, 6, 0, &undo);
    buffer_finish(&sealed);
    buffer_finish(&value);
}

static inline void world_put_notice(const struct world *world, struct changeset *changeset)
{
    struct buffer sealed = {0};
    struct outbox_record notice = {
        .id = {1, 2, 3}, .audience = AUDIENCE_PERSON, .kind = span_of("leaving")};
    keyring_seal_notice(world->ring, notice.id, span_of(JDOE), &sealed);
    notice.sealed_recipients = world_bytes(&sealed);
    changeset_notice(changeset, &notice);
    buffer_finish(&sealed);
}

static inline bool world_plan(void *context, struct snapshot *snapshot, struct changeset *changeset,
                              struct error *error)
{
    const struct world *world = context;
    const struct domain_record domain = {.is_open = true,
                                         .opened_generation = snapshot_generation(snapshot) + 1,
                                         .team = span_of("team")};
    (void)error;
    changeset_put_domain(changeset, "d.org", &domain);
    world_put_alias(world, changeset, "jdoe", JDOE);
    world_put_person(world, changeset, "jdoe", "o+ " JDOE);
    world_put_undo(world, changeset);
    world_put_notice(world, changeset);
    return true;
}

static inline void world_fill(struct world *world)
{
    struct store_update_result result;
    struct error error;
    if (!store_update(world->store, world_plan, world, &result, &error))
        fail_msg("%s", error.text);
}

static inline struct snapshot *world_begin(struct world *world)
{
    struct snapshot *snapshot;
    struct error error;
    if (!snapshot_begin(world->store, &snapshot, &error))
        fail_msg("%s", error.text);
    return snapshot;
}

/* What all sealed values are in clear, one "place name: plain" a line. Caller frees. */
struct world_reading {
    const struct keyring *ring;
    struct buffer lines;
};

static inline bool world_read_value(void *context, const struct sealed_value *value)
{
    struct world_reading *reading = context;
    buffer_appendf(&reading->lines, "%s ", sealed_place_name(value->place));
    sealed_append_name(&reading->lines, value);
    buffer_append_text(&reading->lines, ": ");
    if (sealed_open(reading->ring, value, &reading->lines) != UNSEAL_DONE)
        buffer_append_text(&reading->lines, "sealed");
    buffer_append_char(&reading->lines, '\n');
    return true;
}

static inline char *world_read_all(struct world *world)
{
    struct world_reading reading = {.ring = world->ring};
    struct snapshot *snapshot = world_begin(world);
    struct error error;
    assert_true(sealed_each(snapshot, world_read_value, &reading, &error));
    snapshot_end(snapshot);
    buffer_text(&reading.lines);
    return reading.lines.data;
}

#endif
