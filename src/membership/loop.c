#include "membership/loop.h"

#include <stdlib.h>
#include <string.h>

#include "address/address.h"
#include "address/role.h"
#include "base/memory.h"

struct name_list {
    char **names;
    size_t count, capacity;
};

/* One walk, depth first. */
struct walk {
    const struct loop_scene *scene;
    struct name_list trail; /* what was gone through to come here, first to last */
    struct name_list done;  /* what was followed to all its ends, with its extension */
    enum loop_end worst;
};

static bool has_name(const struct name_list *list, const char *wanted)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->names[i], wanted) == 0)
            return true;
    return false;
}

static void push_name(struct name_list *list, const char *name)
{
    list->names = memory_grow(list->names, list->count, &list->capacity, sizeof(*list->names));
    list->names[list->count++] = memory_copy_text(name);
}

static void pop_name(struct name_list *list)
{
    free(list->names[--list->count]);
}

static void finish_names(struct name_list *list)
{
    while (list->count != 0)
        pop_name(list);
    free(list->names);
}

static void note_end(struct walk *walk, enum loop_end end)
{
    if (end > walk->worst)
        walk->worst = end;
}

static bool follow_target(struct walk *walk, struct span target, struct error *error);

/* All targets of what is called name in the trail, with the extension put to each. */
static bool follow_targets(struct walk *walk, const char *name, struct span targets,
                           struct span extension, struct error *error)
{
    CLEANUP(buffer_finish) struct buffer whole_name = {0};
    CLEANUP(buffer_finish) struct buffer target = {0};
    bool is_fine = true;
    if (has_name(&walk->trail, name)) {
        note_end(walk, LOOP_END_LOOP);
        return true;
    }
    buffer_append_text(&whole_name, name);
    buffer_append_char(&whole_name, '\n');
    buffer_append(&whole_name, extension.data, extension.length);
    if (has_name(&walk->done, buffer_text(&whole_name)))
        return true;
    push_name(&walk->trail, name);
    for (const char *at = targets.data, *end = at + targets.length; at < end && is_fine;) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));
        if (line_end == NULL)
            line_end = end;
        buffer_clear(&target);
        address_append_extended(&target, (struct span){at, (size_t)(line_end - at)}, extension);
        is_fine = follow_target(walk, (struct span){target.data, target.length}, error);
        at = line_end + 1;
    }
    pop_name(&walk->trail);
    push_name(&walk->done, buffer_text(&whole_name));
    return is_fine;
}

/* ---- the steps of a lookup, in its order ---- */

/* A role answers for itself and all its extensions. */
static const char *role_targets(const struct house_domain *domain, const char *local,
                                bool *ret_is_role)
{
    for (size_t i = 0; domain != NULL && i < domain->role_count; i++)
        if (strcmp(domain->roles[i], local) == 0) {
            *ret_is_role = true;
            return domain->role_targets[i];
        }
    *ret_is_role = address_is_role(local, strlen(local));
    return NULL;
}

static bool follow_role(struct walk *walk, const struct address *address, bool *ret_is_role,
                        struct error *error)
{
    const struct house_domain *domain = house_find(walk->scene->house, address->domain);
    CLEANUP(memory_free_at) char *local = memory_copy_text(address->local);
    *ret_is_role = false;
    for (size_t length = address->local_length; length != 0;
         length = address_next_cut(local, length, walk->scene->house->recipient_delimiter)) {
        local[length] = '\0';
        const char *targets = role_targets(domain, local, ret_is_role);
        if (!*ret_is_role)
            continue;
        if (targets == NULL) /* `alerts`, which lies outside */
            return true;
        CLEANUP(buffer_finish) struct buffer name = {0};
        buffer_appendf(&name, "role %s@%s", local, address->domain);
        return follow_targets(walk, buffer_text(&name), span_of(targets), (struct span){"", 0},
                              error);
    }
    return true;
}

/* An alias as it is or is to be. */
struct found_alias {
    bool is_live;
    enum extension_policy extension;
    struct buffer targets;
};

static bool find_planned(const struct walk *walk, const char *domain, struct span local,
                         struct found_alias *ret)
{
    /* From the end, as an import asks for each of its rows when that was just added. */
    for (size_t i = walk->scene->planned_count; i != 0; i--) {
        const struct loop_alias *alias = &walk->scene->planned[i - 1];
        if (!span_is_text(local, alias->local) || strcmp(alias->domain, domain) != 0)
            continue;
        ret->is_live = true;
        ret->extension = alias->extension;
        buffer_append(&ret->targets, alias->targets.data, alias->targets.length);
        return true;
    }
    return false;
}

static bool open_alias(const struct walk *walk, const char *domain, struct span local,
                       const struct alias_record *record, struct found_alias *ret,
                       struct error *error)
{
    ret->is_live = alias_record_is_live(record);
    ret->extension = record->extension;
    if (!ret->is_live)
        return true;
    enum unseal_result result = keyring_unseal_alias(walk->scene->ring, domain, local,
                                                     record->sealed_targets, &ret->targets);
    if (result == UNSEAL_BROKEN)
        ret->is_live = false;
    return result != UNSEAL_UNKNOWN_KEY || unseal_result_to_error(result, error);
}

/* The alias that the first length bytes of the local part name, as a lookup sees it. */
static enum store_result find_alias(const struct walk *walk, const struct address *address,
                                    size_t length, struct found_alias *ret, struct error *error)
{
    struct span local = {address->local, length};
    struct alias_record record;
    if (length > ADDRESS_LOCAL_MAX_BYTES)
        return STORE_ABSENT;
    if (find_planned(walk, address->domain, local, ret))
        return STORE_FOUND;
    enum store_result result =
        snapshot_alias(walk->scene->snapshot, address->domain, local, &record, error);
    if (result != STORE_FOUND)
        return result;
    if (record.state == ALIAS_REFUSED && record.reason == REASON_TAKEN)
        return STORE_ABSENT; /* gives way to whose extension it is */
    return open_alias(walk, address->domain, local, &record, ret, error) ? STORE_FOUND
                                                                         : STORE_TROUBLE;
}

static bool follow_found(struct walk *walk, const struct address *address, size_t length,
                         const struct found_alias *alias, struct error *error)
{
    struct span extension = {address->local + length, address->local_length - length};
    if (!alias->is_live || (extension.length != 0 && alias->extension == EXTENSION_REFUSE)) {
        note_end(walk, LOOP_END_DEAD);
        return true;
    }
    if (alias->extension == EXTENSION_DROP)
        extension.length = 0;
    CLEANUP(buffer_finish) struct buffer name = {0};
    buffer_appendf(&name, "%.*s@%s", (int)length, address->local, address->domain);
    return follow_targets(walk, buffer_text(&name),
                          (struct span){alias->targets.data, alias->targets.length}, extension,
                          error);
}

static bool follow_alias(struct walk *walk, const struct address *address, bool *ret_is_alias,
                         struct error *error)
{
    enum store_result result = STORE_ABSENT;
    bool is_fine = true;
    for (size_t length = address->local_length; length != 0 && result == STORE_ABSENT;
         length =
             address_next_cut(address->local, length, walk->scene->house->recipient_delimiter)) {
        struct found_alias alias = {0};
        result = find_alias(walk, address, length, &alias, error);
        if (result == STORE_FOUND)
            is_fine = follow_found(walk, address, length, &alias, error);
        buffer_finish(&alias.targets);
    }
    *ret_is_alias = result == STORE_FOUND;
    return is_fine && result != STORE_TROUBLE;
}

static bool follow_catch_all(struct walk *walk, const struct address *address, struct error *error)
{
    const struct house_domain *domain = house_find(walk->scene->house, address->domain);
    bool is_taken = strcmp(address->local, "double-bounce") != 0 &&
                    strcmp(address->local, "mailer-daemon") != 0;
    if (domain == NULL || domain->catch_all == NULL || !is_taken) {
        note_end(walk, LOOP_END_DEAD);
        return true;
    }
    CLEANUP(buffer_finish) struct buffer name = {0};
    buffer_appendf(&name, "@%s", address->domain);
    return follow_targets(walk, buffer_text(&name), span_of(domain->catch_all),
                          (struct span){"", 0}, error);
}

static bool follow_address(struct walk *walk, const struct address *address, struct error *error)
{
    bool is_found;
    if (!follow_role(walk, address, &is_found, error))
        return false;
    if (is_found)
        return true;
    if (!follow_alias(walk, address, &is_found, error))
        return false;
    return is_found || follow_catch_all(walk, address, error);
}

static bool follow_target(struct walk *walk, struct span target, struct error *error)
{
    struct address address;
    struct domain_record row;
    const char *at = memrchr(target.data, '@', target.length);
    CLEANUP(memory_free_at)
    char *domain = memory_copy_bytes(at + 1, target.length - (size_t)(at + 1 - target.data));
    if (house_find(walk->scene->house, domain) == NULL) {
        enum store_result result = snapshot_domain(walk->scene->snapshot, domain, &row, error);
        if (result != STORE_FOUND)
            return result == STORE_ABSENT;
    }
    if (address_parse(target.data, target.length, &address) == ADDRESS_FULL)
        return follow_address(walk, &address, error);
    note_end(walk, LOOP_END_DEAD); /* a quoted local part is never ours */
    return true;
}

bool loop_follow(const struct loop_scene *scene, const char *domain, const char *local,
                 enum loop_end *ret, struct error *error)
{
    struct walk walk = {.scene = scene};
    struct address address = {.local_length = strlen(local), .domain_length = strlen(domain)};
    memcpy(address.local, local, address.local_length + 1);
    memcpy(address.domain, domain, address.domain_length + 1);
    bool is_fine = follow_address(&walk, &address, error);
    finish_names(&walk.trail);
    finish_names(&walk.done);
    *ret = walk.worst;
    return is_fine;
}

bool alias_ends_live(struct snapshot *snapshot, const struct house *house,
                     const struct keyring *ring, const char *domain, const char *local, bool *ret,
                     struct error *error)
{
    const struct loop_scene scene = {.snapshot = snapshot, .house = house, .ring = ring};
    enum loop_end end;
    if (!loop_follow(&scene, domain, local, &end, error))
        return false;
    *ret = end == LOOP_END_LIVE;
    return true;
}
