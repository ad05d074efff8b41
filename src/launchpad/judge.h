/*
 * Everything that decides whether a listing is usable. Pure: pages go in, a verdict comes out.
 * The invariant: COMPLETE is said only after every slot of the collection was either listed or
 * lay on a page that we read, and no two pages contradicted each other.
 */
#ifndef LPALIAS_LAUNCHPAD_JUDGE_H
#define LPALIAS_LAUNCHPAD_JUDGE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/error.h"
#include "launchpad/listing.h"
#include "launchpad/page.h"

enum judge_verdict {
    JUDGE_MORE,     /* judge.url is the next page to read */
    JUDGE_COMPLETE, /* judge_fill() may be called */
    JUDGE_MOVED,    /* the live table changed under the paging: start again from the first page */
    JUDGE_UNUSABLE,
};

/* What the pages of one team said so far. */
struct judge {
    const char *collection; /* borrowed: the URL of the collection without a query */
    const char *url;        /* borrowed from urls: the page that is being read */
    unsigned page_size;     /* that we ask for; the server may give smaller pages */
    unsigned page_limit;
    char **urls; /* of all pages so far, this one included */
    size_t url_count;
    size_t url_capacity;
    size_t step; /* slots a page; 0: not known, as only one page was read */
    size_t last_start;
    size_t total_size;
    struct page_entry *entries;
    size_t entry_count;
    size_t entry_capacity;
};

/* Ready for the first page, whose URL is collection with a query that asks for page_size. */
void judge_begin(struct judge *judge, const char *collection, unsigned page_size,
                 unsigned page_limit);

/* Frees what the judge holds and zeroes it; a zeroed one is accepted. */
void judge_finish(struct judge *judge);

/* Whether `~team` is the team that was asked for. ERROR_INVALID: it is not. */
bool judge_team(const struct page_team *team, const char *wanted_name,
                struct error *error) MUST_CHECK;

/*
 * Takes the page that was read from judge.url (names and next link are moved out; the caller
 * still finishes it). MOVED and UNUSABLE fill error, which may not be NULL (ERROR_TEMPORARY,
 * ERROR_INVALID); then the judge is only good for judge_finish().
 */
enum judge_verdict judge_page(struct judge *judge, struct page *page,
                              struct error *error) MUST_CHECK;

/* After COMPLETE: people and counts go into the zeroed listing, which takes over the names. */
void judge_fill(struct judge *judge, struct listing *listing);

#endif
