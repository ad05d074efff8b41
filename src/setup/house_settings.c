#include "setup/house_settings.h"

#include <stdlib.h>

#include "base/buffer.h"
#include "base/memory.h"

static const char *const *make_role_names(const struct config_domain *domain)
{
    const char **names = memory_new(domain->role_count, sizeof(*names));
    for (size_t i = 0; i < domain->role_count; i++)
        names[i] = domain->roles[i].name;
    return names;
}

static const char *const *make_role_targets(const struct config_domain *domain)
{
    const char **targets = memory_new(domain->role_count, sizeof(*targets));
    for (size_t i = 0; i < domain->role_count; i++) {
        struct buffer lines = {0};
        for (size_t line = 0; line < domain->roles[i].targets.count; line++)
            buffer_appendf(&lines, "%s%s", line == 0 ? "" : "\n",
                           domain->roles[i].targets.items[line]);
        targets[i] = buffer_text(&lines); /* handed over */
    }
    return targets;
}

static void free_role_targets(const struct house_domain *domain)
{
    for (size_t i = 0; i < domain->role_count; i++)
        free((char *)domain->role_targets[i]);
    free((void *)domain->role_targets);
}

struct house *house_create_from_config(const struct config *config)
{
    struct house_domain *domains = memory_new(config->domain_count, sizeof(*domains));
    for (size_t i = 0; i < config->domain_count; i++) {
        const struct config_domain *domain = &config->domains[i];
        domains[i] = (struct house_domain){
            .name = domain->name,
            .team = domain->team,
            .grace_s = domain->grace_ms / 1000,
            .rejects_in_grace = domain->rejects_in_grace,
            .wants_proof = domain->proof != NULL,
            .catch_all = domain->catch_all,
            .roles = make_role_names(domain),
            .role_targets = make_role_targets(domain),
            .role_count = domain->role_count,
            .reserved = (const char *const *)domain->reserved.items,
            .reserved_count = domain->reserved.count,
            .admins = (const char *const *)domain->admins.items,
            .admin_count = domain->admins.count,
            .admin_team = domain->admin_team,
        };
    }
    struct house *house = memory_new(1, sizeof(*house));
    *house = (struct house){
        .domains = domains,
        .domain_count = config->domain_count,
        .recipient_delimiter = config->server.recipient_delimiter,
        .max_removals_percent = config->refresh.max_removals_percent,
        .max_additions_percent = config->refresh.max_additions_percent,
    };
    return house;
}

void house_destroy(struct house *house)
{
    if (house == NULL)
        return;
    for (size_t i = 0; i < house->domain_count; i++) {
        free_role_targets(&house->domains[i]);
        free((void *)house->domains[i].roles);
    }
    free((void *)house->domains);
    free(house);
}
