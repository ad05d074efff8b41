#include "membership/own_event.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "membership/former_name.h"

struct search {
    struct snapshot *snapshot;
    const char *name;
    struct own_name *names; /* the person's name and the former ones */
    size_t name_count;
    uint64_t before;
    size_t limit;
    own_event_visit *visit;
    void *context;
    bool is_fine;
    struct error *error;
};

struct own_name {
    char *name;
    bool is_anothers; /* in what is older than what was seen already */
};

/* The person's name and the former ones. */
static bool find_names(struct search *search, int64_t date_created_us)
{
    struct former_name_list former;
    bool is_found =
        former_name_find(search->snapshot, search->name, date_created_us, &former, search->error);
    search->names = memory_new(former.count + 1, sizeof(*search->names));
    search->names[search->name_count++].name = memory_copy_text(search->name);
    for (size_t i = 0; i < former.count; i++)
        search->names[search->name_count++].name = memory_copy_text(former.names[i]);
    former_name_list_finish(&former);
    return is_found;
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
        if (span_is_text(alias.owner, search->names[*ret].name))
            return true;
    return false;
}

static bool is_own(struct search *search, const struct event_record *event, size_t *ret)
{
    for (*ret = 0; *ret < search->name_count; (*ret)++)
        if (span_is_text(event->subject, search->names[*ret].name))
            return true;
    return event->subject.length != 0 && find_owner(search, event, ret);
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

static bool take_event(void *context, uint64_t sequence, const struct event_record *event)
{
    struct search *search = context;
    size_t name;
    if (!is_own(search, event, &name) || search->names[name].is_anothers)
        return search->is_fine;
    search->names[name].is_anothers = span_is_text(event->act, "person.another");
    /* Also what is not shown says whose the older ones are. */
    if (search->before != 0 && sequence >= search->before)
        return true;
    struct event_record shown = for_person(*event);
    return search->visit(search->context, sequence, &shown) && --search->limit != 0;
}

bool own_event_each(struct snapshot *snapshot, const char *name, uint64_t before, size_t limit,
                    own_event_visit *visit, void *context, struct error *error)
{
    struct search search = {
        .snapshot = snapshot,
        .name = name,
        .before = before,
        .limit = limit,
        .visit = visit,
        .context = context,
        .is_fine = true,
        .error = error,
    };
    struct person_record person;
    enum store_result result = snapshot_person(snapshot, name, &person, error);
    if (result != STORE_FOUND)
        return result == STORE_ABSENT;
    bool is_done = find_names(&search, person.date_created_us) &&
                   snapshot_each_event_before(snapshot, UINT64_MAX, take_event, &search, error) &&
                   search.is_fine;
    for (size_t i = 0; i < search.name_count; i++)
        free(search.names[i].name);
    free(search.names);
    return is_done;
}
