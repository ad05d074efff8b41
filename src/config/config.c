#include "config/config.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "config/build.h"
#include "config/listener.h"
#include "config/scan.h"

/* Ten thousand domains fit; somebody's disk image does not. */
#define FILE_MAX_BYTES (1 << 20)

/*
 * The config of that text, or NULL and at least one problem. Blanks comments in text and cuts it
 * before the first line that cannot be read at all: the lines before are judged all the same.
 */
static struct config *config_from_text(char *text, struct problem_list *problems)
{
    int cut_line = scan_text(text, problems);
    struct parsed parsed = {0};
    parse_settings(text, cut_line, &parsed, problems);
    struct config *config = memory_new(1, sizeof(*config));
    config_build(&parsed, config, problems);
    parsed_finish(&parsed);
    if (problems->count == 0)
        return config;
    config_destroy(config);
    return NULL;
}

/* There are no lines to speak of: one problem, the reason. */
static bool tell_unreadable(const struct error *error, struct config_problems *problems)
{
    struct buffer line = {0};
    text_append_escaped(&line, error->text);
    buffer_text(&line);
    char **lines = memory_new(1, sizeof(*lines));
    lines[0] = line.data;
    *problems = (struct config_problems){lines, 1, error->kind != ERROR_INVALID};
    return false;
}

bool config_read(const char *file, struct config **ret_config, struct config_problems *problems)
{
    *problems = (struct config_problems){0};
    CLEANUP(memory_free_at) char *text = NULL;
    size_t length = 0;
    struct error error = {0};
    if (!file_read(file, FILE_MAX_BYTES, &text, &length, &error))
        return tell_unreadable(&error, problems);
    struct problem_list found = {0};
    struct config *config = config_from_text(text, &found);
    if (config == NULL) {
        problem_list_tell(&found, file, problems);
        return false;
    }
    config->file = memory_copy_text(file);
    *ret_config = config;
    return true;
}

static void list_finish(struct config_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
}

static void domain_finish(struct config_domain *domain)
{
    for (size_t i = 0; i < domain->role_count; i++) {
        list_finish(&domain->roles[i].targets);
        free(domain->roles[i].name);
    }
    list_finish(&domain->reserved);
    list_finish(&domain->admins);
    list_finish(&domain->notices);
    free(domain->admin_team);
    free(domain->roles);
    free(domain->name);
    free(domain->team);
    free(domain->proof);
    free(domain->catch_all);
}

void config_destroy(struct config *config)
{
    if (config == NULL)
        return;
    for (size_t i = 0; i < config->domain_count; i++)
        domain_finish(&config->domains[i]);
    for (size_t i = 0; i < config->server.listener_count; i++)
        listener_finish(&config->server.listeners[i]);
    free(config->domains);
    free(config->server.listeners);
    listener_finish(&config->server.metrics);
    free(config->server.recipient_delimiter);
    free(config->server.user);
    free(config->launchpad.api);
    free(config->launchpad.credentials);
    free(config->notify.smtp);
    free(config->notify.ca_file);
    free(config->notify.user);
    free(config->notify.password_file);
    free(config->notify.from);
    free(config->notify.templates);
    list_finish(&config->dns.servers);
    free(config->dns.trust_anchors);
    listener_finish(&config->portal.listen);
    list_finish(&config->portal.trusted_proxies);
    list_finish(&config->portal.admins);
    free(config->portal.url);
    free(config->portal.openid_endpoint);
    free(config->portal.openid_identifiers);
    free(config->portal.launchpad_web);
    free(config->portal.admin_team);
    free(config->portal.state);
    free(config->portal.user);
    free(config->file);
    free(config->cache);
    free(config->key_file);
    free(config->alerts);
    free(config);
}

const struct config_domain *config_find_domain(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->domain_count; i++)
        if (config->domains[i].name != NULL && strcmp(config->domains[i].name, name) == 0)
            return &config->domains[i];
    return NULL;
}
