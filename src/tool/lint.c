#include "tool/lint.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"

const struct lint_check lint_checks[] = {
    {"map-missing", lint_map_missing},
    {"map-type", lint_map_type},
    {"map-protocol", lint_map_protocol},
    {"map-order", lint_map_order},
    {"map-proxy", lint_map_proxy},
    {"access-order", lint_access_order},
    {"socket-chroot", lint_socket_chroot},
    {"socket-rights", lint_socket_rights},
    {"domain-class", lint_domain_class},
    {"domain-list", lint_domain_list},
    {"delimiter", lint_delimiter},
    {"sender-login", lint_sender_login},
    {"unlisted-sender", lint_unlisted_sender},
    {"srs", lint_srs},
};
const size_t lint_check_count = ARRAY_LENGTH(lint_checks);

const char *const lint_restriction_lists[] = {
    "smtpd_client_restrictions",      "smtpd_helo_restrictions",      "smtpd_sender_restrictions",
    "smtpd_relay_restrictions",       "smtpd_recipient_restrictions", "smtpd_data_restrictions",
    "smtpd_end_of_data_restrictions",
};
const size_t lint_restriction_list_count = ARRAY_LENGTH(lint_restriction_lists);

static char *format_text(const char *format, va_list args)
{
    char *text;
    if (vasprintf(&text, format, args) < 0)
        abort();
    return text;
}

void lint_find(struct lint *lint, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    lint->findings = memory_grow(lint->findings, lint->finding_count, &lint->finding_capacity,
                                 sizeof(*lint->findings));
    lint->findings[lint->finding_count++] =
        (struct lint_finding){.check = lint->check, .found = format_text(format, args)};
    va_end(args);
}

void lint_advise(struct lint *lint, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    lint->findings[lint->finding_count - 1].change = format_text(format, args);
    va_end(args);
}

void lint_get_references(const struct lint *lint, const struct postfix_service *service,
                         const char *parameter, struct map_references *ret)
{
    CLEANUP(words_finish) struct words words = {0};
    *ret = (struct map_references){0};
    postfix_config_get_words(&lint->postfix, service, parameter, &words);
    for (size_t i = 0; i < words.count; i++) {
        struct map_reference reference;
        if (!map_reference_parse(words.items[i], &reference)) {
            map_reference_finish(&reference);
            continue;
        }
        ret->items = memory_grow(ret->items, ret->count, &ret->capacity, sizeof(*ret->items));
        ret->items[ret->count++] = reference;
    }
}

void map_references_finish(struct map_references *references)
{
    for (size_t i = 0; i < references->count; i++)
        map_reference_finish(&references->items[i]);
    free(references->items);
    *references = (struct map_references){0};
}

const struct config_listener *lint_find_listener(const struct lint *lint,
                                                 const struct map_reference *reference)
{
    const struct config_server *server = &lint->config->server;
    for (size_t i = 0; i < server->listener_count; i++)
        if (map_reference_leads_to(reference, &server->listeners[i], lint->queue_directory))
            return &server->listeners[i];
    return NULL;
}

bool lint_asks_us(const struct lint *lint, const struct postfix_service *service,
                  const char *parameter)
{
    CLEANUP(map_references_finish) struct map_references references = {0};
    lint_get_references(lint, service, parameter, &references);
    for (size_t i = 0; i < references.count; i++)
        if (lint_find_listener(lint, &references.items[i]) != NULL)
            return true;
    return false;
}

static const struct config_listener *best_listener(const struct lint *lint)
{
    const struct config_server *server = &lint->config->server;
    const struct config_listener *best = NULL;
    for (size_t i = 0; i < server->listener_count; i++) {
        const struct config_listener *listener = &server->listeners[i];
        if (listener->unix_path != NULL)
            return listener;
        if (best == NULL || best->protocol == CONFIG_TCP_TABLE)
            best = listener;
    }
    return best;
}

void lint_append_reference(const struct lint *lint, const char *map, struct buffer *out)
{
    const struct config_listener *listener = best_listener(lint);
    size_t length = strlen(lint->queue_directory);
    if (listener == NULL) {
        buffer_appendf(out, "socketmap:unix:lpalias/lookup:%s", map);
    } else if (listener->unix_path != NULL) {
        bool is_inside = strncmp(listener->unix_path, lint->queue_directory, length) == 0 &&
                         listener->unix_path[length] == '/';
        buffer_appendf(out, "%ssocketmap:unix:%s:%s", is_inside ? "" : "proxy:",
                       listener->unix_path + (is_inside ? length + 1 : 0), map);
    } else if (listener->protocol == CONFIG_SOCKETMAP) {
        buffer_appendf(out, "socketmap:%s:%s", listener->text, map);
    } else {
        buffer_appendf(out, "tcp:%s", listener->text + strlen("inet:"));
    }
}

void lint_each_smtpd(struct lint *lint, lint_service_visit *visit)
{
    const struct postfix_config *postfix = &lint->postfix;
    for (size_t i = 0; i < postfix->service_count; i++)
        if (strcmp(postfix->services[i].command, "smtpd") == 0)
            visit(lint, &postfix->services[i]);
    if (postfix->service_count == 0)
        visit(lint, NULL);
}

const char *lint_service_name(const struct postfix_service *service, char text[64])
{
    if (service == NULL)
        snprintf(text, 64, "main.cf");
    else
        snprintf(text, 64, "%.40s/%.20s", service->name, service->type);
    return text;
}

void lint_finish(struct lint *lint)
{
    for (size_t i = 0; i < lint->finding_count; i++) {
        free(lint->findings[i].found);
        free(lint->findings[i].change);
    }
    free(lint->findings);
    free(lint->queue_directory);
    words_finish(&lint->table_types);
    postfix_config_finish(&lint->postfix);
    *lint = (struct lint){0};
}
