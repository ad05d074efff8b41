#include "tool/proof_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "domaincheck/domaincheck.h"

struct proof_check proof_check_begin(const struct config *config)
{
    return (struct proof_check){
        .answers = memory_new(config->domain_count, sizeof(struct domaincheck_answer)),
    };
}

void proof_check_add(struct proof_check *check, const struct config *config, const char *domain)
{
    const struct config_domain *found = config_find_domain(config, domain);
    if (found == NULL || found->proof == NULL)
        return;
    for (size_t i = 0; i < check->count; i++)
        if (strcmp(check->answers[i].domain, found->name) == 0)
            return;
    check->answers[check->count++] = (struct domaincheck_answer){
        .domain = found->name,
        .wanted = found->proof,
    };
}

void proof_check_ask(struct proof_check *check, const struct config *config, bool is_quiet)
{
    const struct domaincheck_settings settings = {
        .servers = (const char *const *)config->dns.servers.items,
        .server_count = config->dns.servers.count,
        .trust_anchors = config->dns.trust_anchors,
        .timeout_ms = config->dns.timeout_ms,
    };
    bool is_shown = check->count != 0 && !is_quiet && isatty(STDERR_FILENO);
    if (is_shown)
        fprintf(stderr, "\r\033[Kasking the DNS about %zu domains", check->count);
    domaincheck_ask(&settings, check->answers, check->count);
    if (is_shown)
        fputs("\r\033[K", stderr);
}

void proof_check_finish(struct proof_check *check)
{
    free(check->answers);
    *check = (struct proof_check){0};
}
