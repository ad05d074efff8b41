#include "tool/domain_standing.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static struct domain_standing *add(struct domain_standings *standings, const char *name)
{
    standings->items = memory_grow(standings->items, standings->count, &standings->capacity,
                                   sizeof(*standings->items));
    struct domain_standing *standing = &standings->items[standings->count++];
    *standing = (struct domain_standing){.name = memory_copy_text(name)};
    return standing;
}

static struct domain_standing *find(struct domain_standings *standings, const char *name)
{
    for (size_t i = 0; i < standings->count; i++)
        if (strcmp(standings->items[i].name, name) == 0)
            return &standings->items[i];
    return NULL;
}

static bool add_row(void *context, const char *domain, const struct domain_record *row)
{
    struct domain_standing *standing = find(context, domain);
    if (standing == NULL)
        standing = add(context, domain);
    if (standing->team == NULL)
        standing->team = memory_copy_bytes(row->team.data, row->team.length);
    standing->is_cached = true;
    standing->is_open = row->is_open;
    standing->is_filled = row->filled_s != 0;
    standing->proof = row->proof;
    standing->proof_since_s = row->proof_since_s;
    return true;
}

bool domain_standings_read(const struct config *config, struct snapshot *snapshot,
                           struct domain_standings *ret, struct error *error)
{
    for (size_t i = 0; i < config->domain_count; i++) {
        struct domain_standing *standing = add(ret, config->domains[i].name);
        standing->team = memory_copy_text(config->domains[i].team);
        standing->is_configured = true;
        standing->wants_proof = config->domains[i].proof != NULL;
    }
    return snapshot_each_domain(snapshot, add_row, ret, error);
}

void domain_standings_drop(struct domain_standings *standings, size_t index)
{
    free(standings->items[index].name);
    free(standings->items[index].team);
    standings->count--;
    for (size_t i = index; i < standings->count; i++)
        standings->items[i] = standings->items[i + 1];
}

void domain_standings_finish(struct domain_standings *standings)
{
    while (standings->count != 0)
        domain_standings_drop(standings, standings->count - 1);
    free(standings->items);
    *standings = (struct domain_standings){0};
}

const char *domain_standing_name(const struct domain_standing *standing)
{
    if (!standing->is_configured)
        return "not configured";
    if (!standing->is_cached || (!standing->is_filled && !standing->is_open))
        return "not filled";
    return standing->is_open ? "open" : "closed";
}

const char *domain_standing_proof(const struct domain_standing *standing)
{
    return standing->wants_proof ? proof_state_name(standing->proof) : "";
}
