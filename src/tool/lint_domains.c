/* How main.cf sees our domains, and what else forwarding needs. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "tool/lint.h"

/* relay_domains hold their subdomains, too (parent_domain_matches_subdomains). */
static bool holds_domain(const char *word, const char *domain, bool holds_subdomains)
{
    size_t length = strlen(word), whole = strlen(domain);
    if (strcasecmp(word, domain) == 0)
        return true;
    return holds_subdomains && whole > length && domain[whole - length - 1] == '.' &&
           strcasecmp(domain + whole - length, word) == 0;
}

static void check_class(struct lint *lint, const char *parameter, const char *effect)
{
    CLEANUP(words_finish) struct words words = {0};
    bool holds_subdomains = strcmp(parameter, "relay_domains") == 0;
    postfix_config_get_words(&lint->postfix, NULL, parameter, &words);
    for (size_t i = 0; i < lint->config->domain_count; i++) {
        const char *domain = lint->config->domains[i].name;
        for (size_t at = 0; at < words.count; at++) {
            if (!holds_domain(words.items[at], domain, holds_subdomains))
                continue;
            lint_find(lint, "%s is in %s: %s", domain, parameter, effect);
            lint_advise(lint,
                        "main.cf: take %s out of %s; a domain stands in one class only, ours in "
                        "virtual_alias_domains",
                        words.items[at], parameter);
            break;
        }
    }
}

void lint_domain_class(struct lint *lint)
{
    check_class(lint, "mydestination",
                "mail to a name that lpalias does not know is looked for among local users");
    check_class(lint, "relay_domains",
                "mail to a name that lpalias does not know is accepted and relayed on");
    check_class(lint, "virtual_mailbox_domains",
                "mail to a name that lpalias does not know is looked for among mailboxes");
}

void lint_domain_list(struct lint *lint)
{
    CLEANUP(words_finish) struct words words = {0};
    if (!postfix_config_is_set(&lint->postfix, "virtual_alias_domains")) {
        lint_find(lint, "virtual_alias_domains is not set, so Postfix takes $virtual_alias_maps: "
                        "lpaliasd is asked about every domain of all mail, and all of it waits "
                        "when lpaliasd is down");
        lint_advise(lint, "main.cf: list our domains in virtual_alias_domains");
        return;
    }
    postfix_config_get_words(&lint->postfix, NULL, "virtual_alias_domains", &words);
    for (size_t i = 0; i < lint->config->domain_count; i++) {
        const char *domain = lint->config->domains[i].name;
        if (words_find(&words, domain) != words.count)
            continue;
        if (lint_asks_us(lint, NULL, "virtual_alias_domains"))
            lint_find(lint,
                      "%s is not listed in virtual_alias_domains, but asked of lpaliasd: as is "
                      "every domain of all mail",
                      domain);
        else
            lint_find(lint,
                      "%s is not listed in virtual_alias_domains, so Postfix does not take mail "
                      "for it as ours",
                      domain);
        lint_advise(lint,
                    "main.cf: add %s to virtual_alias_domains, once lpalias domain open has "
                    "opened it",
                    domain);
    }
}

static bool holds_all(const char *marks, const char *wanted)
{
    return strspn(wanted, marks) == strlen(wanted);
}

void lint_delimiter(struct lint *lint)
{
    const char *ours = lint->config->server.recipient_delimiter;
    CLEANUP(memory_free_at)
    char *theirs = postfix_config_get(&lint->postfix, NULL, "recipient_delimiter");
    if (holds_all(ours, theirs) && holds_all(theirs, ours))
        return;
    lint_find(lint,
              "recipient_delimiter is \"%s\" in main.cf and \"%s\" in lpalias.conf: one of them "
              "takes an extension for a part of the name",
              theirs, ours);
    lint_advise(lint, "main.cf: recipient_delimiter = %s", ours);
}

/* ---- rewriting of senders ---- */

static bool names_srs(const struct lint *lint, const struct postfix_service *service,
                      const char *parameter)
{
    CLEANUP(memory_free_at) char *value = postfix_config_get(&lint->postfix, service, parameter);
    return strcasestr(value, "srs") != NULL;
}

/* PostSRSd 1 is asked by tcp:, PostSRSd 2 by socketmap: or as a milter. */
static bool rewrites_senders(const struct lint *lint)
{
    CLEANUP(map_references_finish) struct map_references references = {0};
    lint_get_references(lint, NULL, "sender_canonical_maps", &references);
    for (size_t i = 0; i < references.count; i++)
        if (references.items[i].unix_path != NULL || references.items[i].host != NULL)
            return true;
    if (names_srs(lint, NULL, "sender_canonical_maps") || names_srs(lint, NULL, "smtpd_milters"))
        return true;
    for (size_t i = 0; i < lint->postfix.service_count; i++)
        if (names_srs(lint, &lint->postfix.services[i], "sender_canonical_maps") ||
            names_srs(lint, &lint->postfix.services[i], "smtpd_milters"))
            return true;
    return false;
}

void lint_srs(struct lint *lint)
{
    if (rewrites_senders(lint))
        return;
    lint_find(lint, "nothing rewrites the envelope senders of forwarded mail (SRS), so it fails "
                    "SPF at the targets and part of it is refused there");
    lint_advise(lint, "set up postsrsd: sender_canonical_maps and "
                      "sender_canonical_classes = envelope_sender, or its milter");
}
