#include "action/import_resolve.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "membership/target_check.h"

/* Longer chains are circles: Postfix itself gives up on those. */
#define DEPTH_MAX 20

static enum import_resolution resolve(const struct import_index *index, const char *target,
                                      struct span extension, unsigned depth,
                                      struct buffer *ret_lines, struct error *error);

static void append_line(struct buffer *lines, const char *target, struct span extension)
{
    if (lines->length != 0)
        buffer_append_char(lines, '\n');
    address_append_extended(lines, span_of(target), extension);
}

/* The row of that very address, or NULL. */
static const struct import_row *find_row(const struct import_index *index, const char *local,
                                         const char *domain)
{
    size_t low = 0;
    size_t high = index->row_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(index->addresses[index->by_address[middle]].local, local) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < index->row_count; low++) {
        size_t row = index->by_address[low];
        if (strcmp(index->addresses[row].local, local) != 0)
            return NULL;
        if (strcmp(index->addresses[row].domain, domain) == 0)
            return &index->rows[row];
    }
    return NULL;
}

static enum import_resolution resolve_row(const struct import_index *index,
                                          const struct import_row *row, struct span extension,
                                          unsigned depth, struct buffer *ret_lines,
                                          struct error *error)
{
    enum import_resolution result = IMPORT_LEADS_NOWHERE;
    for (size_t i = 0; i < row->target_count; i++) {
        result = resolve(index, row->targets[i], extension, depth, ret_lines, error);
        if (result != IMPORT_RESOLVED)
            break;
    }
    return result;
}

static enum import_resolution resolve_alias(const struct import_index *index, const char *domain,
                                            const char *local, const struct alias_record *alias,
                                            struct span extension, unsigned depth,
                                            struct buffer *ret_lines, struct error *error)
{
    CLEANUP(buffer_finish) struct buffer plain = {0};
    char *rest = NULL;
    enum import_resolution result = IMPORT_LEADS_NOWHERE;
    if (!alias_record_is_live(alias))
        return IMPORT_LEADS_NOWHERE;
    enum unseal_result opened = keyring_unseal_alias(index->planning->ring, domain, span_of(local),
                                                     alias->sealed_targets, &plain);
    if (opened != UNSEAL_DONE) {
        unseal_result_to_error(opened, error);
        return IMPORT_UNREADABLE;
    }
    buffer_text(&plain);
    for (char *line = strtok_r(plain.data, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        result = resolve(index, line, extension, depth, ret_lines, error);
        if (result != IMPORT_RESOLVED)
            break;
    }
    return result;
}

/* The address by the file, else by the cache; IMPORT_LEADS_NOWHERE if neither knows it. */
static enum import_resolution resolve_exactly(const struct import_index *index, const char *local,
                                              const char *domain, struct span extension,
                                              unsigned depth, struct buffer *ret_lines,
                                              struct error *error)
{
    struct alias_record alias;
    const struct import_row *row = find_row(index, local, domain);
    if (row != NULL)
        return resolve_row(index, row, extension, depth, ret_lines, error);
    switch (snapshot_alias(index->planning->snapshot, domain, span_of(local), &alias, error)) {
    case STORE_TROUBLE:
        return IMPORT_UNREADABLE;
    case STORE_ABSENT:
        return IMPORT_LEADS_NOWHERE;
    case STORE_FOUND:
        break;
    }
    return resolve_alias(index, domain, local, &alias, extension, depth, ret_lines, error);
}

/* As lookups do: the whole local part, then without its extensions. */
static enum import_resolution resolve_ours(const struct import_index *index,
                                           const struct address *address, unsigned depth,
                                           struct buffer *ret_lines, struct error *error)
{
    const char *delimiters = index->planning->house->recipient_delimiter;
    CLEANUP(memory_free_at) char *local = memory_copy_text(address->local);
    for (size_t length = address->local_length; length != 0;
         length = address_next_cut(address->local, length, delimiters)) {
        struct span extension = {address->local + length, address->local_length - length};
        local[length] = '\0';
        enum import_resolution result =
            resolve_exactly(index, local, address->domain, extension, depth, ret_lines, error);
        if (result != IMPORT_LEADS_NOWHERE)
            return result;
    }
    return IMPORT_LEADS_NOWHERE;
}

static enum import_resolution resolve(const struct import_index *index, const char *target,
                                      struct span extension, unsigned depth,
                                      struct buffer *ret_lines, struct error *error)
{
    struct address address;
    bool is_ours = false;
    if (address_parse(target, strlen(target), &address) == ADDRESS_FULL) {
        CLEANUP(buffer_finish) struct buffer canonical = {0};
        buffer_appendf(&canonical, "%s@%s", address.local, address.domain);
        is_ours = target_check_is_configured(index->planning->house, buffer_text(&canonical));
        if (!is_ours && !target_check_is_served(index->planning->snapshot, buffer_text(&canonical),
                                                &is_ours, error))
            return IMPORT_UNREADABLE;
    }
    if (!is_ours) {
        append_line(ret_lines, target, extension);
        return IMPORT_RESOLVED;
    }
    return depth == DEPTH_MAX ? IMPORT_CIRCLE
                              : resolve_ours(index, &address, depth + 1, ret_lines, error);
}

enum import_resolution import_resolve(const struct import_index *index,
                                      const struct import_row *row, struct buffer *ret_lines,
                                      size_t *ret_place, struct error *error)
{
    for (size_t i = 0; i < row->target_count; i++) {
        *ret_place = i + 1;
        enum import_resolution result =
            resolve(index, row->targets[i], (struct span){"", 0}, 0, ret_lines, error);
        if (result != IMPORT_RESOLVED)
            return result;
    }
    return IMPORT_RESOLVED;
}
