#include "portal/census.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static void clear(struct census *census)
{
    for (size_t i = 0; i < census->count; i++)
        free(census->domains[i].name);
    census->count = 0;
    census->openings = 0;
}

/* Rows of a domain come together. */
static struct census_domain *current(struct census *census, const char *domain)
{
    if (census->count != 0 && strcmp(census->domains[census->count - 1].name, domain) == 0)
        return &census->domains[census->count - 1];
    census->domains =
        memory_grow(census->domains, census->count, &census->capacity, sizeof(*census->domains));
    struct census_domain *added = &census->domains[census->count++];
    *added = (struct census_domain){.name = memory_copy_text(domain)};
    return added;
}

static bool count_alias(void *context, const char *domain, const char *local,
                        const struct alias_record *record)
{
    struct census_domain *counted = current(context, domain);
    bool is_live = alias_record_is_live(record);
    (void)local;
    counted->live += is_live;
    if (record->kind != ALIAS_STATIC)
        counted->states[record->state]++;
    else
        counted->statics += is_live; /* neither a tombstone nor a reservation */
    return true;
}

bool census_take(struct census *census, const struct cache *cache, struct snapshot *snapshot,
                 struct error *error)
{
    uint64_t openings = cache_openings(cache);
    uint64_t generation = snapshot_generation(snapshot);
    if (census->openings == openings && census->generation == generation)
        return true;
    clear(census);
    if (!snapshot_each_alias(snapshot, NULL, count_alias, census, error))
        return false;
    census->openings = openings;
    census->generation = generation;
    return true;
}

struct census_domain census_of(const struct census *census, const char *domain)
{
    for (size_t i = 0; i < census->count; i++)
        if (strcmp(census->domains[i].name, domain) == 0)
            return census->domains[i];
    return (struct census_domain){0};
}

void census_finish(struct census *census)
{
    clear(census);
    free(census->domains);
    *census = (struct census){0};
}
