/*
 * The key ring that seals targets: XChaCha20-Poly1305 (libsodium), a random nonce, table and key
 * of the record as associated data. The file has one key a line, "ID HEX" (ID 1..4294967295,
 * 64 hex digits); the first seals, all open. "#" starts a comment.
 */
#ifndef LPALIAS_STORE_KEYRING_H
#define LPALIAS_STORE_KEYRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"

struct keyring;

/*
 * Reads the ring. ERROR_TEMPORARY: cannot be read; ERROR_INVALID: a line is not a key (line
 * number in the text), an id comes twice, no key at all, or others than owner and group may
 * read the file. Keys live in locked memory that is wiped by keyring_destroy.
 */
bool keyring_read(const char *path, struct keyring **ret, struct error *error) MUST_CHECK;
void keyring_destroy(struct keyring *ring);

/*
 * Makes a new file (0640, never over an existing one) with one random key.
 * ERROR_INVALID: it exists already; ERROR_TEMPORARY: cannot be written.
 */
bool keyring_generate(const char *path, struct error *error) MUST_CHECK;

enum unseal_result {
    UNSEAL_DONE,
    UNSEAL_UNKNOWN_KEY, /* sealed by a key that is not in the ring */
    UNSEAL_BROKEN,      /* not sealed for this record, or changed since */
};

/* Appends the sealed form of plain for the record (table, key) to out. */
void keyring_seal(const struct keyring *ring, const char *table, struct span key, struct span plain,
                  struct buffer *out);

/* Appends the plain text to out; UNSEAL_DONE only if it was sealed for exactly this record. */
enum unseal_result keyring_unseal(const struct keyring *ring, const char *table, struct span key,
                                  struct span sealed, struct buffer *out) MUST_CHECK;

#endif
