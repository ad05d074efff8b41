/*
 * How many aliases each domain has, by kind and state, and what waits in the outbox: counted a few
 * rows at a time, so that a server of one thread can answer in between. A change of the cache while
 * it is counted makes the count one of two generations; it is then counted again.
 */
#ifndef LPALIAS_STORE_CENSUS_H
#define LPALIAS_STORE_CENSUS_H

#include "base/error.h"
#include "store/reader.h"

struct census_domain {
    char *name;
    uint64_t aliases[ALIAS_STATIC + 1][ALIAS_GONE + 1]; /* by kind and state */
};

struct census {
    bool is_made;                  /* else all of it is zero: nothing was counted to its end yet */
    uint64_t generation;           /* when the count began */
    struct census_domain *domains; /* those that have aliases, in the order of the table */
    size_t domain_count;
    uint64_t notices;         /* that wait in the outbox */
    uint64_t overdue_notices; /* of them, those the alert was given for */
    int64_t oldest_notice_s;  /* 0: none waits */
};

struct census_taker;

/* reader is borrowed and must outlive it. Never NULL. */
struct census_taker *census_taker_create(struct store_reader *reader);
void census_taker_destroy(struct census_taker *taker);

enum census_step {
    CENSUS_DONE,    /* what was counted last is what the reader sees */
    CENSUS_MORE,    /* to be called again */
    CENSUS_TROUBLE, /* the cache cannot be read now: what was counted before stays */
};

/*
 * Wakes the reader, looks at no more than max_rows rows and returns. A count that is done begins
 * anew when the cache has changed.
 */
enum census_step census_taker_go_on(struct census_taker *taker, size_t max_rows,
                                    struct error *error) MUST_CHECK;

/* The last whole count, borrowed until the next step. */
const struct census *census_taker_result(const struct census_taker *taker);

#endif
