#include "tool/domain_census.h"

static bool count_alias(void *context, const char *domain, const char *local,
                        const struct alias_record *record)
{
    struct domain_census *census = context;
    (void)domain;
    (void)local;
    census->total++;
    if (record->kind != ALIAS_STATIC)
        census->states[record->state]++;
    else if (alias_record_is_live(record)) /* neither a tombstone nor a reservation */
        census->statics++;
    return true;
}

bool domain_census_take(struct snapshot *snapshot, const char *domain, struct domain_census *ret,
                        struct error *error)
{
    *ret = (struct domain_census){0};
    return snapshot_each_alias(snapshot, domain, count_alias, ret, error);
}
