#include "setup/lookup_settings.h"

#include <stdlib.h>

#include "base/buffer.h"
#include "base/memory.h"

/* One a line; caller frees. */
static char *join_targets(const struct config_role *role)
{
    struct buffer lines = {0};
    for (size_t i = 0; i < role->targets.count; i++) {
        buffer_append_text(&lines, i == 0 ? "" : "\n");
        buffer_append_text(&lines, role->targets.items[i]);
    }
    buffer_text(&lines);
    return lines.data;
}

/* The names are borrowed from domain, the targets and the array are made: see free_roles. */
static struct lookup_role *make_roles(const struct config_domain *domain)
{
    struct lookup_role *roles = memory_new(domain->role_count, sizeof(*roles));
    for (size_t i = 0; i < domain->role_count; i++)
        roles[i] = (struct lookup_role){domain->roles[i].name, join_targets(&domain->roles[i])};
    return roles;
}

static void free_roles(const struct lookup_role *roles, size_t role_count)
{
    for (size_t i = 0; i < role_count; i++)
        free((char *)roles[i].targets);
    free((struct lookup_role *)roles);
}

struct lookup *lookup_create_from_config(const struct config *config, struct store_reader *reader)
{
    struct lookup_domain *domains = memory_new(config->domain_count, sizeof(*domains));
    for (size_t i = 0; i < config->domain_count; i++) {
        const struct config_domain *domain = &config->domains[i];
        domains[i] = (struct lookup_domain){domain->name, domain->catch_all, make_roles(domain),
                                            domain->role_count};
    }
    struct lookup_settings settings = {
        .domains = domains,
        .domain_count = config->domain_count,
        .role_default_target = config->alerts,
        .recipient_delimiter = config->server.recipient_delimiter,
    };
    struct lookup *lookup = lookup_create(&settings, reader);
    for (size_t i = 0; i < config->domain_count; i++)
        free_roles(domains[i].roles, domains[i].role_count);
    free(domains);
    return lookup;
}
