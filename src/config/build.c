#include "config/build.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "config/listener.h"
#include "config/value.h"

/* What is needed while a struct config is made out of the parsed file. */
struct build {
    const struct parsed *parsed;
    struct config *config;
    struct problem_list *problems;
    size_t *places;          /* of each parsed section: index in its array in config */
    size_t *domain_sections; /* of each domain in config: its parsed section */
    int *listener_lines;     /* of each listener in config */
    size_t domain_capacity, listener_capacity;
};

/* The struct that the keys of a parsed section are stored in. */
static void *section_target(const struct build *build, size_t section)
{
    const struct parsed_section *parsed = &build->parsed->sections[section];
    size_t place = build->places[section];
    switch (parsed->id) {
    case SECTION_TCP_TABLE:
        return &build->config->server.listeners[place];
    case SECTION_DOMAIN:
        return &build->config->domains[place];
    case SECTION_ROLE:
        return &build->config->domains[build->places[parsed->parent]].roles[place];
    default:
        return build->config;
    }
}

/*
 * "team "X" is not ...; hint", where name is a key or the name of a section with that title. Mail
 * addresses are targets, which no log may hold: "catch-all is not ...; hint".
 */
static void tell_wrong(struct build *build, int line, const char *name,
                       const struct config_key *key, const char *value, struct buffer *wrong)
{
    struct buffer text = {0};
    buffer_appendf(&text, "%s ", name);
    if (key->type != CONFIG_ADDRESS) {
        problem_append_quoted(&text, value);
        buffer_append_char(&text, ' ');
    }
    problem_add(build->problems, line, "%s%s", buffer_text(&text), buffer_text(wrong));
    buffer_finish(&text);
    buffer_finish(wrong);
}

/* "domain "X"" or "section server", for messages; caller finishes the buffer. */
static struct buffer section_words(const struct parsed_section *section)
{
    struct buffer words = {0};
    if (section->id == SECTION_TOP)
        buffer_append_text(&words, "the file");
    else if (section->title == NULL)
        buffer_appendf(&words, "section %s", config_sections[section->id].name);
    else
        buffer_appendf(&words, "%s ", config_sections[section->id].name);
    if (section->title != NULL)
        problem_append_quoted(&words, section->title);
    return words;
}

static void tell_twice(struct build *build, const struct parsed_section *section, int first_line)
{
    struct buffer words = section_words(section);
    problem_add(build->problems, section->line, "%s is given twice, first in line %d; keep one",
                buffer_text(&words), first_line);
    buffer_finish(&words);
}

static void add_listener(struct build *build, int line, struct config_listener listener)
{
    struct config_server *server = &build->config->server;
    for (size_t i = 0; i < server->listener_count; i++) {
        if (!listener_is_same(&server->listeners[i], &listener))
            continue;
        struct buffer words = {0};
        problem_append_quoted(&words, listener.text);
        problem_add(build->problems, line, "listener %s is given twice, first in line %d; keep one",
                    buffer_text(&words), build->listener_lines[i]);
        buffer_finish(&words);
        break;
    }
    size_t capacity = build->listener_capacity;
    build->listener_lines = memory_grow(build->listener_lines, server->listener_count, &capacity,
                                        sizeof(*build->listener_lines));
    server->listeners = memory_grow(server->listeners, server->listener_count,
                                    &build->listener_capacity, sizeof(*server->listeners));
    build->listener_lines[server->listener_count] = line;
    server->listeners[server->listener_count++] = listener;
}

static void place_tcp_table(struct build *build, size_t section)
{
    const struct parsed_section *parsed = &build->parsed->sections[section];
    const struct config_section *row = &config_sections[SECTION_TCP_TABLE];
    struct config_listener listener = {0};
    struct buffer wrong = {0};
    build->places[section] = build->config->server.listener_count;
    if (!value_parse(&row->title, parsed->title, &listener, &wrong))
        tell_wrong(build, parsed->line, row->name, &row->title, parsed->title, &wrong);
    listener.protocol = row->title.protocol;
    add_listener(build, parsed->line, listener);
}

/* The title of a section as its name; NULL and a problem when it is wrong. */
static char *checked_title(struct build *build, const struct parsed_section *section)
{
    const struct config_section *row = &config_sections[section->id];
    char *name = NULL;
    struct buffer wrong = {0};
    if (!value_parse(&row->title, section->title, &name, &wrong))
        tell_wrong(build, section->line, row->name, &row->title, section->title, &wrong);
    return name;
}

static void *field_of(const struct config_key *key, void *target)
{
    return (char *)target + key->offset;
}

/* Of the keys of one section. */
static void store_defaults(enum config_section_id section, void *target)
{
    for (size_t i = 0; i < config_key_count; i++) {
        const struct config_key *key = &config_keys[i];
        struct buffer wrong = {0};
        if (key->section == section && key->fallback != NULL &&
            !value_parse(key, key->fallback, field_of(key, target), &wrong))
            abort(); /* a row of the table contradicts itself */
    }
}

static void place_domain(struct build *build, size_t section)
{
    const struct parsed_section *parsed = &build->parsed->sections[section];
    struct config *config = build->config;
    struct config_domain domain = {.name = checked_title(build, parsed)};
    store_defaults(SECTION_DOMAIN, &domain);
    for (size_t i = 0; i < config->domain_count && domain.name != NULL; i++) {
        const char *other = config->domains[i].name;
        if (other == NULL || strcmp(other, domain.name) != 0)
            continue;
        tell_twice(build, parsed, build->parsed->sections[build->domain_sections[i]].line);
        break;
    }
    size_t capacity = build->domain_capacity;
    build->domain_sections = memory_grow(build->domain_sections, config->domain_count, &capacity,
                                         sizeof(*build->domain_sections));
    config->domains = memory_grow(config->domains, config->domain_count, &build->domain_capacity,
                                  sizeof(*config->domains));
    build->places[section] = config->domain_count;
    build->domain_sections[config->domain_count] = section;
    config->domains[config->domain_count++] = domain;
}

static void place_role(struct build *build, size_t section)
{
    const struct parsed_section *parsed = &build->parsed->sections[section];
    struct config_domain *domain = section_target(build, parsed->parent);
    struct config_role role = {.name = checked_title(build, parsed)};
    for (size_t i = parsed->parent + 1; i < section && role.name != NULL; i++) {
        const struct parsed_section *other = &build->parsed->sections[i];
        if (other->id != SECTION_ROLE || strcmp(other->title, parsed->title) != 0)
            continue;
        tell_twice(build, parsed, other->line);
        break;
    }
    build->places[section] = domain->role_count;
    domain->roles = memory_resize(domain->roles, domain->role_count + 1, sizeof(*domain->roles));
    domain->roles[domain->role_count++] = role;
}

/* Sections without a title stand once. */
static void check_single(struct build *build, size_t section)
{
    const struct parsed_section *sections = build->parsed->sections;
    for (size_t i = 0; i < section; i++) {
        if (sections[i].id != sections[section].id)
            continue;
        tell_twice(build, &sections[section], sections[i].line);
        return;
    }
}

static void place_sections(struct build *build)
{
    build->places = memory_new(build->parsed->section_count, sizeof(*build->places));
    for (size_t i = 0; i < build->parsed->section_count; i++) {
        switch (build->parsed->sections[i].id) {
        case SECTION_TCP_TABLE:
            place_tcp_table(build, i);
            break;
        case SECTION_DOMAIN:
            place_domain(build, i);
            break;
        case SECTION_ROLE:
            place_role(build, i);
            break;
        default:
            check_single(build, i);
        }
    }
}

static bool store_list_element(struct build *build, const struct parsed_value *value,
                               struct buffer *wrong)
{
    if (value->key->type == CONFIG_LISTENER) {
        struct config_listener listener;
        if (!value_parse(value->key, value->text, &listener, wrong))
            return false;
        listener.protocol = value->key->protocol;
        add_listener(build, value->line, listener);
        return true;
    }
    struct config_list *list = field_of(value->key, section_target(build, value->section));
    char *item = NULL;
    if (!value_parse(value->key, value->text, &item, wrong))
        return false;
    list->items = memory_resize(list->items, list->count + 1, sizeof(*list->items));
    list->items[list->count++] = item;
    return true;
}

static bool is_text(const struct config_key *key)
{
    return key->type <= CONFIG_LOCAL_PART;
}

static bool store_value(struct build *build, const struct parsed_value *value, struct buffer *wrong)
{
    if (value->key->list)
        return store_list_element(build, value, wrong);
    void *field = field_of(value->key, section_target(build, value->section));
    char *old = is_text(value->key) ? *(char **)field : NULL;
    if (!value_parse(value->key, value->text, field, wrong))
        return false;
    free(old);
    return true;
}

static void store_values(struct build *build)
{
    for (size_t i = 0; i < build->parsed->value_count; i++) {
        const struct parsed_value *value = &build->parsed->values[i];
        struct buffer wrong = {0};
        if (!store_value(build, value, &wrong))
            tell_wrong(build, value->line, value->key->name, value->key, value->text, &wrong);
    }
}

static void check_required(struct build *build, size_t section)
{
    const struct parsed_section *parsed = &build->parsed->sections[section];
    for (size_t i = 0; i < config_key_count; i++) {
        const struct config_key *key = &config_keys[i];
        if (key->section != parsed->id || !key->required ||
            parsed_find(build->parsed, section, key) != NULL)
            continue;
        struct buffer words = section_words(parsed);
        problem_add(build->problems, parsed->line, "%s has no %s; add %s = %s", buffer_text(&words),
                    key->name, key->name, key->list ? "{ \"...\" }" : "\"...\"");
        buffer_finish(&words);
    }
}

static void check_listener_is_local(struct build *build, int line,
                                    const struct config_listener *listener)
{
    if (!build->config->server.allow_remote && !listener_is_local(listener))
        problem_add(build->problems, line,
                    "listener \"%s\" can be reached from other hosts; use a unix socket or a "
                    "loopback address, or set allow-remote = true",
                    listener->text);
}

/* Where the one key of that name stands, in whichever section; 0: nowhere. */
static int line_of(const struct build *build, const struct config_key *key)
{
    for (size_t i = 0; i < build->parsed->value_count; i++)
        if (build->parsed->values[i].key == key)
            return build->parsed->values[i].line;
    return 0;
}

/* Only of use for a whole file: allow-remote may stand anywhere. */
static void check_listeners(struct build *build)
{
    const struct config_server *server = &build->config->server;
    int line = line_of(build, config_find_key(SECTION_SERVER, "metrics"));
    for (size_t i = 0; i < server->listener_count; i++) {
        check_listener_is_local(build, build->listener_lines[i], &server->listeners[i]);
        if (server->metrics.text != NULL &&
            listener_is_same(&server->listeners[i], &server->metrics))
            problem_add(build->problems, line,
                        "metrics \"%s\" is the listener of line %d; give it one of its own",
                        server->metrics.text, build->listener_lines[i]);
    }
    if (server->metrics.text != NULL)
        check_listener_is_local(build, line, &server->metrics);
}

/* Mail about a domain that fails must not need that domain. */
static void check_alerts(struct build *build)
{
    const struct config *config = build->config;
    const struct parsed_value *value =
        parsed_find(build->parsed, 0, config_find_key(SECTION_TOP, "alerts"));
    if (config->alerts == NULL || value == NULL)
        return;
    const char *domain = strrchr(config->alerts, '@') + 1;
    if (config_find_domain(config, domain) != NULL)
        problem_add(build->problems, value->line,
                    "alerts lies in our own domain \"%s\"; give an address elsewhere", domain);
}

/* One of the two alone is a mistake. */
static void check_login(struct build *build)
{
    const struct config_notify *notify = &build->config->notify;
    if ((notify->user == NULL) == (notify->password_file == NULL))
        return;
    const char *given = notify->user != NULL ? "user" : "password-file";
    const char *missing = notify->user != NULL ? "password-file" : "user";
    for (size_t i = 0; i < build->parsed->section_count; i++)
        if (build->parsed->sections[i].id == SECTION_NOTIFY)
            problem_add(build->problems, build->parsed->sections[i].line,
                        "section notify has %s and no %s; give both or none", given, missing);
}

/* Its proxy speaks plain http to it, and is the only one that is meant to. */
static void check_portal(struct build *build)
{
    const struct config_portal *portal = &build->config->portal;
    const struct parsed_value *value = NULL;
    for (size_t i = 0; i < build->parsed->value_count && value == NULL; i++)
        if (build->parsed->values[i].key == config_find_key(SECTION_PORTAL, "listen"))
            value = &build->parsed->values[i];
    if (value == NULL || portal->listen.text == NULL || listener_is_local(&portal->listen) ||
        portal->trusted_proxies.count > 0)
        return;
    problem_add(
        build->problems, value->line,
        "listen can be reached from other hosts; name the proxy's address in trusted-proxy, "
        "or listen on 127.0.0.1 or a unix socket");
}

static void check_missing(struct build *build)
{
    for (size_t i = 0; i < build->parsed->section_count; i++)
        check_required(build, i);
    if (build->config->domain_count == 0)
        problem_add(build->problems, 1,
                    "no domain is given; add domain \"example.org\" { team = \"...\" }");
}

void config_build(const struct parsed *parsed, struct config *config, struct problem_list *problems)
{
    struct build build = {.parsed = parsed, .config = config, .problems = problems};
    for (int id = SECTION_TOP; id < SECTION_COUNT; id++)
        if (id != SECTION_DOMAIN && !config_sections[id].many)
            store_defaults((enum config_section_id)id, config);
    place_sections(&build);
    store_values(&build);
    check_alerts(&build);
    if (parsed->complete) {
        check_listeners(&build);
        check_login(&build);
        check_portal(&build);
        check_missing(&build);
    }
    free(build.places);
    free(build.domain_sections);
    free(build.listener_lines);
}
