/*
 * What a static table of Postfix (hash, texthash, lmdb) would hold of the cache, and what such a
 * table cannot say of it. Postfix looks for user+extension@domain, user@domain and @domain in it,
 * cuts at the first delimiter only and puts an extension back onto the target (Postfix,
 * src/global/mail_addr_find.c, split_addr.c; propagate_unmatched_extensions).
 */
#ifndef LPALIAS_TOOL_NATIVE_TABLE_H
#define LPALIAS_TOOL_NATIVE_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/error.h"
#include "config/config.h"
#include "store/keyring.h"
#include "store/postfix_map.h"
#include "store/snapshot.h"
#include "tool/console.h"
#include "tool/domain_standing.h"

/* Something that the table would say otherwise than the cache does. */
enum native_loss_kind {
    NATIVE_CLOSED,
    NATIVE_NOT_CONFIGURED,
    NATIVE_CATCH_ALL,
    NATIVE_EXTENSION,
    NATIVE_DELIMITER,
    NATIVE_OTHER_SCRIPT,
    NATIVE_COMMENT,
};

struct native_loss {
    enum native_loss_kind kind;
    char *domain;
    size_t name_count; /* that it is about; 0: the whole domain */
};

struct native_table {
    struct postfix_map_entry *entries;
    size_t entry_count, entry_capacity;
    struct native_loss *losses;
    size_t loss_count, loss_capacity;
    /* Role and static addresses whose extension lpalias drops: Postfix appends it. */
    size_t dropped_extension_count;
    bool has_catch_all;
};

/* Where it is collected from; borrowed. */
struct native_source {
    const struct config *config;
    const struct keyring *ring;
    struct snapshot *snapshot;
    struct console_progress *progress;
    bool is_text; /* for a text file and not for a map in binary form */
};

/*
 * Adds a domain to the table, which is zeroed to begin with. ERROR_TEMPORARY: the cache cannot be
 * read, or a key is missing; ERROR_INVALID: a value that no key opens.
 */
bool native_table_add_domain(struct native_table *table, const struct native_source *source,
                             const struct domain_standing *standing,
                             struct error *error) MUST_CHECK;

/* What kind of loss it is, for people. */
const char *native_loss_text(enum native_loss_kind kind);

void native_table_finish(struct native_table *table);

#endif
