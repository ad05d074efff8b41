/* Keys of the tables, as bytes: what LMDB sorts by and what sealing binds a value to. */
#ifndef LPALIAS_STORE_KEY_H
#define LPALIAS_STORE_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/compiler.h"

#define KEY_MAX_BYTES 511 /* LMDB's MDB_MAXKEYSIZE as Debian builds it */

struct key {
    size_t length;
    char bytes[KEY_MAX_BYTES];
};

/* domain, NUL, second: rows of a domain stand together. False: too long to be stored at all. */
bool key_of_pair(struct key *ret, const char *domain, struct span second) MUST_CHECK;
bool key_of_name(struct key *ret, struct span name) MUST_CHECK;
/* Big-endian, so that the order of bytes is the order of numbers. */
void key_of_sequence(struct key *ret, uint64_t sequence);

/* A generation and a number in it. */
void key_of_numbers(struct key *ret, uint64_t generation, uint64_t number);

/*
 * What was told about a name: domain, NUL, name, space, word. An empty name is the domain's own.
 * False: too long.
 */
bool key_of_sent(struct key *ret, const char *domain, const char *name,
                 const char *word) MUST_CHECK;

struct span key_span(const struct key *key);
uint64_t key_sequence(struct span key);

/* Takes a pair apart; false if there is no NUL in it. Spans are borrowed from key. */
bool key_split_pair(struct span key, struct span *ret_domain, struct span *ret_second) MUST_CHECK;

#endif
