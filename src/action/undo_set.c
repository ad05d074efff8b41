#include "action/undo_set.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "store/key.h"

/* ---- which refresh ---- */

struct generation_list {
    uint64_t *generations; /* oldest first */
    size_t count, capacity;
};

static bool add_generation(void *context, uint64_t generation, int64_t at_s)
{
    struct generation_list *list = context;
    (void)at_s;
    list->generations =
        memory_grow(list->generations, list->count, &list->capacity, sizeof(*list->generations));
    list->generations[list->count++] = generation;
    return true;
}

/* Splits the key of an alias or membership row; false: it is of another domain. */
static bool is_of_domain(const struct undo_record *record, const char *domain,
                         struct span *ret_second)
{
    struct span first;
    return record->table != UNDO_PERSON && key_split_pair(record->key, &first, ret_second) &&
           first.length == strlen(domain) && memcmp(first.data, domain, first.length) == 0;
}

/* What is looked for in the rows of one generation. */
struct search {
    const char *domain;
    uint64_t changed_by; /* 0: an alias of the domain */
    bool is_found;
};

static bool look_at_row(void *context, uint64_t generation, uint64_t number,
                        const struct undo_record *record)
{
    struct search *search = context;
    struct span local;
    (void)generation, (void)number;
    search->is_found = search->changed_by != 0 ? record->stamp.generation == search->changed_by
                                               : record->table == UNDO_ALIAS &&
                                                     is_of_domain(record, search->domain, &local);
    return !search->is_found;
}

/* *ret is 0 if there is none. */
static bool find_last(struct snapshot *snapshot, const struct generation_list *list,
                      const char *domain, uint64_t *ret, struct error *error)
{
    *ret = 0;
    for (size_t i = list->count; i > 0 && *ret == 0; i--) {
        struct search search = {domain, 0, false};
        if (!snapshot_each_undo(snapshot, list->generations[i - 1], look_at_row, &search, error))
            return false;
        if (search.is_found)
            *ret = list->generations[i - 1];
    }
    return true;
}

/* The refresh that made this generation, whole or as one of its pieces. */
static bool find_made(struct snapshot *snapshot, const struct generation_list *list,
                      uint64_t generation, uint64_t *ret, struct error *error)
{
    size_t i = list->count;
    while (i > 0 && list->generations[i - 1] > generation)
        i--;
    struct search search = {NULL, generation, false};
    if (i > 0 &&
        !snapshot_each_undo(snapshot, list->generations[i - 1], look_at_row, &search, error))
        return false;
    if (!search.is_found)
        return error_set(error, ERROR_INVALID,
                         "generation %" PRIu64
                         " was not made by a refresh, or what was before it is not kept any more",
                         generation);
    *ret = list->generations[i - 1];
    return true;
}

static bool choose(struct snapshot *snapshot, const char *domain, uint64_t generation,
                   uint64_t *ret, struct error *error)
{
    struct generation_list list = {0};
    bool is_fine = snapshot_each_undo_generation(snapshot, add_generation, &list, error) &&
                   (generation == 0 ? find_last(snapshot, &list, domain, ret, error)
                                    : find_made(snapshot, &list, generation, ret, error));
    free(list.generations);
    return is_fine;
}

/* ---- its rows ---- */

struct gathering {
    struct undo_set *set;
    struct snapshot *snapshot;
    const char *domain;
    struct error *error;
    bool is_troubled;
};

static char *copy_span(struct span span)
{
    return span.length != 0 ? memory_copy_bytes(span.data, span.length) : memory_copy_text("");
}

/* Whose alias it is: who has it now, else who had it before. False: the cache. */
static bool find_owner(const struct gathering *gathering, const struct undo_record *record,
                       struct span local, char **ret)
{
    struct alias_record alias;
    switch (
        snapshot_alias(gathering->snapshot, gathering->domain, local, &alias, gathering->error)) {
    case STORE_TROUBLE:
        return false;
    case STORE_ABSENT:
        alias.owner = (struct span){"", 0};
        break;
    case STORE_FOUND:
        break;
    }
    if (alias.owner.length == 0 && !record->was_absent) {
        if (!alias_record_decode(record->value, &alias))
            return error_set(gathering->error, ERROR_TEMPORARY,
                             "a record of table \"undo\" cannot be understood");
    }
    *ret = copy_span(alias.owner.length != 0 ? alias.owner : local);
    return true;
}

static bool add_row(void *context, uint64_t generation, uint64_t number,
                    const struct undo_record *record)
{
    struct gathering *gathering = context;
    struct undo_set *set = gathering->set;
    struct span second = record->key;
    char *name = NULL;
    (void)generation;
    set->at_s = record->at_s;
    if (record->table != UNDO_PERSON && !is_of_domain(record, gathering->domain, &second))
        return true;
    if (record->table != UNDO_ALIAS)
        name = copy_span(second);
    else if (!find_owner(gathering, record, second, &name))
        gathering->is_troubled = true;
    if (gathering->is_troubled)
        return false;
    set->rows = memory_grow(set->rows, set->count, &set->capacity, sizeof(*set->rows));
    set->rows[set->count++] = (struct undo_row){
        .name = name,
        .table = record->table,
        .local = record->table == UNDO_ALIAS ? copy_span(second) : memory_copy_text(""),
        .number = number,
        .was_absent = record->was_absent,
        .before = record->value,
        .changed_by = record->stamp.generation,
    };
    return true;
}

static void free_row(struct undo_row *row)
{
    free(row->name);
    free(row->local);
}

static bool is_same_row(const struct undo_row *a, const struct undo_row *b)
{
    return a->table == b->table && strcmp(a->name, b->name) == 0 && strcmp(a->local, b->local) == 0;
}

static int compare_rows(const void *left, const void *right)
{
    const struct undo_row *a = left;
    const struct undo_row *b = right;
    int order = strcmp(a->name, b->name);
    if (order == 0)
        order = (a->table > b->table) - (a->table < b->table);
    if (order == 0)
        order = strcmp(a->local, b->local);
    return order != 0 ? order : (a->number > b->number) - (a->number < b->number);
}

/* Two pieces may have changed a row: it was as the first found it, and is as the last left it. */
static void merge_repeats(struct undo_set *set)
{
    size_t kept = 0;
    if (set->count != 0)
        qsort(set->rows, set->count, sizeof(*set->rows), compare_rows);
    for (size_t i = 0; i < set->count; i++) {
        if (kept != 0 && is_same_row(&set->rows[kept - 1], &set->rows[i])) {
            set->rows[kept - 1].changed_by = set->rows[i].changed_by;
            free_row(&set->rows[i]);
        } else {
            set->rows[kept++] = set->rows[i];
        }
    }
    set->count = kept;
}

size_t undo_set_name_end(const struct undo_set *set, size_t from)
{
    size_t to = from + 1;
    while (to < set->count && strcmp(set->rows[to].name, set->rows[from].name) == 0)
        to++;
    return to;
}

/* A person of whom nothing in this domain was changed is no matter of it. */
static void drop_others(struct undo_set *set)
{
    size_t kept = 0;
    size_t end = 0;
    for (size_t from = 0; from < set->count; from = end) {
        end = undo_set_name_end(set, from);
        if (end == from + 1 && set->rows[from].table == UNDO_PERSON) {
            free_row(&set->rows[from]);
            continue;
        }
        for (size_t i = from; i < end; i++)
            set->rows[kept++] = set->rows[i];
    }
    set->count = kept;
}

bool undo_set_gather(struct snapshot *snapshot, const char *domain, uint64_t generation,
                     struct undo_set *ret, struct error *error)
{
    struct gathering gathering = {ret, snapshot, domain, error, false};
    if (!choose(snapshot, domain, generation, &ret->generation, error))
        return false;
    if (ret->generation == 0)
        return true;
    if (!snapshot_each_undo(snapshot, ret->generation, add_row, &gathering, error) ||
        gathering.is_troubled)
        return false;
    merge_repeats(ret);
    drop_others(ret);
    return true;
}

void undo_set_finish(struct undo_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        free_row(&set->rows[i]);
    free(set->rows);
    *set = (struct undo_set){0};
}
