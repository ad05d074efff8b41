#include <stdio.h>
#include <string.h>

#include "tool/console.h"
#include "tool/options.h"
#include "tool/workspace.h"

#define DEFAULT_QUEUE_DIRECTORY "/var/spool/postfix"

/* How Postfix comes to lpaliasd. */
enum way {
    WAY_UNIX,  /* a socket below the queue directory: inside and outside the chroot */
    WAY_PROXY, /* a unix socket elsewhere, opened by proxymap, which has no chroot */
    WAY_INET,
    WAY_TCP_TABLE,
    WAY_COUNT,
};

static const char *const way_names[WAY_COUNT] = {
    [WAY_UNIX] = "unix",
    [WAY_PROXY] = "proxy",
    [WAY_INET] = "inet",
    [WAY_TCP_TABLE] = "tcp-table",
};

struct advice {
    const struct config *config;
    const char *queue_directory;
    enum way way;
    bool is_for_submission;
};

/* ---- finding a way ---- */

/* The path behind the queue directory, where all of Postfix's daemons work, or NULL. */
static const char *path_below(const char *queue_directory, const char *path)
{
    size_t length = strlen(queue_directory);
    while (length > 0 && queue_directory[length - 1] == '/')
        length--;
    if (strncmp(path, queue_directory, length) != 0 || path[length] != '/')
        return NULL;
    path += length;
    return path + strspn(path, "/");
}

/* As main.cf can name it and a daemon in the chroot comes to it. */
static bool is_reachable(const struct advice *advice, const struct config_listener *listener)
{
    if (listener->unix_path == NULL)
        return listener->inet_port != 0;
    return path_below(advice->queue_directory, listener->unix_path) != NULL &&
           strpbrk(listener->unix_path, " \t,${}:") == NULL;
}

static bool leads(const struct advice *advice, enum way way, const struct config_listener *listener)
{
    bool is_socketmap = listener->protocol == CONFIG_SOCKETMAP;
    bool is_unix = listener->unix_path != NULL;
    switch (way) {
    case WAY_UNIX:
        return is_socketmap && is_unix && is_reachable(advice, listener);
    case WAY_PROXY:
        return is_socketmap && is_unix && strpbrk(listener->unix_path, " \t,${}:") == NULL;
    case WAY_INET:
        return is_socketmap && !is_unix && is_reachable(advice, listener);
    case WAY_TCP_TABLE:
        return listener->protocol == CONFIG_TCP_TABLE && is_reachable(advice, listener);
    case WAY_COUNT:
        break;
    }
    return false;
}

/* The listener that is asked for map that way, or NULL. */
static const struct config_listener *find_listener(const struct advice *advice, enum way way,
                                                   const char *map)
{
    const struct config_server *server = &advice->config->server;
    for (size_t i = 0; i < server->listener_count; i++)
        if (leads(advice, way, &server->listeners[i]) &&
            (way != WAY_TCP_TABLE || strcmp(server->listeners[i].map, map) == 0))
            return &server->listeners[i];
    return NULL;
}

static bool is_way(const char *name)
{
    for (enum way way = WAY_UNIX; way < WAY_COUNT; way++)
        if (strcmp(way_names[way], name) == 0)
            return true;
    return false;
}

/* The one that is wanted, or the best there is. */
static bool choose_way(struct advice *advice, const char *wanted)
{
    for (enum way way = WAY_UNIX; way < WAY_COUNT; way++) {
        if ((wanted != NULL && strcmp(way_names[way], wanted) != 0) ||
            find_listener(advice, way, "alias") == NULL)
            continue;
        advice->way = way;
        return true;
    }
    if (wanted != NULL)
        console_complain("the configuration has no listener that serves the map alias over %s",
                         wanted);
    else
        console_complain("the configuration has no listener that serves the map alias; add "
                         "socketmap = { \"unix:%s/lpalias/lookup\" } to its server section",
                         advice->queue_directory);
    return false;
}

/* ---- lines of main.cf ---- */

static void append_inet(struct buffer *out, const char *protocol,
                        const struct config_listener *listener)
{
    bool is_ipv6 = strchr(listener->inet_address, ':') != NULL;
    buffer_appendf(out, is_ipv6 ? "%s[%s]:%u" : "%s%s:%u", protocol, listener->inet_address,
                   (unsigned)listener->inet_port);
}

/* "socketmap:unix:lpalias/lookup:alias". False: no listener serves the map that way. */
static bool append_table(struct buffer *out, const struct advice *advice, const char *map)
{
    const struct config_listener *listener = find_listener(advice, advice->way, map);
    if (listener == NULL)
        return false;
    switch (advice->way) {
    case WAY_UNIX:
        buffer_appendf(out, "socketmap:unix:%s:%s",
                       path_below(advice->queue_directory, listener->unix_path), map);
        break;
    case WAY_PROXY:
        buffer_appendf(out, "proxy:socketmap:unix:%s:%s", listener->unix_path, map);
        break;
    case WAY_INET:
        append_inet(out, "socketmap:inet:", listener);
        buffer_appendf(out, ":%s", map);
        break;
    case WAY_TCP_TABLE:
        append_inet(out, "tcp:", listener);
        break;
    case WAY_COUNT:
        break;
    }
    return true;
}

/* "parameter =", and on a line of its own what stands before the table, which is in use or not. */
static void print_table(const struct advice *advice, const char *parameter, const char *before,
                        const char *map, bool is_used)
{
    CLEANUP(buffer_finish) struct buffer table = {0};
    const char *mark = is_used ? "" : "#";
    if (append_table(&table, advice, map))
        printf("%s%s =\n%s    %s%s\n", mark, parameter, mark, before, buffer_text(&table));
    else
        printf("# (needs a tcp-table listener with map = %s in lpalias.conf)\n", map);
}

static void print_domains(const struct config *config)
{
    puts("# A plain list, so that no other domain's mail depends on lpaliasd. None of them stands\n"
         "# in mydestination, relay_domains or virtual_mailbox_domains as well, and a new one "
         "comes\n"
         "# here after `lpalias domain open`.\n"
         "virtual_alias_domains =");
    for (size_t i = 0; i < config->domain_count; i++)
        printf("    %s%s\n", config->domains[i].name, i + 1 < config->domain_count ? "," : "");
}

static void print_aliases(const struct advice *advice)
{
    static const char *const words[WAY_COUNT] = {
        [WAY_UNIX] = "# Postfix's daemons work in the queue directory, some in a chroot there: so "
                     "the path of the\n"
                     "# socket is relative to it. `postmap -q` needs the absolute one.",
        [WAY_PROXY] =
            "# proxymap opens the socket for daemons in the chroot; the user postfix must "
            "be able to\n"
            "# reach it. The default of proxy_read_maps lets all tables below pass.",
        [WAY_INET] = "# Any local user can ask there; a unix socket is the better choice.",
        [WAY_TCP_TABLE] = "# Any local user can ask there, and an answer ends at 4096 bytes; "
                          "socketmap is the better\n"
                          "# choice.",
    };
    printf("\n%s\n", words[advice->way]);
    print_table(advice, "virtual_alias_maps", "", "alias", true);
}

static void print_delimiter(const struct config *config)
{
    printf("\n# lpaliasd's own; for the rest of Postfix.\nrecipient_delimiter = ");
    for (const char *at = config->server.recipient_delimiter; *at != '\0'; at++)
        printf(*at == '$' ? "$$" : "%c", *at);
    putchar('\n');
}

static void print_access(const struct advice *advice)
{
    puts("\n# Names that are gone or paused get a reply of their own. Put it in front of what your "
         "line\n"
         "# holds already: behind a permit nothing is asked any more.");
    print_table(advice, "smtpd_recipient_restrictions", "check_recipient_access ", "access", true);
}

/* A policy server cannot be asked through proxymap: the socket has to be in the chroot. */
static void print_policy(const struct advice *advice)
{
    const struct config_server *server = &advice->config->server;
    for (size_t i = 0; i < server->listener_count; i++) {
        const struct config_listener *listener = &server->listeners[i];
        CLEANUP(buffer_finish) struct buffer service = {0};
        if (listener->protocol != CONFIG_POLICY || !is_reachable(advice, listener))
            continue;
        if (listener->unix_path != NULL)
            buffer_appendf(&service, "unix:%s",
                           path_below(advice->queue_directory, listener->unix_path));
        else
            append_inet(&service, "inet:", listener);
        puts("\n# The same over the policy protocol, in place of check_recipient_access. Without "
             "lpaliasd the\n"
             "# table of aliases says \"try again\" itself.");
        printf("#smtpd_recipient_restrictions =\n"
               "#    check_policy_service { %s, default_action=DUNNO }\n",
               buffer_text(&service));
        return;
    }
}

static void print_submission(const struct advice *advice)
{
    puts("\n# Who has logged in sends as the owner of the address only. It takes effect where "
         "master.cf\n"
         "# says so, below the submission services and never for port 25:\n"
         "#     -o smtpd_sender_restrictions=reject_authenticated_sender_login_mismatch\n"
         "# Neither reject_sender_login_mismatch nor reject_known_sender_login_mismatch: they "
         "refuse all\n"
         "# mail of members that comes through another provider. Role addresses and the "
         "operator's own\n"
         "# have no login here; a table of yours behind this one may give them some.");
    print_table(advice, "smtpd_sender_login_maps", "", "sender", advice->is_for_submission);
}

static void print_advice(const struct advice *advice)
{
    printf("# Made by `lpalias postfix-config` from %s.\n\n", advice->config->file);
    print_domains(advice->config);
    print_aliases(advice);
    print_delimiter(advice->config);
    print_access(advice);
    print_policy(advice);
    print_submission(advice);
}

static enum exit_status run(const struct call *call)
{
    const char *way = NULL;
    struct advice advice = {.queue_directory = DEFAULT_QUEUE_DIRECTORY};
    CLEANUP(options_finish) struct options options = {0};
    CLEANUP(workspace_finish) struct workspace work = {0};
    const struct option_row rows[] = {
        {0, "queue-directory", "DIRECTORY",
         "Postfix's queue_directory; without it " DEFAULT_QUEUE_DIRECTORY,
         .value = &advice.queue_directory},
        {0, "way", "unix|proxy|inet|tcp-table", "how Postfix asks; without it the first there is",
         .value = &way},
        {0, "submission", .help = "set smtpd_sender_login_maps, too",
         .flag = &advice.is_for_submission},
    };
    if (!options_take(&options, call, rows, ARRAY_LENGTH(rows), 0, 0))
        return options.status;
    if (advice.queue_directory[0] != '/')
        return options_refuse(call, "the queue directory has an absolute path");
    if (way != NULL && !is_way(way))
        return options_refuse(call, "a way is unix, proxy, inet or tcp-table");
    if (!workspace_read_config(&work, call))
        return work.status;
    advice.config = work.config;
    if (!choose_way(&advice, way))
        return EXIT_FAILED;
    print_advice(&advice);
    return EXIT_DONE;
}

const struct command command_postfix_config = {
    .name = "postfix-config",
    .usage = "[--queue-directory DIRECTORY] [--way WAY] [--submission]",
    .help = "print the lines of main.cf that fit the configuration",
    .run = run,
};
