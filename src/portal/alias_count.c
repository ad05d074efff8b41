#include "portal/alias_count.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static void clear(struct alias_counts *counts)
{
    for (size_t i = 0; i < counts->count; i++)
        free(counts->domains[i].name);
    counts->count = 0;
    counts->openings = 0;
}

/* Rows of a domain come together. */
static struct alias_count *current(struct alias_counts *counts, const char *domain)
{
    if (counts->count != 0 && strcmp(counts->domains[counts->count - 1].name, domain) == 0)
        return &counts->domains[counts->count - 1];
    counts->domains =
        memory_grow(counts->domains, counts->count, &counts->capacity, sizeof(*counts->domains));
    struct alias_count *added = &counts->domains[counts->count++];
    *added = (struct alias_count){.name = memory_copy_text(domain)};
    return added;
}

static bool count_alias(void *context, const char *domain, const char *local,
                        const struct alias_record *record)
{
    struct alias_count *counted = current(context, domain);
    bool is_live = alias_record_is_live(record);
    (void)local;
    counted->live += is_live;
    if (record->kind != ALIAS_STATIC)
        counted->states[record->state]++;
    else
        counted->statics += is_live; /* neither a tombstone nor a reservation */
    return true;
}

bool alias_counts_take(struct alias_counts *counts, const struct cache *cache,
                       struct snapshot *snapshot, struct error *error)
{
    uint64_t openings = cache_openings(cache);
    uint64_t generation = snapshot_generation(snapshot);
    if (counts->openings == openings && counts->generation == generation)
        return true;
    clear(counts);
    if (!snapshot_each_alias(snapshot, NULL, count_alias, counts, error))
        return false;
    counts->openings = openings;
    counts->generation = generation;
    return true;
}

struct alias_count alias_counts_of(const struct alias_counts *counts, const char *domain)
{
    for (size_t i = 0; i < counts->count; i++)
        if (strcmp(counts->domains[i].name, domain) == 0)
            return counts->domains[i];
    return (struct alias_count){0};
}

void alias_counts_finish(struct alias_counts *counts)
{
    clear(counts);
    free(counts->domains);
    *counts = (struct alias_counts){0};
}
