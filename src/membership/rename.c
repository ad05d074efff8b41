#include "membership/rename.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "membership/target_list.h"

/* A new name that was seen; a rename if in the end just one old name is found for it. */
struct finding {
    struct rename_list *list;
    bool *is_ambiguous; /* of each item */
};

static int compare_dates(const void *a, const void *b)
{
    int64_t left = ((const struct rename *)a)->date_created_us;
    int64_t right = ((const struct rename *)b)->date_created_us;
    return (left > right) - (left < right);
}

static struct rename *find_date(const struct rename_list *list, int64_t date_created_us)
{
    struct rename wanted = {.date_created_us = date_created_us};
    return list->count == 0
               ? NULL
               : bsearch(&wanted, list->items, list->count, sizeof(*list->items), compare_dates);
}

/* The cache does not know the name, knows it as another account's, or as one that went on. */
static bool is_new_name(const struct person_record *person, const struct listing_person *seen)
{
    return person->date_created_us != seen->date_created_us || person->renamed_to.length != 0;
}

static bool add_candidate(struct snapshot *snapshot, const struct listing_person *seen,
                          struct rename_list *list, struct error *error)
{
    struct person_record person = {0};
    if (snapshot_person(snapshot, seen->name, &person, error) == STORE_TROUBLE)
        return false;
    if (!is_new_name(&person, seen))
        return true;
    list->items = memory_grow(list->items, list->count, &list->capacity, sizeof(*list->items));
    list->items[list->count++] =
        (struct rename){seen->date_created_us, memory_copy_text(seen->name), NULL};
    return true;
}

/* Candidates in the order of their dates, each name once; a date with two names keeps the first. */
static void sort_candidates(struct finding *finding)
{
    struct rename_list *list = finding->list;
    size_t kept = 0;
    if (list->count != 0)
        qsort(list->items, list->count, sizeof(*list->items), compare_dates);
    finding->is_ambiguous = memory_new(list->count, sizeof(bool));
    for (size_t i = 0; i < list->count; i++) {
        if (kept != 0 && list->items[kept - 1].date_created_us == list->items[i].date_created_us) {
            if (strcmp(list->items[kept - 1].to, list->items[i].to) != 0)
                finding->is_ambiguous[kept - 1] = true;
            free(list->items[i].to);
            continue;
        }
        list->items[kept++] = list->items[i];
    }
    list->count = kept;
}

static int compare_to_person(const void *name, const void *person)
{
    return strcmp(name, ((const struct listing_person *)person)->name);
}

/* Somebody else with the same date, also the old name itself, makes it no rename, and so does
 * another account under the new name: the listings contradict each other. */
static void check_seen(struct finding *finding, const struct listing *listing)
{
    struct rename_list *list = finding->list;
    for (size_t i = 0; i < listing->person_count; i++) {
        const struct listing_person *person = &listing->people[i];
        const struct rename *item = find_date(list, person->date_created_us);
        if (item != NULL && strcmp(item->to, person->name) != 0)
            finding->is_ambiguous[item - list->items] = true;
    }
    for (size_t i = 0; i < list->count && listing->person_count != 0; i++) {
        const struct listing_person *person =
            bsearch(list->items[i].to, listing->people, listing->person_count,
                    sizeof(*listing->people), compare_to_person);
        if (person != NULL && person->date_created_us != list->items[i].date_created_us)
            finding->is_ambiguous[i] = true;
    }
}

static bool check_known(void *context, const char *name, const struct person_record *person)
{
    struct finding *finding = context;
    struct rename *item = find_date(finding->list, person->date_created_us);
    if (item == NULL || person->renamed_to.length != 0 || strcmp(item->to, name) == 0)
        return true;
    if (item->from != NULL)
        finding->is_ambiguous[item - finding->list->items] = true;
    else
        item->from = memory_copy_text(name);
    return true;
}

static void keep_unambiguous(struct finding *finding)
{
    struct rename_list *list = finding->list;
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i].from != NULL && !finding->is_ambiguous[i]) {
            list->items[kept++] = list->items[i];
            continue;
        }
        free(list->items[i].to);
        free(list->items[i].from);
    }
    list->count = kept;
}

bool rename_list_find(struct snapshot *snapshot, const struct listing *const *listings,
                      size_t listing_count, struct rename_list *ret, struct error *error)
{
    struct finding finding = {ret, NULL};
    for (size_t i = 0; i < listing_count; i++)
        for (size_t person = 0; person < listings[i]->person_count; person++)
            if (!add_candidate(snapshot, &listings[i]->people[person], ret, error))
                return false;
    sort_candidates(&finding);
    for (size_t i = 0; i < listing_count && ret->count != 0; i++)
        check_seen(&finding, listings[i]);
    bool is_fine = ret->count == 0 || snapshot_each_person(snapshot, check_known, &finding, error);
    keep_unambiguous(&finding);
    free(finding.is_ambiguous);
    return is_fine;
}

struct late_finding {
    struct snapshot *snapshot;
    struct rename_list *list;
    bool is_fine;
    struct error *error;
};

static bool add_late(void *context, const char *name, const struct person_record *person)
{
    struct late_finding *finding = context;
    struct rename_list *list = finding->list;
    struct person_record heir;
    if (person->renamed_to.length == 0)
        return true;
    CLEANUP(memory_free_at)
    char *to = memory_copy_bytes(person->renamed_to.data, person->renamed_to.length);
    enum store_result result = snapshot_person(finding->snapshot, to, &heir, finding->error);
    finding->is_fine = result != STORE_TROUBLE;
    if (result != STORE_FOUND || heir.date_created_us != person->date_created_us ||
        heir.renamed_to.length != 0)
        return finding->is_fine;
    list->items = memory_grow(list->items, list->count, &list->capacity, sizeof(*list->items));
    list->items[list->count++] =
        (struct rename){person->date_created_us, memory_copy_text(to), memory_copy_text(name)};
    return true;
}

static int compare_late(const void *a, const void *b)
{
    int order = compare_dates(a, b);
    return order != 0 ? order
                      : strcmp(((const struct rename *)a)->from, ((const struct rename *)b)->from);
}

bool rename_list_find_late(struct snapshot *snapshot, struct rename_list *ret, struct error *error)
{
    struct late_finding finding = {snapshot, ret, true, error};
    bool is_fine = snapshot_each_person(snapshot, add_late, &finding, error) && finding.is_fine;
    if (ret->count != 0)
        qsort(ret->items, ret->count, sizeof(*ret->items), compare_late);
    return is_fine;
}

const struct rename *rename_list_first(const struct rename_list *list, int64_t date_created_us)
{
    const struct rename *item = find_date(list, date_created_us);
    while (item != NULL && item != list->items && item[-1].date_created_us == date_created_us)
        item--;
    return item;
}

const struct rename *rename_list_at(const struct rename_list *list, int64_t date_created_us,
                                    const char *name)
{
    const struct rename *item = find_date(list, date_created_us);
    return item != NULL && (strcmp(item->to, name) == 0 || strcmp(item->from, name) == 0) ? item
                                                                                          : NULL;
}

void rename_list_finish(struct rename_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i].to);
        free(list->items[i].from);
    }
    free(list->items);
    *list = (struct rename_list){0};
}

static void tell(const struct planning *planning, const struct rename *rename)
{
    struct buffer detail = {0};
    buffer_appendf(&detail, "was %s", rename->from);
    struct event_record event = {
        .at_s = planning->now_s,
        .actor = span_of(planning->actor),
        .act = span_of("person.renamed"),
        .subject = span_of(rename->to),
        .detail = {detail.data, detail.length},
    };
    changeset_event(planning->changeset, &event);
    buffer_finish(&detail);
}

bool rename_take_over(const struct planning *planning, const struct rename *rename,
                      const struct person_record *from, struct person_record *to,
                      struct buffer *sealed, struct error *error)
{
    struct target_list targets;
    bool is_open = target_list_open(planning->ring, rename->from, from, &targets, error);
    if (is_open) {
        bool was_banned = to->is_banned;
        struct person_record banned = *to;
        *to = *from;
        if (was_banned && !from->is_banned) {
            to->is_banned = true;
            to->banned_s = banned.banned_s;
            to->ban_reason = banned.ban_reason;
        }
        to->renamed_to = (struct span){"", 0};
        target_list_seal(&targets, planning->ring, rename->to, sealed, to);
        if (from->login_identifier.length != 0) {
            CLEANUP(memory_free_at)
            char *identifier =
                memory_copy_bytes(from->login_identifier.data, from->login_identifier.length);
            struct login_record login = {.name = span_of(rename->to)};
            changeset_put_login(planning->changeset, identifier, &login);
        }
        tell(planning, rename);
    }
    target_list_finish(&targets);
    return is_open;
}

void rename_tell(const struct planning *planning, const struct rename *rename, const char *domain,
                 const struct person_record *person, struct projection_verdict verdict)
{
    struct buffer detail = {0}, used = {0};
    struct target_list targets;
    struct error ignored;
    if (planning->notices == NULL)
        return;
    buffer_appendf(&detail, "was %s, is %s now", rename->from, alias_state_name(verdict.state));
    if (target_list_open(planning->ring, rename->to, person, &targets, &ignored))
        target_list_used(&targets, &used);
    target_list_finish(&targets);
    notice_list_add(planning->notices, NOTICE_RENAMED, domain, rename->to,
                    alias_reason_name(verdict.reason), buffer_text(&detail),
                    (struct span){used.data, used.length});
    buffer_finish(&detail);
    buffer_finish(&used);
}
