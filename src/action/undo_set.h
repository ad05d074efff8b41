/*
 * What one refresh did to one domain, name by name, as the table of undo tells it: each row as it
 * was before. Rows of a name: its membership, its alias and extras there, and the person's own.
 */
#ifndef LPALIAS_ACTION_UNDO_SET_H
#define LPALIAS_ACTION_UNDO_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "store/record.h"
#include "store/snapshot.h"

struct undo_row {
    char *name; /* of the person */
    enum undo_table table;
    char *local; /* of UNDO_ALIAS, else "" */
    uint64_t number;
    bool was_absent;
    struct span before;  /* the encoded record, borrowed from the snapshot; empty: absent */
    uint64_t changed_by; /* the generation of the refresh that left the row as it then was */
};

/* Zeroed to begin with. */
struct undo_set {
    uint64_t generation; /* of the refresh: its first one that kept something */
    int64_t at_s;
    struct undo_row *rows; /* each row once, those of a name together */
    size_t count, capacity;
};

/*
 * The rows of the refresh that made generation (0: of the last one that changed an alias of the
 * domain). Any generation of a refresh that was written in pieces names it. Empty: that refresh
 * changed nothing of the domain, or there is none. ERROR_INVALID: no refresh of which undo is kept
 * made that generation; ERROR_TEMPORARY: the cache. ret is to be finished in any case.
 */
bool undo_set_gather(struct snapshot *snapshot, const char *domain, uint64_t generation,
                     struct undo_set *ret, struct error *error) MUST_CHECK;

/* The index behind the rows that are of the same name as rows[from]. */
size_t undo_set_name_end(const struct undo_set *set, size_t from);

void undo_set_finish(struct undo_set *set);

#endif
