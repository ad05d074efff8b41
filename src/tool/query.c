#include <stdio.h>
#include <string.h>

#include "config/listener.h"
#include "tool/console.h"
#include "tool/json_output.h"
#include "tool/options.h"
#include "tool/socketmap_client.h"
#include "tool/workspace.h"

/* What the questions have in common. */
struct query {
    struct workspace work;
    const char *map;
    char **keys;
    size_t key_count;
    size_t absent, temporary; /* answers so far */
    bool is_shown;            /* --show-targets */
    json_t *answers;          /* with --json; else NULL */
};

static void query_finish(struct query *query)
{
    json_decref(query->answers);
    workspace_finish(&query->work);
}

static void add_json(struct query *query, const char *key, enum wire_status status,
                     struct span text)
{
    static const char *const words[] = {
        [WIRE_OK] = "OK",
        [WIRE_NOTFOUND] = "NOTFOUND",
        [WIRE_TEMP] = "TEMP",
        [WIRE_PERM] = "PERM",
    };
    json_t *object = json_object();
    json_object_set_new(object, "key", json_from_span(span_of(key)));
    json_object_set_new(object, "status", json_string(words[status]));
    /* What the map of aliases finds is targets. */
    bool is_hidden = status == WIRE_OK && !query->is_shown && strcmp(query->map, "alias") == 0;
    json_object_set_new(object, "text", is_hidden ? json_null() : json_from_optional(text));
    json_array_append_new(query->answers, object);
}

static void print_answer(const struct query *query, const char *key, enum wire_status status,
                         struct span text)
{
    CLEANUP(buffer_finish) struct buffer copy = {0};
    CLEANUP(buffer_finish) struct buffer line = {0};
    buffer_append(&copy, text.data, text.length);
    switch (status) {
    case WIRE_OK:
        if (query->key_count > 1) {
            console_append_visible(&line, key);
            buffer_append_char(&line, '\t');
        }
        console_append_visible(&line, buffer_text(&copy));
        puts(buffer_text(&line));
        break;
    case WIRE_NOTFOUND:
        console_complain("%s: not found", key);
        break;
    case WIRE_TEMP:
    case WIRE_PERM:
        console_complain("%s: %s", key, buffer_text(&copy));
        break;
    }
}

static void note_answer(struct query *query, const char *key, enum wire_status status,
                        struct span text)
{
    query->absent += status == WIRE_NOTFOUND;
    query->temporary += status == WIRE_TEMP || status == WIRE_PERM;
    if (query->answers != NULL)
        add_json(query, key, status, text);
    else
        print_answer(query, key, status, text);
}

static enum exit_status status_of(const struct query *query)
{
    if (query->answers != NULL)
        json_print(json_incref(query->answers));
    if (query->temporary != 0)
        return EXIT_TEMPORARY;
    return query->absent != 0 ? EXIT_NOT_FOUND : EXIT_DONE;
}

/* ---- through the server ---- */

static enum exit_status ask_all(struct query *query, struct socketmap_client *client)
{
    for (size_t i = 0; i < query->key_count; i++) {
        struct wire_reply reply;
        struct error error = {0};
        if (!socketmap_client_ask(client, query->map, query->keys[i], &reply, &error)) {
            console_complain("%s", error.text);
            return EXIT_FAILED;
        }
        if (reply.status == WIRE_PERM) {
            console_complain("the server has no map \"%s\"", query->map);
            return EXIT_FAILED;
        }
        note_answer(query, query->keys[i], reply.status, reply.text);
    }
    return status_of(query);
}

static enum exit_status ask_server(struct query *query, const struct config_listener *listener)
{
    CLEANUP(socketmap_client_finish) struct socketmap_client client = {.fd = -1};
    struct error error = {0};
    if (!socketmap_client_connect(&client, listener, &error)) {
        console_complain("%s", error.text);
        return EXIT_FAILED;
    }
    return ask_all(query, &client);
}

static enum exit_status ask_at(struct query *query, const char *address)
{
    CLEANUP(listener_finish) struct config_listener listener = {0};
    CLEANUP(buffer_finish) struct buffer wrong = {0};
    if (!listener_parse(address, &listener, &wrong)) {
        console_complain("%s %s", address, buffer_text(&wrong));
        return EXIT_USAGE;
    }
    return ask_server(query, &listener);
}

static enum exit_status ask_configured(struct query *query)
{
    const struct config_server *server = &query->work.config->server;
    for (size_t i = 0; i < server->listener_count; i++)
        if (server->listeners[i].protocol == CONFIG_SOCKETMAP)
            return ask_server(query, &server->listeners[i]);
    console_complain("the configuration has no socketmap listener; see --cache and --socket");
    return EXIT_FAILED;
}

/* ---- from the cache ---- */

static enum exit_status ask_cache(struct query *query)
{
    static const enum wire_status statuses[] = {
        [LOOKUP_FOUND] = WIRE_OK,
        [LOOKUP_ABSENT] = WIRE_NOTFOUND,
        [LOOKUP_TEMPORARY] = WIRE_TEMP,
    };
    enum lookup_map map;
    if (!lookup_map_from_name(query->map, strlen(query->map), &map)) {
        console_complain("there is no map \"%s\"", query->map);
        return EXIT_FAILED;
    }
    if (!workspace_make_lookup(&query->work))
        return query->work.status;
    for (size_t i = 0; i < query->key_count; i++) {
        CLEANUP(buffer_finish) struct buffer value = {0};
        const char *key = query->keys[i];
        enum lookup_answer answer =
            lookup_ask(query->work.lookup, map, key, strlen(key), &value, NULL);
        if (answer == LOOKUP_TEMPORARY)
            buffer_append_text(&value, "cannot tell now; lpalias explain says why");
        note_answer(query, key, statuses[answer], (struct span){value.data, value.length});
    }
    lookup_rest(query->work.lookup);
    return status_of(query);
}

static enum exit_status run(const struct call *call)
{
    bool is_cache = false;
    bool is_json = false;
    const char *address = NULL;
    CLEANUP(options_finish) struct options options = {0};
    CLEANUP(query_finish) struct query query = {0};
    const struct option_row rows[] = {
        {0, "cache", .help = "ask the cache and not the running server", .flag = &is_cache},
        {0, "socket", "ADDRESS", "ask the server at unix:/PATH or inet:ADDRESS:PORT",
         .value = &address},
        {0, "json", .help = "print a JSON array", .flag = &is_json},
        {0, "show-targets", .help = "with --json, print the targets, too", .flag = &query.is_shown},
    };
    if (!options_take(&options, call, rows, ARRAY_LENGTH(rows), 2, SIZE_MAX))
        return options.status;
    if (is_cache && address != NULL)
        return options_refuse(call, "either --cache or --socket");
    query.answers = is_json ? json_array() : NULL;
    query.map = options.operands[0];
    query.keys = options.operands + 1;
    query.key_count = options.operand_count - 1;
    if (address != NULL)
        return ask_at(&query, address);
    if (!workspace_read_config(&query.work, call))
        return query.work.status;
    return is_cache ? ask_cache(&query) : ask_configured(&query);
}

const struct command command_query = {
    .name = "query",
    .usage = "[--cache | --socket ADDRESS] [--json [--show-targets]] MAP KEY...",
    .help = "ask as Postfix does; maps are alias, domain, recipient, sender and access",
    .run = run,
};
