/*
 * The one configuration file, read by all programs. One table (config/table.c) holds each key's
 * type, limits, default, program and help sentence; parser, `lpalias check` and the manual test
 * are fed from it.
 */
#ifndef LPALIAS_CONFIG_CONFIG_H
#define LPALIAS_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/compiler.h"
#include "base/log.h"

#define CONFIG_DEFAULT_FILE "/etc/lpalias/lpalias.conf"

enum config_protocol {
    CONFIG_SOCKETMAP,
    CONFIG_TCP_TABLE,
    CONFIG_POLICY,
};

struct config_listener {
    enum config_protocol protocol;
    char *text;         /* as written, for messages: "unix:/path", "inet:127.0.0.1:10041" */
    char *unix_path;    /* absolute, at most 107 bytes; NULL for inet */
    char *inet_address; /* numeric IPv4 or IPv6 without brackets, canonical; NULL for unix */
    uint16_t inet_port; /* 0: any free one (written to the log) */
    char *map;          /* tcp_table only: the map that this listener serves */
};

struct config_list {
    char **items;
    size_t count;
};

struct config_role {
    char *name; /* lower-case local part */
    struct config_list targets;
};

struct config_domain {
    char *name;      /* lower-case A-label */
    char *team;      /* Launchpad name without "~" */
    char *proof;     /* wanted TXT text, or NULL: no check */
    char *catch_all; /* target, or NULL */
    int64_t grace_ms;
    bool rejects_in_grace;       /* a leaving name is refused instead of being delivered */
    struct config_list reserved; /* lower-case local parts */
    struct config_list admins;   /* Launchpad names */
    char *admin_team;            /* Launchpad name without "~", or NULL */
    struct config_list notices;  /* addresses that admins' notices go to; empty: alerts */
    struct config_role *roles;
    size_t role_count;
};

struct config_launchpad {
    char *api;         /* root with version, no slash at the end: "https://api.launchpad.net/1.0" */
    char *credentials; /* or NULL */
    unsigned page_size;            /* 1..300 */
    unsigned concurrency;          /* 1..16 requests at a time */
    unsigned retries;              /* per request, 0..20 */
    int64_t retry_delay_ms;        /* first back-off step, doubled each time */
    int64_t request_timeout_ms;    /* one request */
    int64_t total_timeout_ms;      /* the whole fetch */
    uint64_t response_limit_bytes; /* one body after decompression */
};

struct config_refresh {
    unsigned max_removals_percent;
    unsigned max_additions_percent;
    int64_t stale_after_ms;
};

enum config_starttls {
    CONFIG_STARTTLS_NEVER,
    CONFIG_STARTTLS_MAY, /* if the server offers it */
    CONFIG_STARTTLS_MUST,
};

/* How notices leave by mail. */
struct config_notify {
    char *smtp; /* "smtp://HOST:PORT" or "smtps://HOST:PORT" */
    enum config_starttls starttls;
    char *ca_file;              /* certificates to trust instead of the system's, or NULL */
    char *user, *password_file; /* both or none */
    char *from;                 /* of the header; NULL: alerts */
    bool null_sender;           /* the envelope's sender is "<>", else from */
    char *templates;            /* directory of texts that replace the built-in ones, or NULL */
    int64_t timeout_ms;         /* of one mail */
};

/* How the TXT records are asked for that prove domains. */
struct config_dns {
    struct config_list servers; /* "ADDRESS@PORT"; empty: those of resolv.conf */
    char *trust_anchors;        /* file of DNSSEC anchors */
    int64_t timeout_ms;
};

struct config_server {
    struct config_listener *listeners;
    size_t listener_count;
    struct config_listener metrics; /* for monitoring; text is NULL: none */
    char *recipient_delimiter; /* "" for none; each character is a delimiter */
    bool allow_remote;
    char *user; /* to become when started as root, or NULL */
    bool is_sandboxed;
    unsigned connection_limit;
    int64_t idle_limit_ms;
    int64_t stall_limit_ms;
    enum log_level log_level;
    bool logs_addresses;
};

/* The self-service web site. listen.text is NULL where there is no such section. */
struct config_portal {
    struct config_listener listen;
    char *url;                /* of the site as browsers see it, no slash: "https://host[:port]" */
    char *openid_endpoint;    /* that answers come from and are checked with */
    char *openid_identifiers; /* what every claimed identifier begins with */
    char *launchpad_web;      /* for links, no slash at the end */
    struct config_list
        trusted_proxies;       /* numeric addresses, canonical; those of this host are too */
    struct config_list admins; /* Launchpad names of admins of all domains */
    char *admin_team;          /* Launchpad name without "~", or NULL */
    char *state;               /* directory of the portal's own database */
    bool is_sandboxed;
    int64_t session_idle_ms, session_limit_ms;
    unsigned connection_limit;
    int64_t request_timeout_ms; /* from a request's first byte to its last; of an answer alike */
    char *user;                 /* to become when started as root, or NULL */
};

struct config {
    char *file;
    char *cache;    /* directory */
    char *key_file; /* key ring */
    char *alerts;   /* address of the operators, outside all domains below */
    uint64_t cache_limit_bytes;
    struct config_launchpad launchpad;
    struct config_refresh refresh;
    struct config_notify notify;
    struct config_dns dns;
    struct config_server server;
    struct config_portal portal;
    struct config_domain *domains;
    size_t domain_count;
};

/* What is wrong with a file: each line "FILE:LINE: text; hint", in the order of the file. */
struct config_problems {
    char **lines;
    size_t count;
    bool unreadable; /* the one line says why the file cannot be read: cannot tell */
};
/* Frees the lines; NULL and a zeroed struct are fine. */
void config_problems_finish(struct config_problems *problems);

/*
 * Reads file. On success *ret_config is to be destroyed by the caller and problems is empty.
 * False: problems, which the caller finishes, holds all value problems and the first syntax error
 * in escaped text; nothing else was opened. Not to be called in two threads at a time.
 */
bool config_read(const char *file, struct config **ret_config,
                 struct config_problems *problems) MUST_CHECK;

/* Frees it and all it holds; NULL is fine. */
void config_destroy(struct config *config);

/* The domain of that A-label, or NULL. */
const struct config_domain *config_find_domain(const struct config *config, const char *name);

/* Prints every key: type, default, limits, program and help sentence, for people. */
void config_print_keys(FILE *out);

#endif
