/*
 * What the house rules take from the configuration: the domains that are ours and how each is
 * kept. Made by setup/house_settings.h; borrowed by everything below.
 */
#ifndef LPALIAS_MEMBERSHIP_HOUSE_H
#define LPALIAS_MEMBERSHIP_HOUSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct house_domain {
    const char *name; /* A-label */
    const char *team; /* Launchpad name without "~" */
    int64_t grace_s;
    bool rejects_in_grace;           /* a leaving name is answered 550 instead of being delivered */
    bool wants_proof;                /* filled only once its TXT record has been seen */
    const char *catch_all;           /* target, or NULL */
    const char *const *roles;        /* configured, beyond RFC 2142 or with targets of their own */
    const char *const *role_targets; /* of each of them, one a line */
    size_t role_count;
    const char *const *reserved; /* beyond the shipped list (address/reserved.h) */
    size_t reserved_count;
    const char *const *admins; /* Launchpad names; more may come from admin_team */
    size_t admin_count;
    const char *admin_team; /* or NULL */
};

struct house {
    const struct house_domain *domains;
    size_t domain_count;
    const char *recipient_delimiter; /* "" for none */
    unsigned max_removals_percent;
    unsigned max_additions_percent;
};

/* The domain of that A-label, or NULL. */
const struct house_domain *house_find(const struct house *house, const char *domain);

/* True if the local part is a role of that domain: RFC 2142, or configured there. */
bool house_is_role(const struct house_domain *domain, const char *local) MUST_CHECK;

/* True if the Launchpad name is in the list of admins of that domain, which may be NULL. */
bool house_lists_admin(const struct house_domain *domain, const char *name) MUST_CHECK;

/* True if the local part stands in the shipped list or in that of the domain. */
bool house_is_reserved(const struct house_domain *domain, const char *local) MUST_CHECK;

#endif
