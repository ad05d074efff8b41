/*
 * A table of Postfix's own `lmdb:` type (lmdb_table(5)), made as a whole. Keys and values end with
 * a NUL byte, as postmap(1) writes them (Postfix, src/util/dict_lmdb.c).
 */
#ifndef LPALIAS_STORE_POSTFIX_MAP_H
#define LPALIAS_STORE_POSTFIX_MAP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/error.h"

#define POSTFIX_MAP_KEY_MAX_BYTES 510 /* LMDB's own limit is 511, the NUL byte included */

struct postfix_map_entry {
    char *key; /* lower-case: Postfix folds what it asks for */
    char *value;
};

/*
 * Writes all entries into the empty file at path and syncs it; of two with one key the last stays.
 * ERROR_INVALID: a key is too long; ERROR_TEMPORARY: the file cannot be written.
 */
bool postfix_map_write(const char *path, const struct postfix_map_entry *entries,
                       size_t entry_count, struct error *error) MUST_CHECK;

#endif
