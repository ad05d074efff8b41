/*
 * The one table of keys and sections. Parser, checks, defaults, `lpalias check` and the test of
 * docs/configuration.md walk it: a new key is one row here and one field in config.h.
 */
#ifndef LPALIAS_CONFIG_TABLE_H
#define LPALIAS_CONFIG_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "config/config.h"

enum config_type {                       /* the field that a value is stored in */
                   CONFIG_TEXT,          /* char *; limits in bytes */
                   CONFIG_PATH,          /* char *, absolute */
                   CONFIG_ADDRESS,       /* char *, mail address, domain in lower case */
                   CONFIG_URL,           /* char *, root of a web service, no slash at its end */
                   CONFIG_SITE_URL,      /* char *, scheme, host and port; no slash at its end */
                   CONFIG_WEB_URL,       /* char *, as written */
                   CONFIG_IP_ADDRESS,    /* char *, numeric, canonical */
                   CONFIG_SMTP_URL,      /* char *, smtp:// or smtps://, host and port */
                   CONFIG_DNS_SERVER,    /* char *, "ADDRESS@PORT" */
                   CONFIG_DELIMITERS,    /* char *, may be empty */
                   CONFIG_MAP,           /* char * */
                   CONFIG_TEAM,          /* char *, Launchpad name */
                   CONFIG_DOMAIN_NAME,   /* char *, lower-case A-label */
                   CONFIG_LOCAL_PART,    /* char *, lower-case dot-atom */
                   CONFIG_LISTENER,      /* struct config_listener */
                   CONFIG_INET_LISTENER, /* struct config_listener, never unix: */
                   CONFIG_DURATION,      /* int64_t; milliseconds, as are its limits */
                   CONFIG_BYTES,         /* uint64_t; bytes, as are its limits */
                   CONFIG_NUMBER,        /* unsigned */
                   CONFIG_PERCENT,       /* unsigned, with "%" */
                   CONFIG_BOOLEAN,       /* bool */
                   CONFIG_GRACE,         /* bool: reject */
                   CONFIG_STARTTLS,      /* enum config_starttls */
                   CONFIG_LOG_LEVEL,     /* enum log_level */
};

enum config_section_id {
    SECTION_TOP, /* what stands in no section; its own parent */
    SECTION_LAUNCHPAD,
    SECTION_REFRESH,
    SECTION_NOTIFY,
    SECTION_DNS,
    SECTION_SERVER,
    SECTION_TCP_TABLE,
    SECTION_PORTAL,
    SECTION_DOMAIN,
    SECTION_ROLE,
    SECTION_COUNT,
};

struct config_key {
    enum config_section_id section;
    const char *name;
    enum config_type type;
    bool required;
    bool list;            /* { "a", "b" }, a struct config_list; listeners go to the server's */
    uint64_t min, max;    /* of TEXT, DURATION, BYTES, NUMBER and PERCENT */
    const char *fallback; /* the default as it would be written, or NULL: none */
    const char *program;  /* who uses it: a program's name or "all" */
    const char *help;     /* one sentence */
    bool needs_restart;   /* a running lpaliasd cannot take another value (config/restart.h) */
    enum config_protocol protocol; /* of LISTENER and INET_LISTENER */
    size_t offset; /* of the field in config, config_domain, config_role or config_listener;
                      unused for listeners */
};

struct config_section {
    const char *name;
    enum config_section_id parent;
    bool many;               /* may be given several times, each with a title */
    struct config_key title; /* how a title is checked and stored */
    const char *help;
};

extern const struct config_key config_keys[];
extern const size_t config_key_count;
extern const struct config_section config_sections[SECTION_COUNT];

/* The key of that section and name, or NULL. */
const struct config_key *config_find_key(enum config_section_id section, const char *name);

/* The type in words, with its limits: "number from 1 to 300". */
void config_append_type(struct buffer *out, const struct config_key *key);

/* Milliseconds or bytes in the largest unit that gives a whole number: "10m", "16G". */
void config_append_duration(struct buffer *out, uint64_t ms);
void config_append_bytes(struct buffer *out, uint64_t bytes);

#endif
