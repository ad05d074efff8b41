#include "membership/own_event.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

struct search {
    struct snapshot *snapshot;
    int64_t date_created_us;
    const char *name;
    char **names; /* the person's name and the former ones */
    size_t name_count, name_capacity;
    uint64_t before;
    struct own *found; /* in the order of the log */
    size_t count, capacity;
    bool is_fine;
    struct error *error;
};

struct own {
    uint64_t sequence;
    size_t name; /* of names: whose it was */
    struct event_record event;
};

static bool add_former_name(void *context, const char *name, const struct person_record *person)
{
    struct search *search = context;
    if (strcmp(name, search->name) != 0 && (person->date_created_us != search->date_created_us ||
                                            !span_is_text(person->renamed_to, search->name)))
        return true;
    search->names = memory_grow(search->names, search->name_count, &search->name_capacity,
                                sizeof(*search->names));
    search->names[search->name_count++] = memory_copy_text(name);
    return true;
}

/* Which of the person's names has an alias of that name in the domain; false: none has. */
static bool find_owner(struct search *search, const struct event_record *event, size_t *ret)
{
    struct alias_record alias;
    CLEANUP(memory_free_at)
    char *domain = memory_copy_bytes(event->domain.data, event->domain.length);
    enum store_result result =
        event->domain.length != 0
            ? snapshot_alias(search->snapshot, domain, event->subject, &alias, search->error)
            : STORE_ABSENT;
    search->is_fine = result != STORE_TROUBLE;
    for (*ret = 0; result == STORE_FOUND && *ret < search->name_count; (*ret)++)
        if (span_is_text(alias.owner, search->names[*ret]))
            return true;
    return false;
}

static bool is_own(struct search *search, const struct event_record *event, size_t *ret)
{
    for (*ret = 0; *ret < search->name_count; (*ret)++)
        if (span_is_text(event->subject, search->names[*ret]))
            return true;
    return event->subject.length != 0 && find_owner(search, event, ret);
}

static void drop_all_of(struct search *search, size_t name)
{
    size_t kept = 0;
    for (size_t i = 0; i < search->count; i++)
        if (search->found[i].name != name)
            search->found[kept++] = search->found[i];
    search->count = kept;
}

static bool add_event(void *context, uint64_t sequence, const struct event_record *event)
{
    struct search *search = context;
    size_t name;
    if (!is_own(search, event, &name))
        return search->is_fine;
    if (span_is_text(event->act, "person.another"))
        drop_all_of(search, name);
    search->found =
        memory_grow(search->found, search->count, &search->capacity, sizeof(*search->found));
    search->found[search->count++] = (struct own){sequence, name, *event};
    return true;
}

static struct event_record for_person(struct event_record event)
{
    const char *colon = memchr(event.actor.data, ':', event.actor.length);
    if (colon != NULL)
        event.actor.length = (size_t)(colon - event.actor.data);
    if (span_is_text(event.act, "person.ban") || span_is_text(event.act, "person.unban"))
        event.detail = (struct span){"", 0};
    return event;
}

static void visit_newest(const struct search *search, size_t limit, own_event_visit *visit,
                         void *context)
{
    for (size_t i = search->count; i != 0 && limit != 0; i--) {
        const struct own *own = &search->found[i - 1];
        if (search->before != 0 && own->sequence >= search->before)
            continue;
        struct event_record event = for_person(own->event);
        if (!visit(context, own->sequence, &event))
            return;
        limit--;
    }
}

bool own_event_each(struct snapshot *snapshot, const char *name, uint64_t before, size_t limit,
                    own_event_visit *visit, void *context, struct error *error)
{
    struct search search = {
        .snapshot = snapshot, .name = name, .before = before, .is_fine = true, .error = error};
    struct person_record person;
    enum store_result result = snapshot_person(snapshot, name, &person, error);
    if (result != STORE_FOUND)
        return result == STORE_ABSENT;
    search.date_created_us = person.date_created_us;
    bool is_done = snapshot_each_person(snapshot, add_former_name, &search, error) &&
                   snapshot_each_event(snapshot, add_event, &search, error) && search.is_fine;
    if (is_done)
        visit_newest(&search, limit, visit, context);
    for (size_t i = 0; i < search.name_count; i++)
        free(search.names[i]);
    free(search.names);
    free(search.found);
    return is_done;
}
