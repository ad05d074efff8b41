/*
 * (map, key) -> answer: the whole lookup policy, in the order of docs/architecture.md "A lookup".
 * Knows no socket and no frame. One per process, not thread-safe.
 */
#ifndef LPALIAS_LOOKUP_LOOKUP_H
#define LPALIAS_LOOKUP_LOOKUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "store/reader.h"

enum lookup_map {
    LOOKUP_MAP_ALIAS,     /* virtual_alias_maps */
    LOOKUP_MAP_DOMAIN,    /* virtual_alias_domains */
    LOOKUP_MAP_RECIPIENT, /* relay_recipient_maps */
    LOOKUP_MAP_SENDER,    /* smtpd_sender_login_maps */
    LOOKUP_MAP_ACCESS,    /* check_recipient_access; also what policy delegation says */
};

#define LOOKUP_MAP_COUNT (LOOKUP_MAP_ACCESS + 1)

/* In the map of senders: a login that nobody can have, as no Launchpad name begins so. */
#define LOOKUP_NO_LOGIN "!nobody"

enum lookup_answer {
    LOOKUP_FOUND,     /* the value was appended to the output */
    LOOKUP_ABSENT,    /* known to be absent: NOTFOUND */
    LOOKUP_TEMPORARY, /* cannot tell: TEMP */
};

/* How an address is dealt with, for `lpalias explain`: one call a step, in order. */
struct lookup_trace {
    void (*step)(void *context, const char *text);
    void *context;
};

/* A role address whose targets are not the default ones. */
struct lookup_role {
    const char *name;
    const char *targets; /* one a line */
};

/* A domain as the configuration has it. Everything is copied. */
struct lookup_domain {
    const char *name;      /* A-label */
    const char *catch_all; /* target, or NULL */
    const struct lookup_role *roles;
    size_t role_count;
};

struct lookup_settings {
    const struct lookup_domain *domains;
    size_t domain_count;
    const char *role_default_target; /* of all roles that have none of their own: `alerts` */
    const char *recipient_delimiter; /* "" for none */
};

struct lookup;

/* Makes a lookup over reader, which is borrowed and must outlive it. Never NULL. */
struct lookup *lookup_create(const struct lookup_settings *settings, struct store_reader *reader);
void lookup_destroy(struct lookup *lookup);

/*
 * Makes lookup, which takes the place of before, know what before knew to be ours, whether or not
 * the cache can be read now. What nobody has any more is forgotten by lookup_look_around().
 */
void lookup_remember(struct lookup *lookup, const struct lookup *before);

/* True: some domains are ours and not configured; their names are appended: "a.org, b.org". */
bool lookup_has_unconfigured(const struct lookup *lookup, struct buffer *names) MUST_CHECK;

/* False: there is no map of that name (the server says PERM). */
bool lookup_map_from_name(const char *name, size_t length, enum lookup_map *ret) MUST_CHECK;

/* The name that Postfix asks for: "alias". */
const char *lookup_map_name(enum lookup_map map);

/*
 * Answers one question. FOUND appends the value (never empty) to out; the other answers append
 * nothing. tracer may be NULL. Anything out of the ordinary about a key is ABSENT, never an error.
 */
enum lookup_answer lookup_ask(struct lookup *lookup, enum lookup_map map, const char *key,
                              size_t length, struct buffer *out,
                              const struct lookup_trace *tracer) MUST_CHECK;

/*
 * To be called before the loop sleeps: lets go of the snapshot of the cache, so that old pages
 * can be used again and the next question sees the newest generation.
 */
void lookup_rest(struct lookup *lookup);

/*
 * To be called now and then even when nobody asks: learns of domains that the cache has gained,
 * and forgets those that have left both the configuration and a cache that is trusted.
 * False: the cache, or the keys to its values, cannot be read now; why says the text.
 */
bool lookup_look_around(struct lookup *lookup, struct error *error) MUST_CHECK;

#endif
