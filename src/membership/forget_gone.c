#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "membership/forget.h"

/* Who is gone somewhere and has targets; then, who of them is alive elsewhere. */
struct search {
    const struct planning *planning;
    const char **names; /* sorted once all are found */
    bool *is_alive;     /* of each */
    size_t count, capacity;
    bool is_fine;
    struct error *error;
};

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* A member's own alias has the name of its owner. */
static bool note_gone(void *context, const char *domain, const char *local,
                      const struct alias_record *row)
{
    struct search *search = context;
    struct person_record person;
    (void)domain;
    if (row->kind != ALIAS_MEMBER || row->state != ALIAS_GONE)
        return true;
    enum store_result result =
        snapshot_person(search->planning->snapshot, local, &person, search->error);
    search->is_fine = result != STORE_TROUBLE;
    if (result != STORE_FOUND || person.sealed_targets.length == 0)
        return search->is_fine;
    search->names =
        memory_grow(search->names, search->count, &search->capacity, sizeof(*search->names));
    search->names[search->count++] = memory_copy_text(local);
    return true;
}

static void sort_names(struct search *search)
{
    size_t kept = 0;
    qsort(search->names, search->count, sizeof(*search->names), compare_names);
    for (size_t i = 0; i < search->count; i++) {
        if (kept != 0 && strcmp(search->names[kept - 1], search->names[i]) == 0)
            free((char *)search->names[i]);
        else
            search->names[kept++] = search->names[i];
    }
    search->count = kept;
    search->is_alive = memory_new(kept, sizeof(*search->is_alive));
}

static void note_alive(struct search *search, const char *name)
{
    const char **found =
        bsearch(&name, search->names, search->count, sizeof(*search->names), compare_names);
    if (found != NULL)
        search->is_alive[found - search->names] = true;
}

static bool note_alias(void *context, const char *domain, const char *local,
                       const struct alias_record *row)
{
    (void)domain, (void)local;
    if (row->state == ALIAS_GONE || row->owner.length == 0)
        return true;
    CLEANUP(memory_free_at) char *owner = memory_copy_bytes(row->owner.data, row->owner.length);
    note_alive(context, owner);
    return true;
}

/* Somebody who may have an alias here, though the name is another's for now. */
static bool is_entitled(const struct membership_record *membership)
{
    return membership->is_member && membership->is_valid && membership->is_ubuntu_coc_signer;
}

static bool note_memberships(void *context, const char *domain, const struct domain_record *row)
{
    struct search *search = context;
    (void)row;
    for (size_t i = 0; i < search->count && search->is_fine; i++) {
        struct membership_record membership;
        enum store_result result = snapshot_membership(
            search->planning->snapshot, domain, search->names[i], &membership, search->error);
        search->is_fine = result != STORE_TROUBLE;
        if (result == STORE_FOUND && is_entitled(&membership))
            search->is_alive[i] = true;
    }
    return search->is_fine;
}

static bool find_gone(struct search *search, struct error *error)
{
    struct snapshot *snapshot = search->planning->snapshot;
    if (!snapshot_each_alias(snapshot, NULL, note_gone, search, error) || !search->is_fine)
        return false;
    if (search->count == 0)
        return true;
    sort_names(search);
    return snapshot_each_alias(snapshot, NULL, note_alias, search, error) &&
           snapshot_each_domain(snapshot, note_memberships, search, error) && search->is_fine;
}

static void tell(const struct planning *planning, const char *name)
{
    const struct event_record event = {
        .at_s = planning->now_s,
        .actor = span_of(planning->actor),
        .act = span_of("target.forget"),
        .subject = span_of(name),
    };
    changeset_event(planning->changeset, &event);
}

static bool forget_targets(const struct planning *planning, const char *name, struct error *error)
{
    struct person_record person;
    if (snapshot_person(planning->snapshot, name, &person, error) != STORE_FOUND)
        return false;
    person.sealed_targets = span_of("");
    person.target_source = TARGET_SOURCE_NONE;
    changeset_put_person(planning->changeset, name, &person);
    tell(planning, name);
    return true;
}

bool forget_gone(const struct planning *planning, struct error *error)
{
    struct search search = {.planning = planning, .is_fine = true, .error = error};
    bool is_done = find_gone(&search, error);
    const char **due = memory_new(search.count, sizeof(*due));
    size_t due_count = 0;
    changeset_begin_group(planning->changeset, false);
    for (size_t i = 0; i < search.count && is_done; i++)
        if (!search.is_alive[i]) {
            is_done = forget_targets(planning, search.names[i], error);
            due[due_count++] = search.names[i];
        }
    is_done = is_done && forget_traces(planning, due, due_count, FORGET_TARGETS, error);
    for (size_t i = 0; i < search.count; i++)
        free((char *)search.names[i]);
    free(due);
    free(search.names);
    free(search.is_alive);
    return is_done;
}
