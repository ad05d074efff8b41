/*
 * The lookup server's way to the cache: a read transaction that is renewed at the first question
 * after a wake-up and let go before sleeping, over a file that may be swapped, cut, removed or
 * made unreadable at any time. While the file is not the one it trusted, all its domains count as
 * closed until they are opened again (docs/architecture.md "Change of file").
 */
#ifndef LPALIAS_STORE_READER_H
#define LPALIAS_STORE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "store/record.h"
#include "store/snapshot.h"

struct store_reader;

struct store_reader_settings {
    const char *directory;
    const char *key_file;
    uint64_t limit_bytes;
};

/* Makes a reader; nothing is opened before the first question. Strings are copied. Never NULL. */
struct store_reader *store_reader_create(const struct store_reader_settings *settings);
void store_reader_destroy(struct store_reader *reader);

/*
 * Wakes the reader unless it is awake: checks the file, opens it again if it must (at most once
 * a second), renews the transaction. False: the cache cannot be read now; why says the text.
 */
bool store_reader_wake(struct store_reader *reader, struct error *error) MUST_CHECK;

/* Lets the snapshot go. Everything handed out since waking is dead. */
void store_reader_rest(struct store_reader *reader);

/*
 * Changes whenever domains may have changed: with each new generation and each change of file.
 * Only while awake.
 */
uint64_t store_reader_view(const struct store_reader *reader);

/* The generation being read. Only while awake. */
uint64_t store_reader_generation(const struct store_reader *reader);

/* What is being read, borrowed until rest. Only while awake. */
struct snapshot *store_reader_snapshot(struct store_reader *reader);

/* True if the domain was opened and the file it says so in is trusted. Only while awake. */
bool store_reader_is_open(const struct store_reader *reader, const struct domain_record *domain);

/*
 * False while the file is another or older one than was served or, before that, written. Only
 * while awake.
 */
bool store_reader_is_trusted(const struct store_reader *reader);

/*
 * True while the file is not trusted and an operator has opened no domain in it since that was
 * seen, or not all that it had open when it came. Only while awake.
 */
bool store_reader_awaits_opening(const struct store_reader *reader);

/* Walks the domain table. Only while awake. */
bool store_reader_each_domain(struct store_reader *reader, snapshot_domain_visit *visit,
                              void *context, struct error *error) MUST_CHECK;

/* The alias record, borrowed until rest. Only while awake. */
enum store_result store_reader_alias(struct store_reader *reader, const char *domain,
                                     struct span local, struct alias_record *ret,
                                     struct error *error) MUST_CHECK;

/* The person's record, borrowed until rest. Only while awake. */
enum store_result store_reader_person(struct store_reader *reader, const char *name,
                                      struct person_record *ret, struct error *error) MUST_CHECK;

/*
 * Appends the record's targets in clear, one a line, to out. False: no key of the
 * ring opens it (the ring is re-read when its file is another one, else once a second at most).
 */
bool store_reader_open_targets(struct store_reader *reader, const char *domain, struct span local,
                               const struct alias_record *record, struct buffer *out,
                               struct error *error) MUST_CHECK;

/* Who reads the cache at the moment, this process's own reader left out. */
struct reader_slots {
    unsigned readers;
    int oldest_process;          /* the one that reads the oldest generation; 0: nobody reads */
    uint64_t oldest_transaction; /* LMDB's number of what it reads */
    unsigned cleared;            /* slots of processes that are gone, which were freed just now */
};

/*
 * Looks at LMDB's table of readers and frees what dead processes left in it: pages that were free
 * since are used again. False: the cache is not open.
 */
bool store_reader_look_at_slots(struct store_reader *reader, struct reader_slots *ret) MUST_CHECK;

/*
 * False: the key file cannot be read now, or a value has not opened since this was last asked.
 * The file is read each time, else one that is gone shows at the next restart only; a ring that
 * is in use stays in use, whatever the file holds.
 */
bool store_reader_check_keys(struct store_reader *reader, struct error *error) MUST_CHECK;

#endif
