#include "membership/house.h"

#include <string.h>

#include "address/reserved.h"
#include "address/role.h"

const struct house_domain *house_find(const struct house *house, const char *domain)
{
    for (size_t i = 0; i < house->domain_count; i++)
        if (strcmp(house->domains[i].name, domain) == 0)
            return &house->domains[i];
    return NULL;
}

static bool has(const char *const *names, size_t count, const char *wanted)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], wanted) == 0)
            return true;
    return false;
}

bool house_is_role(const struct house_domain *domain, const char *local)
{
    return address_is_role(local, strlen(local)) ||
           (domain != NULL && has(domain->roles, domain->role_count, local));
}

bool house_is_reserved(const struct house_domain *domain, const char *local)
{
    return address_is_reserved(local, strlen(local)) ||
           (domain != NULL && has(domain->reserved, domain->reserved_count, local));
}

bool house_lists_admin(const struct house_domain *domain, const char *name)
{
    return domain != NULL && has(domain->admins, domain->admin_count, name);
}
