#include "config/restart.h"

#include <stdlib.h>
#include <string.h>

#include "config/table.h"

static bool is_same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool is_same_listener(const struct config_listener *a, const struct config_listener *b)
{
    return a->protocol == b->protocol && a->inet_port == b->inet_port &&
           is_same_text(a->unix_path, b->unix_path) &&
           is_same_text(a->inet_address, b->inet_address) && is_same_text(a->map, b->map);
}

static size_t count_protocol(const struct config_server *server, enum config_protocol protocol)
{
    size_t count = 0;
    for (size_t i = 0; i < server->listener_count; i++)
        count += server->listeners[i].protocol == protocol;
    return count;
}

static size_t count_listener(const struct config_server *server,
                             const struct config_listener *listener)
{
    size_t count = 0;
    for (size_t i = 0; i < server->listener_count; i++)
        count += is_same_listener(&server->listeners[i], listener);
    return count;
}

/* Those with port 0 may stand there more than once. */
static bool are_same_listeners(const struct config_server *a, const struct config_server *b,
                               enum config_protocol protocol)
{
    if (count_protocol(a, protocol) != count_protocol(b, protocol))
        return false;
    for (size_t i = 0; i < a->listener_count; i++)
        if (a->listeners[i].protocol == protocol &&
            count_listener(a, &a->listeners[i]) != count_listener(b, &a->listeners[i]))
            return false;
    return true;
}

static bool is_same_field(const struct config_key *key, const void *a, const void *b)
{
    if (key->type <= CONFIG_LOCAL_PART)
        return is_same_text(*(char *const *)a, *(char *const *)b);
    switch (key->type) {
    case CONFIG_LISTENER:
        return is_same_listener(a, b);
    case CONFIG_DURATION:
        return *(const int64_t *)a == *(const int64_t *)b;
    case CONFIG_BYTES:
        return *(const uint64_t *)a == *(const uint64_t *)b;
    case CONFIG_NUMBER:
        return *(const unsigned *)a == *(const unsigned *)b;
    case CONFIG_BOOLEAN:
        return *(const bool *)a == *(const bool *)b;
    default:
        abort(); /* no row of such a type is marked */
    }
}

static bool is_same(const struct config_key *key, const struct config *a, const struct config *b)
{
    if (key->section == SECTION_TCP_TABLE)
        return are_same_listeners(&a->server, &b->server, CONFIG_TCP_TABLE);
    if (key->type == CONFIG_LISTENER && key->list)
        return are_same_listeners(&a->server, &b->server, key->protocol);
    return is_same_field(key, (const char *)a + key->offset, (const char *)b + key->offset);
}

/* "cache", "server socketmap"; a listener with a section of its own goes by that one's name. */
static void append_name(struct buffer *names, const struct config_key *key)
{
    if (names->length > 0)
        buffer_append_text(names, ", ");
    if (key->section == SECTION_TCP_TABLE)
        buffer_appendf(names, "server %s", config_sections[key->section].name);
    else if (key->section == SECTION_TOP)
        buffer_append_text(names, key->name);
    else
        buffer_appendf(names, "%s %s", config_sections[key->section].name, key->name);
}

bool config_differs_by_restart(const struct config *running, const struct config *next,
                               struct buffer *names)
{
    bool differs = false;
    for (size_t i = 0; i < config_key_count; i++) {
        const struct config_key *key = &config_keys[i];
        if (!key->needs_restart || is_same(key, running, next))
            continue;
        append_name(names, key);
        differs = true;
    }
    return differs;
}
