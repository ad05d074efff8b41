/* A cache with keys in a temporary directory and two domains that are ours; changes as functions.
 */
#ifndef LPALIAS_TESTS_HOUSE_CACHE_H
#define LPALIAS_TESTS_HOUSE_CACHE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unit.h"

#include "membership/house.h"
#include "membership/target_list.h"
#include "store/changeset.h"
#include "store/keyring.h"
#include "store/snapshot.h"
#include "store/store.h"

#define DOMAIN "ubuntu.com"
#define OTHER  "kubuntu.org"

static const struct house_domain house_cache_domains[] = {
    {.name = DOMAIN, .team = "ubuntumembers", .grace_s = 30 * 86400},
    {.name = OTHER, .team = "kubuntu-members", .grace_s = 30 * 86400},
};
static const struct house house_cache_house = {
    .domains = house_cache_domains,
    .domain_count = ARRAY_LENGTH(house_cache_domains),
    .recipient_delimiter = "+",
    .max_removals_percent = 10,
    .max_additions_percent = 20,
};

struct house_cache {
    char directory[64];
    char key_file[96];
    struct store *store;
    struct keyring *ring;
};

static inline int house_cache_set_up(void **state)
{
    struct house_cache *cache = calloc(1, sizeof(*cache));
    struct error error = {0};
    strcpy(cache->directory, "/tmp/lpalias-unit-XXXXXX");
    assert_non_null(mkdtemp(cache->directory));
    snprintf(cache->key_file, sizeof(cache->key_file), "%s/keys", cache->directory);
    if (!keyring_generate(cache->key_file, (gid_t)-1, &error) ||
        !keyring_read(cache->key_file, &cache->ring, &error) ||
        !store_open(cache->directory, STORE_WRITE, 256 << 20, &cache->store, &error))
        fail_msg("%s", error.text);
    *state = cache;
    return 0;
}

static inline int house_cache_tear_down(void **state)
{
    struct house_cache *cache = *state;
    static const char *const files[] = {"keys", "data.mdb", "lock.mdb", "generation"};
    store_close(cache->store);
    keyring_destroy(cache->ring);
    for (size_t i = 0; i < ARRAY_LENGTH(files); i++) {
        char path[128];
        snprintf(path, sizeof(path), "%s/%s", cache->directory, files[i]);
        unlink(path);
    }
    rmdir(cache->directory);
    free(cache);
    return 0;
}

/* What a change puts; texts live as long as the cache. */
typedef void house_change(struct house_cache *cache, struct snapshot *snapshot,
                          struct changeset *changeset);

struct house_cache_change {
    struct house_cache *cache;
    house_change *change;
};

static inline bool house_cache_plan(void *context, struct snapshot *snapshot,
                                    struct changeset *changeset, struct error *error)
{
    struct house_cache_change *change = context;
    (void)error;
    change->change(change->cache, snapshot, changeset);
    return true;
}

/* Writes it; returns the generation. */
static inline uint64_t house_cache_change(struct house_cache *cache, house_change *change)
{
    struct house_cache_change context = {cache, change};
    struct store_update_result result;
    struct error error;
    if (!store_update(cache->store, house_cache_plan, &context, &result, &error))
        fail_msg("%s", error.text);
    return result.generation;
}

static inline struct snapshot *house_cache_look(struct house_cache *cache)
{
    struct snapshot *snapshot;
    struct error error;
    if (!snapshot_begin(cache->store, &snapshot, &error))
        fail_msg("%s", error.text);
    return snapshot;
}

static inline void put_domain(struct changeset *changeset, const char *domain)
{
    struct domain_record row = {
        .is_open = true, .team = span_of("team"), .team_date_created_us = 7, .filled_s = 1};
    changeset_put_domain(changeset, domain, &row);
}

/* With the operator's target NAME@home.example. */
static inline void put_person(struct house_cache *cache, struct changeset *changeset,
                              const char *name, int64_t date_created_us, const char *login)
{
    struct person_record person = {.date_created_us = date_created_us,
                                   .login_identifier = span_of(login)};
    struct target_list targets = {0};
    struct buffer sealed = {0};
    char address[128];
    snprintf(address, sizeof(address), "%s@home.example", name);
    target_list_add(&targets, TARGET_SOURCE_OPERATOR, true, address);
    target_list_seal(&targets, cache->ring, name, &sealed, &person);
    changeset_put_person(changeset, name, &person);
    target_list_finish(&targets);
    buffer_finish(&sealed);
}

static inline void put_membership(struct changeset *changeset, const char *domain, const char *name,
                                  int64_t date_created_us, bool is_member)
{
    struct membership_record membership = {
        .is_member = is_member,
        .is_valid = true,
        .is_ubuntu_coc_signer = true,
        .extension = EXTENSION_APPEND,
        .date_created_us = date_created_us,
        .since_s = 1,
        .live_since_s = 1,
        .leaving_since_s = is_member ? 0 : 2,
    };
    changeset_put_membership(changeset, domain, name, &membership);
}

/* Active, or leaving and delivered, to NAME@home.example. */
static inline void put_alias(struct house_cache *cache, struct changeset *changeset,
                             const char *domain, const char *name, bool is_active)
{
    struct buffer sealed = {0};
    char address[128];
    snprintf(address, sizeof(address), "%s@home.example", name);
    keyring_seal_alias(cache->ring, domain, span_of(name), span_of(address), &sealed);
    struct alias_record alias = {
        .kind = ALIAS_MEMBER,
        .state = is_active ? ALIAS_ACTIVE : ALIAS_LEAVING,
        .reason = is_active ? REASON_NONE : REASON_NOT_MEMBER,
        .deliver = !is_active,
        .extension = EXTENSION_APPEND,
        .since_s = 1,
        .owner = span_of(name),
        .sealed_targets = {sealed.data, sealed.length},
    };
    changeset_put_alias(changeset, domain, name, &alias);
    buffer_finish(&sealed);
}

/* All rows of an active member, or of one who leaves. */
static inline void put_member(struct house_cache *cache, struct changeset *changeset,
                              const char *domain, const char *name, bool is_active)
{
    changeset_begin_group(changeset, false);
    put_membership(changeset, domain, name, 5, is_active);
    put_alias(cache, changeset, domain, name, is_active);
}

/* 0: there is none. */
static inline enum alias_state state_of(struct house_cache *cache, const char *domain,
                                        const char *local)
{
    struct snapshot *snapshot = house_cache_look(cache);
    struct alias_record alias = {0};
    struct error error;
    enum store_result result = snapshot_alias(snapshot, domain, span_of(local), &alias, &error);
    assert_int_not_equal(result, STORE_TROUBLE);
    enum alias_state state = result == STORE_FOUND ? alias.state : 0;
    snapshot_end(snapshot);
    return state;
}

#endif
