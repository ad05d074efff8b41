#include "tool/postfix_config.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define BLANKS        " \t\r\n"
#define EXPANSION_MAX 20 /* a parameter that names itself ends here */

/* ---- parameters ---- */

static const char *find(const struct postfix_parameters *parameters, const char *name)
{
    for (size_t i = parameters->count; i-- > 0;) /* the last one counts */
        if (strcmp(parameters->items[i].name, name) == 0)
            return parameters->items[i].value;
    return NULL;
}

static struct span trim(const char *text, size_t length)
{
    while (length != 0 && strchr(BLANKS, *text) != NULL) {
        text++;
        length--;
    }
    while (length != 0 && strchr(BLANKS, text[length - 1]) != NULL)
        length--;
    return (struct span){text, length};
}

/* Adds "name = value"; anything else is passed over. */
static void add_parameter(struct postfix_parameters *parameters, struct span text)
{
    const char *equals = text.length != 0 ? memchr(text.data, '=', text.length) : NULL;
    if (equals == NULL)
        return;
    struct span name = trim(text.data, (size_t)(equals - text.data));
    struct span value = trim(equals + 1, text.length - (size_t)(equals + 1 - text.data));
    parameters->items = memory_grow(parameters->items, parameters->count, &parameters->capacity,
                                    sizeof(*parameters->items));
    parameters->items[parameters->count++] = (struct postfix_parameter){
        memory_copy_bytes(name.data, name.length), memory_copy_bytes(value.data, value.length)};
}

static void parameters_finish(struct postfix_parameters *parameters)
{
    for (size_t i = 0; i < parameters->count; i++) {
        free(parameters->items[i].name);
        free(parameters->items[i].value);
    }
    free(parameters->items);
}

/* The next logical line: comments left out, lines that begin with a blank joined. */
static bool take_line(const char **text, struct buffer *out)
{
    buffer_clear(out);
    while (**text != '\0') {
        size_t length = strcspn(*text, "\n");
        struct span line = trim(*text, length);
        bool is_ignored = line.length == 0 || line.data[0] == '#';
        if (!is_ignored && out->length != 0 && strchr(BLANKS, **text) == NULL)
            return true;
        if (!is_ignored && out->length != 0)
            buffer_append_char(out, ' ');
        if (!is_ignored)
            buffer_append(out, line.data, line.length);
        *text += length + ((*text)[length] == '\n');
    }
    return out->length != 0;
}

size_t postfix_config_read_main(struct postfix_config *config, const char *text)
{
    CLEANUP(buffer_finish) struct buffer line = {0};
    while (take_line(&text, &line))
        add_parameter(&config->parameters, (struct span){line.data, line.length});
    return config->parameters.count;
}

/* ---- values ---- */

static const char *default_of(const char *name)
{
    static const struct postfix_parameter defaults[] = {
        {"compatibility_level", "0"},
        {"mail_owner", "postfix"},
        {"mydestination", "$myhostname, localhost.$mydomain, localhost"},
        {"queue_directory", "/var/spool/postfix"},
        {"virtual_alias_domains", "$virtual_alias_maps"},
        {"virtual_alias_maps", "$virtual_maps"},
        {"virtual_mailbox_domains", "$virtual_mailbox_maps"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(defaults); i++)
        if (strcmp(defaults[i].name, name) == 0)
            return defaults[i].value;
    return "";
}

static const char *raw_value(const struct postfix_config *config,
                             const struct postfix_service *service, const char *name)
{
    const char *value = service != NULL ? find(&service->overrides, name) : NULL;
    if (value == NULL)
        value = find(&config->parameters, name);
    return value != NULL ? value : default_of(name);
}

/*
 * The name behind a "$" in any of its forms: $name, ${name}, $(name). Returns the bytes used, 0
 * when it is none of them, as ${name?text}.
 */
static size_t take_name(const char *text, struct span *ret)
{
    char closing = *text == '{' ? '}' : *text == '(' ? ')' : '\0';
    const char *begin = text + (closing != '\0');
    const char *end = begin;
    while (isalnum((unsigned char)*end) || *end == '_')
        end++;
    *ret = (struct span){begin, (size_t)(end - begin)};
    if (end == begin || (closing != '\0' && *end != closing))
        return 0;
    return (size_t)(end - text) + (closing != '\0');
}

static void expand(const struct postfix_config *config, const struct postfix_service *service,
                   const char *text, unsigned depth, struct buffer *out)
{
    while (*text != '\0') {
        struct span name;
        size_t used = *text == '$' ? take_name(text + 1, &name) : 0;
        if (strncmp(text, "$$", 2) == 0) /* stands for one, and for no name */
            text++;
        if (used == 0 || depth == EXPANSION_MAX) {
            buffer_append_char(out, *text++);
            continue;
        }
        CLEANUP(memory_free_at) char *copy = memory_copy_bytes(name.data, name.length);
        expand(config, service, raw_value(config, service, copy), depth + 1, out);
        text += 1 + used;
    }
}

char *postfix_config_get(const struct postfix_config *config, const struct postfix_service *service,
                         const char *name)
{
    struct buffer value = {0};
    expand(config, service, raw_value(config, service, name), 0, &value);
    buffer_text(&value);
    return value.data;
}

void postfix_config_get_words(const struct postfix_config *config,
                              const struct postfix_service *service, const char *name,
                              struct words *ret)
{
    CLEANUP(memory_free_at) char *value = postfix_config_get(config, service, name);
    *ret = (struct words){0};
    words_split(ret, value);
}

bool postfix_config_is_set(const struct postfix_config *config, const char *name)
{
    return find(&config->parameters, name) != NULL;
}

/* ---- services ---- */

/* The next field of a line of master.cf; braces keep blanks inside. */
static struct span take_field(const char **text)
{
    *text += strspn(*text, BLANKS);
    const char *begin = *text;
    size_t depth = 0;
    for (; **text != '\0' && (depth != 0 || strchr(BLANKS, **text) == NULL); ++*text) {
        if (**text == '{')
            depth++;
        else if (**text == '}' && depth != 0)
            depth--;
    }
    return (struct span){begin, (size_t)(*text - begin)};
}

static void add_override(struct postfix_service *service, struct span text)
{
    if (text.length >= 2 && text.data[0] == '{' && text.data[text.length - 1] == '}')
        text = (struct span){text.data + 1, text.length - 2};
    add_parameter(&service->overrides, text);
}

static void take_options(struct postfix_service *service, const char *text)
{
    for (struct span field = take_field(&text); field.length != 0; field = take_field(&text)) {
        if (field.length == 2 && memcmp(field.data, "-o", 2) == 0)
            add_override(service, take_field(&text));
        else if (field.length > 2 && memcmp(field.data, "-o", 2) == 0)
            add_override(service, (struct span){field.data + 2, field.length - 2});
    }
}

/* "-" is "n" since Postfix 3.0, but for those who ask for the old ways (COMPATIBILITY_README). */
static bool reads_as_chroot(const struct postfix_config *config, struct span field)
{
    CLEANUP(memory_free_at) char *level = postfix_config_get(config, NULL, "compatibility_level");
    if (field.length == 1 && *field.data == '-')
        return strcmp(level, "0") == 0;
    return field.length == 1 && *field.data == 'y';
}

static char *copy_field(struct span field)
{
    return memory_copy_bytes(field.data, field.length);
}

/* service type private unprivileged chroot wakeup maxproc command and its options */
static void add_service(struct postfix_config *config, const char *line)
{
    struct span fields[8];
    for (size_t i = 0; i < ARRAY_LENGTH(fields); i++)
        fields[i] = take_field(&line);
    if (fields[7].length == 0)
        return;
    config->services = memory_grow(config->services, config->service_count,
                                   &config->service_capacity, sizeof(*config->services));
    struct postfix_service *service = &config->services[config->service_count++];
    *service = (struct postfix_service){
        .name = copy_field(fields[0]),
        .type = copy_field(fields[1]),
        .command = copy_field(fields[7]),
        .is_chrooted = reads_as_chroot(config, fields[4]),
    };
    take_options(service, line);
}

size_t postfix_config_read_master(struct postfix_config *config, const char *text)
{
    CLEANUP(buffer_finish) struct buffer line = {0};
    while (take_line(&text, &line))
        add_service(config, buffer_text(&line));
    return config->service_count;
}

bool postfix_config_has_service(const struct postfix_config *config, const char *command,
                                bool is_chrooted)
{
    for (size_t i = 0; i < config->service_count; i++)
        if (strcmp(config->services[i].command, command) == 0 &&
            config->services[i].is_chrooted == is_chrooted)
            return true;
    return false;
}

void postfix_config_finish(struct postfix_config *config)
{
    parameters_finish(&config->parameters);
    for (size_t i = 0; i < config->service_count; i++) {
        free(config->services[i].name);
        free(config->services[i].type);
        free(config->services[i].command);
        parameters_finish(&config->services[i].overrides);
    }
    free(config->services);
    *config = (struct postfix_config){0};
}
