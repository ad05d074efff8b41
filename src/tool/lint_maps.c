/* How main.cf names our maps. */
#include <stdlib.h>
#include <string.h>

#include "address/address.h"
#include "base/buffer.h"
#include "base/memory.h"
#include "tool/lint.h"
#include "tool/program_output.h"

/* A parameter that may name a map of ours, which one, and who asks it. */
struct map_user {
    const char *parameter;
    const char *map;
    const char *daemons[4]; /* NULL-terminated */
};

static const struct map_user map_users[] = {
    {"virtual_alias_maps", "alias", {"smtpd", "cleanup"}},
    {"virtual_alias_domains", "domain", {"trivial-rewrite", "smtpd", "cleanup"}},
    {"relay_recipient_maps", "recipient", {"smtpd"}},
    {"smtpd_sender_login_maps", "sender", {"smtpd"}},
    {"smtpd_sender_restrictions", "access", {"smtpd"}},
    {"smtpd_relay_restrictions", "access", {"smtpd"}},
    {"smtpd_recipient_restrictions", "access", {"smtpd"}},
};

/* Calls visit for each table that is asked of lpaliasd, as main.cf names it. */
typedef void our_map_visit(struct lint *lint, const struct map_user *user,
                           const struct map_reference *reference,
                           const struct config_listener *listener);

static void each_of_ours(struct lint *lint, our_map_visit *visit)
{
    for (size_t i = 0; i < ARRAY_LENGTH(map_users); i++) {
        CLEANUP(map_references_finish) struct map_references references = {0};
        /* Its default is $virtual_alias_maps, whose maps are visited already. */
        if (strcmp(map_users[i].parameter, "virtual_alias_domains") == 0 &&
            !postfix_config_is_set(&lint->postfix, "virtual_alias_domains"))
            continue;
        lint_get_references(lint, NULL, map_users[i].parameter, &references);
        for (size_t at = 0; at < references.count; at++) {
            const struct config_listener *listener =
                lint_find_listener(lint, &references.items[at]);
            if (listener != NULL)
                visit(lint, &map_users[i], &references.items[at], listener);
        }
    }
}

void lint_map_missing(struct lint *lint)
{
    CLEANUP(map_references_finish) struct map_references references = {0};
    CLEANUP(buffer_finish) struct buffer wanted = {0};
    if (lint_asks_us(lint, NULL, "virtual_alias_maps"))
        return;
    lint_get_references(lint, NULL, "virtual_alias_maps", &references);
    const char *stranger = NULL;
    for (size_t i = 0; i < references.count; i++)
        if (references.items[i].unix_path != NULL || references.items[i].host != NULL)
            stranger = references.items[i].text;
    if (stranger != NULL)
        lint_find(lint,
                  "virtual_alias_maps asks %s, but lpalias.conf has no listener there, and none of "
                  "its own listeners is asked",
                  stranger);
    else
        lint_find(lint, "virtual_alias_maps does not ask lpaliasd, so Postfix knows no alias of "
                        "ours");
    lint_append_reference(lint, "alias", &wanted);
    lint_advise(lint, "main.cf: virtual_alias_maps = %s", buffer_text(&wanted));
}

static void check_type(struct lint *lint, const struct map_user *user,
                       const struct map_reference *reference,
                       const struct config_listener *listener)
{
    (void)listener;
    if (words_find(&lint->table_types, reference->type) != lint->table_types.count)
        return;
    lint_find(lint, "%s asks %s, but this Postfix has no table type \"%s\" (postconf -m)",
              user->parameter, reference->text, reference->type);
    if (strcmp(reference->type, "socketmap") == 0)
        lint_advise(lint, "take tcp: and a tcp-table listener, or a Postfix with socketmap");
    else
        lint_advise(lint, "take socketmap: and a socketmap listener");
}

void lint_map_type(struct lint *lint)
{
    if (lint->table_types.count != 0)
        each_of_ours(lint, check_type);
}

static const char *map_of(const struct map_reference *reference,
                          const struct config_listener *listener)
{
    return listener->protocol == CONFIG_TCP_TABLE ? listener->map : reference->map;
}

static void check_protocol(struct lint *lint, const struct map_user *user,
                           const struct map_reference *reference,
                           const struct config_listener *listener)
{
    bool is_socketmap = strcmp(reference->type, "socketmap") == 0;
    CLEANUP(buffer_finish) struct buffer wanted = {0};
    lint_append_reference(lint, user->map, &wanted);
    if (is_socketmap != (listener->protocol == CONFIG_SOCKETMAP)) {
        lint_find(lint,
                  "%s asks %s, but %s in lpalias.conf speaks %s: each question fails with 451",
                  user->parameter, reference->text, listener->text,
                  is_socketmap ? "tcp_table" : "socketmap");
        lint_advise(lint, "main.cf: %s, or another listener", buffer_text(&wanted));
    } else if (map_of(reference, listener) != NULL &&
               strcmp(map_of(reference, listener), user->map) != 0) {
        lint_find(lint, "%s asks the map \"%s\" (%s), and should ask \"%s\"", user->parameter,
                  map_of(reference, listener), reference->text, user->map);
        lint_advise(lint, "main.cf: %s", buffer_text(&wanted));
    }
}

void lint_map_protocol(struct lint *lint)
{
    each_of_ours(lint, check_protocol);
}

/* ---- tables that are asked before ours ---- */

static bool is_key_of_ours(const struct lint *lint, const char *key, size_t length)
{
    const char *at = length != 0 ? memrchr(key, '@', length) : NULL;
    char domain[ADDRESS_DOMAIN_MAX_BYTES + 1];
    const char *begin = at != NULL ? at + 1 : key;
    /* A bare domain only declares it, and a bare name is of $myorigin. */
    return at != NULL && address_domain_to_alabel(begin, length - (size_t)(begin - key), domain) &&
           config_find_domain(lint->config, domain) != NULL;
}

/* How many keys of our domains the table has; false: it cannot be told. */
static bool count_our_keys(const struct lint *lint, const struct map_reference *reference,
                           size_t *ret_count)
{
    struct error ignored;
    CLEANUP(buffer_finish) struct buffer dump = {0};
    bool has_directory = lint->config_directory != NULL;
    const char *const words[] = {"postmap",
                                 has_directory ? "-c" : "-s",
                                 has_directory ? lint->config_directory : reference->text,
                                 has_directory ? "-s" : NULL,
                                 reference->text,
                                 NULL};
    *ret_count = 0;
    if (!lint->may_ask || !program_output_read(words, &dump, &ignored))
        return false;
    for (const char *line = buffer_text(&dump); *line != '\0';) {
        size_t length = strcspn(line, "\n");
        *ret_count += is_key_of_ours(lint, line, strcspn(line, "\t\n"));
        line += length + (line[length] == '\n');
    }
    return true;
}

static void check_before_ours(struct lint *lint, const struct map_reference *reference,
                              const char *ours)
{
    size_t count;
    bool is_told = count_our_keys(lint, reference, &count);
    if (is_told && count == 0)
        return;
    if (is_told)
        lint_find(lint,
                  "%s stands before %s in virtual_alias_maps and answers for %zu key(s) of our "
                  "domains, so lpalias is not asked about them",
                  reference->text, ours, count);
    else
        lint_find(lint,
                  "%s stands before %s in virtual_alias_maps, and what it says of our domains "
                  "hides what lpalias says; it cannot be listed here",
                  reference->text, ours);
    lint_advise(lint,
                "put %s first, or take our domains out of %s (lpalias import takes them "
                "over)",
                ours, reference->text);
}

void lint_map_order(struct lint *lint)
{
    CLEANUP(map_references_finish) struct map_references references = {0};
    lint_get_references(lint, NULL, "virtual_alias_maps", &references);
    size_t ours = 0;
    while (ours < references.count && lint_find_listener(lint, &references.items[ours]) == NULL)
        ours++;
    for (size_t i = 0; ours < references.count && i < ours; i++)
        check_before_ours(lint, &references.items[i], references.items[ours].text);
}

static void check_proxy(struct lint *lint, const struct map_user *user,
                        const struct map_reference *reference,
                        const struct config_listener *listener)
{
    CLEANUP(words_finish) struct words allowed = {0};
    (void)listener;
    if (!reference->is_proxied || !postfix_config_is_set(&lint->postfix, "proxy_read_maps"))
        return;
    postfix_config_get_words(&lint->postfix, NULL, "proxy_read_maps", &allowed);
    if (words_find(&allowed, reference->text) != allowed.count)
        return;
    lint_find(lint, "%s asks %s, which proxy_read_maps does not allow: each question fails",
              user->parameter, reference->text);
    lint_advise(lint, "main.cf: add $%s to proxy_read_maps", user->parameter);
}

void lint_map_proxy(struct lint *lint)
{
    each_of_ours(lint, check_proxy);
}

/* ---- the access map ---- */

static void check_access_list(struct lint *lint, const struct postfix_service *service,
                              const char *list)
{
    CLEANUP(words_finish) struct words words = {0};
    const char *permit = NULL;
    char name[64];
    postfix_config_get_words(&lint->postfix, service, list, &words);
    for (size_t i = 0; i < words.count; i++) {
        CLEANUP(map_reference_finish) struct map_reference reference = {0};
        bool is_ours = map_reference_parse(words.items[i], &reference) &&
                       lint_find_listener(lint, &reference) != NULL;
        if (strncmp(words.items[i], "permit", strlen("permit")) == 0)
            permit = words.items[i];
        if (!is_ours || permit == NULL)
            continue;
        lint_find(lint,
                  "%s: %s asks %s behind %s, so whom that lets in is never told why an address "
                  "is dead",
                  lint_service_name(service, name), list, reference.text, permit);
        lint_advise(lint, "put check_recipient_access %s before %s", reference.text, permit);
    }
}

static void check_access_order(struct lint *lint, const struct postfix_service *service)
{
    check_access_list(lint, service, "smtpd_relay_restrictions");
    check_access_list(lint, service, "smtpd_recipient_restrictions");
}

void lint_access_order(struct lint *lint)
{
    lint_each_smtpd(lint, check_access_order);
}

/* ---- the socket as the daemons see it ---- */

static void append_daemons(const struct lint *lint, const struct map_user *user, bool is_chrooted,
                           struct buffer *out)
{
    for (size_t i = 0; i < ARRAY_LENGTH(user->daemons) && user->daemons[i] != NULL; i++)
        if (postfix_config_has_service(&lint->postfix, user->daemons[i], is_chrooted))
            buffer_appendf(out, "%s%s", out->length == 0 ? "" : ", ", user->daemons[i]);
}

static void advise_path(struct lint *lint, const struct map_user *user,
                        const struct config_listener *listener)
{
    CLEANUP(buffer_finish) struct buffer wanted = {0};
    size_t length = strlen(lint->queue_directory);
    bool is_inside = strncmp(listener->unix_path, lint->queue_directory, length) == 0 &&
                     listener->unix_path[length] == '/';
    lint_append_reference(lint, user->map, &wanted);
    if (is_inside)
        lint_advise(lint, "main.cf: %s, which is right inside and outside of the chroot",
                    buffer_text(&wanted));
    else
        lint_advise(lint,
                    "lpalias.conf: a socketmap listener below %s, named by its path relative to "
                    "that; or main.cf: %s",
                    lint->queue_directory, buffer_text(&wanted));
}

static void check_chroot(struct lint *lint, const struct map_user *user,
                         const struct map_reference *reference,
                         const struct config_listener *listener)
{
    static const struct map_user proxy = {"proxy_read_maps", "alias", {"proxymap"}};
    const struct map_user *asking = reference->is_proxied ? &proxy : user;
    CLEANUP(buffer_finish) struct buffer daemons = {0};
    if (reference->unix_path == NULL || reference->unix_path[0] != '/')
        return;
    bool is_of_chroot = strcmp(reference->unix_path, listener->unix_path) != 0;
    append_daemons(lint, asking, !is_of_chroot, &daemons);
    if (daemons.length == 0)
        return;
    if (is_of_chroot)
        lint_find(lint,
                  "%s asks %s, a path that is right in the chroot %s only, and these run "
                  "outside of it: %s",
                  user->parameter, reference->text, lint->queue_directory, buffer_text(&daemons));
    else
        lint_find(lint, "%s asks %s, a path that these look for below %s, as they run chrooted: %s",
                  user->parameter, reference->text, lint->queue_directory, buffer_text(&daemons));
    advise_path(lint, user, listener);
}

void lint_socket_chroot(struct lint *lint)
{
    each_of_ours(lint, check_chroot);
}
