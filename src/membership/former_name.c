#include "membership/former_name.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* A row of the account that says it goes by another name. */
struct link {
    char *from, *to;
};

struct search {
    const char *name;
    int64_t date_created_us;
    struct link *links;
    size_t count, capacity;
};

static bool add_link(void *context, const char *name, const struct person_record *person)
{
    struct search *search = context;
    if (person->date_created_us != search->date_created_us || person->renamed_to.length == 0 ||
        person->login_identifier.length != 0 || strcmp(name, search->name) == 0)
        return true;
    search->links =
        memory_grow(search->links, search->count, &search->capacity, sizeof(*search->links));
    search->links[search->count++] =
        (struct link){memory_copy_text(name),
                      memory_copy_bytes(person->renamed_to.data, person->renamed_to.length)};
    return true;
}

/* Those that lead straight to that name, each once, so that a circle ends. */
static void take_links_to(struct search *search, const char *name, struct former_name_list *list)
{
    for (size_t i = 0; i < search->count; i++)
        if (search->links[i].from != NULL && strcmp(search->links[i].to, name) == 0) {
            list->names[list->count++] = search->links[i].from;
            search->links[i].from = NULL;
        }
}

bool former_name_find(struct snapshot *snapshot, const char *name, int64_t date_created_us,
                      struct former_name_list *ret, struct error *error)
{
    struct search search = {.name = name, .date_created_us = date_created_us};
    *ret = (struct former_name_list){0};
    bool is_read = snapshot_each_person(snapshot, add_link, &search, error);
    if (is_read && search.count != 0) {
        ret->names = memory_new(search.count, sizeof(*ret->names));
        take_links_to(&search, name, ret);
        for (size_t i = 0; i < ret->count; i++)
            take_links_to(&search, ret->names[i], ret);
    }
    for (size_t i = 0; i < search.count; i++) {
        free(search.links[i].from);
        free(search.links[i].to);
    }
    free(search.links);
    return is_read;
}

void former_name_list_finish(struct former_name_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->names[i]);
    free(list->names);
    *list = (struct former_name_list){0};
}
