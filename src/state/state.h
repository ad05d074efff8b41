/*
 * The portal's own database: what has to outlive a process and is shared by all portal processes,
 * but is no fact about an alias. Small, in a directory of its own, one LMDB environment. Every row
 * has a time until which it counts; state_prune() takes away what is over.
 *
 * It holds the key of the session cookies: whoever reads the directory can log in as anybody.
 */
#ifndef LPALIAS_STATE_STATE_H
#define LPALIAS_STATE_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"

#define STATE_KEY_BYTES 32

struct state;

/* Three answers, so that a database that cannot be read is never taken for an empty one. */
enum state_answer {
    STATE_YES,
    STATE_NO,
    STATE_TROUBLE, /* cannot tell; the error says why */
};

/*
 * Opens the database, and makes directory (0700), database (0600) and key where they are missing.
 * ERROR_INVALID: the directory is open to others; ERROR_TEMPORARY: it cannot be made or opened.
 */
bool state_open(const char *directory, struct state **ret, struct error *error) MUST_CHECK;

/* NULL is fine. */
void state_close(struct state *state);

/* Made with the database, the same in all processes. Borrowed. */
const unsigned char *state_key(const struct state *state);

/* Removes rows that are over at now_s. ERROR_TEMPORARY: the database cannot be changed. */
bool state_prune(struct state *state, int64_t now_s, struct error *error) MUST_CHECK;

#endif
