#include "membership/target_check.h"

#include <string.h>

static const char *domain_of(const char *address)
{
    return strrchr(address, '@') + 1;
}

bool target_check_is_configured(const struct house *house, const char *address)
{
    return house_find(house, domain_of(address)) != NULL;
}

bool target_check_is_served(struct snapshot *snapshot, const char *address, bool *ret,
                            struct error *error)
{
    struct domain_record domain;
    enum store_result result = snapshot_domain(snapshot, domain_of(address), &domain, error);
    *ret = result == STORE_FOUND;
    return result != STORE_TROUBLE;
}
