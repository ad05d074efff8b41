#include "launchpad/judge.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "launchpad/link.h"

/*
 * Only private teams are hidden, and there are few: a longer run without anybody between them is
 * rather a page that was lost.
 */
#define HIDDEN_IN_A_ROW_MAX 5

static void add_url(struct judge *judge, char *url)
{
    judge->urls =
        memory_grow(judge->urls, judge->url_count, &judge->url_capacity, sizeof(*judge->urls));
    judge->urls[judge->url_count++] = url;
    judge->url = url;
}

void judge_begin(struct judge *judge, const char *collection, unsigned page_size,
                 unsigned page_limit)
{
    *judge =
        (struct judge){.collection = collection, .page_size = page_size, .page_limit = page_limit};
    struct buffer url = {0};
    buffer_appendf(&url, "%s?ws.size=%u", collection, page_size);
    buffer_text(&url);
    add_url(judge, url.data);
}

void judge_finish(struct judge *judge)
{
    for (size_t i = 0; i < judge->entry_count; i++)
        free(judge->entries[i].name);
    for (size_t i = 0; i < judge->url_count; i++)
        free(judge->urls[i]);
    free(judge->entries);
    free(judge->urls);
    *judge = (struct judge){0};
}

bool judge_team(const struct page_team *team, const char *wanted_name, struct error *error)
{
    if (strcmp(team->name, wanted_name) != 0)
        return error_set(error, ERROR_INVALID, "the answer is about ~%.100s", team->name);
    if (!team->is_team)
        return error_set(error, ERROR_INVALID, "it is a person, not a team");
    return true;
}

static int compare_entries(const void *one, const void *other)
{
    return strcmp(((const struct page_entry *)one)->name, ((const struct page_entry *)other)->name);
}

/* Sorts the entries; NULL, or a name that stands there twice. */
static const char *find_duplicate(struct judge *judge)
{
    if (judge->entry_count == 0)
        return NULL;
    qsort(judge->entries, judge->entry_count, sizeof(*judge->entries), compare_entries);
    for (size_t i = 1; i < judge->entry_count; i++)
        if (compare_entries(&judge->entries[i - 1], &judge->entries[i]) == 0)
            return judge->entries[i].name;
    return NULL;
}

/* Below, ERROR_TEMPORARY means that the table moved, ERROR_INVALID that the page is wrong. */

/*
 * A later page must go on where the one before ended. Entries are hidden from a page after it was
 * cut (lazr.restful _resource.py batch(); facts 3.2), so start counts slots and all full pages
 * are equally far apart.
 */
static bool check_start(struct judge *judge, const struct page *page, struct error *error)
{
    if (judge->url_count == 1)
        return page->start == 0 ||
               error_set(error, ERROR_INVALID, "the first page starts at %zu", page->start);
    if (page->start <= judge->last_start || page->start >= page->total_size)
        return error_set(error, ERROR_INVALID, "a page after the one at %zu starts at %zu of %zu",
                         judge->last_start, page->start, page->total_size);
    if (judge->entry_count > page->start)
        return error_set(error, ERROR_INVALID, "%zu entries are listed before the page at %zu",
                         judge->entry_count, page->start);
    size_t step = page->start - judge->last_start;
    if (judge->step != 0 && step != judge->step)
        return error_set(error, ERROR_INVALID,
                         "a page starts at %zu instead of %zu: a page is missing", page->start,
                         judge->last_start + judge->step);
    judge->step = step;
    return true;
}

static bool check_total(struct judge *judge, const struct page *page, struct error *error)
{
    if (judge->url_count == 1)
        judge->total_size = page->total_size;
    if (page->total_size == judge->total_size)
        return true;
    return error_set(error, ERROR_TEMPORARY, "total_size changed from %zu to %zu while reading",
                     judge->total_size, page->total_size);
}

static void take_entries(struct judge *judge, struct page *page)
{
    for (size_t i = 0; i < page->entry_count; i++) {
        judge->entries = memory_grow(judge->entries, judge->entry_count, &judge->entry_capacity,
                                     sizeof(*judge->entries));
        judge->entries[judge->entry_count++] = page->entries[i];
        page->entries[i].name = NULL;
    }
}

static bool refuse_duplicate(const char *name, struct error *error)
{
    return error_set(error, ERROR_TEMPORARY, "%.100s is listed twice", name);
}

static bool check_count(struct judge *judge, struct error *error)
{
    if (judge->entry_count <= judge->total_size)
        return true;
    const char *twice = find_duplicate(judge);
    if (twice != NULL)
        return refuse_duplicate(twice, error);
    return error_set(error, ERROR_INVALID, "%zu entries are listed, but total_size is %zu",
                     judge->entry_count, judge->total_size);
}

/* Slots a page, as far as known: the server may give smaller pages than we ask for. */
static size_t page_slots(const struct judge *judge)
{
    return judge->step != 0 ? judge->step : judge->page_size;
}

/* A page without a single entry is believed to be all hidden up to HIDDEN_IN_A_ROW_MAX slots. */
static bool check_empty(const struct judge *judge, const struct page *page, struct error *error)
{
    size_t slots = page->total_size - page->start;
    if (slots > page_slots(judge))
        slots = page_slots(judge);
    if (page->entry_count != 0 || slots <= HIDDEN_IN_A_ROW_MAX)
        return true;
    return error_set(error, ERROR_INVALID, "no entry on the page at %zu of %zu", page->start,
                     page->total_size);
}

static bool check_next(struct judge *judge, const char *next, struct error *error)
{
    if (!link_check(judge->collection, next, error))
        return false;
    for (size_t i = 0; i < judge->url_count; i++)
        if (strcmp(judge->urls[i], next) == 0)
            return error_set(error, ERROR_INVALID, "the next link leads back to a page before");
    if (judge->url_count >= judge->page_limit)
        return error_set(error, ERROR_INVALID, "there are more than %u pages", judge->page_limit);
    return true;
}

/*
 * The end is believed when all is listed, or when what is not was within the last page's reach:
 * there it was hidden.
 */
static bool check_end(struct judge *judge, const struct page *page, struct error *error)
{
    size_t reach = page_slots(judge);
    if (judge->entry_count < judge->total_size && judge->total_size - page->start > reach)
        return error_set(error, ERROR_INVALID, "the pages end at %zu of %zu: a page is missing",
                         page->start + reach, judge->total_size);
    const char *twice = find_duplicate(judge);
    return twice == NULL || refuse_duplicate(twice, error);
}

enum judge_verdict judge_page(struct judge *judge, struct page *page, struct error *error)
{
    bool ok = check_total(judge, page, error) && check_start(judge, page, error) &&
              check_empty(judge, page, error);
    if (ok) {
        take_entries(judge, page);
        judge->last_start = page->start;
        ok = check_count(judge, error) && (page->next != NULL ? check_next(judge, page->next, error)
                                                              : check_end(judge, page, error));
    }
    if (!ok)
        return error->kind == ERROR_TEMPORARY ? JUDGE_MOVED : JUDGE_UNUSABLE;
    if (page->next == NULL)
        return JUDGE_COMPLETE;
    add_url(judge, page->next);
    page->next = NULL;
    return JUDGE_MORE;
}

void judge_fill(struct judge *judge, struct listing *listing)
{
    listing->total_size = judge->total_size;
    listing->hidden = judge->total_size - judge->entry_count;
    listing->people = memory_new(judge->entry_count, sizeof(*listing->people));
    for (size_t i = 0; i < judge->entry_count; i++) {
        struct page_entry *entry = &judge->entries[i];
        if (entry->is_team) {
            listing->subteams++;
        } else if (strlen(entry->name) > LISTING_NAME_MAX_BYTES) {
            listing->overlong++;
        } else {
            listing->people[listing->person_count++] = (struct listing_person){
                .name = entry->name,
                .date_created_us = entry->date_created_us,
                .is_valid = entry->is_valid,
                .is_ubuntu_coc_signer = entry->is_ubuntu_coc_signer,
                .preferred = entry->preferred,
                .address = entry->address,
            };
            entry->name = NULL;
        }
    }
}
