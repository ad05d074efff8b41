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
#include <sys/types.h>

#include "base/buffer.h"
#include "base/error.h"
#include "store/record.h"

#define KEYRING_FILE_MAX_BYTES 65536
#define KEYRING_MAX_KEYS       256

struct keyring;

/*
 * Reads the ring. ERROR_TEMPORARY: cannot be read; ERROR_INVALID: a line is not a key (line
 * number in the text), an id comes twice, no key at all, or others than owner and group may
 * read the file. Keys live in locked memory that is wiped by keyring_destroy.
 */
bool keyring_read(const char *path, struct keyring **ret, struct error *error) MUST_CHECK;
void keyring_destroy(struct keyring *ring);

/*
 * Makes a new file (0640, never over an existing one) with one random key; group is given to it
 * unless it is (gid_t)-1. ERROR_INVALID: it exists already; ERROR_TEMPORARY: cannot be written.
 */
bool keyring_generate(const char *path, gid_t group, struct error *error) MUST_CHECK;

/*
 * Appends the line of a new random key to text that the caller wipes, and gives its id: a random
 * one that ring (NULL: none) does not have, so that two rings do not take each other's keys for
 * their own.
 */
void keyring_append_new_key(const struct keyring *ring, struct buffer *text, uint32_t *ret_id);

/* Keys of the ring in the order of the file: key 0 seals. */
size_t keyring_count(const struct keyring *ring);
uint32_t keyring_id(const struct keyring *ring, size_t index);
bool keyring_has(const struct keyring *ring, uint32_t id);

/* The id of the key that sealed the value. False: these bytes are no sealed value. */
bool keyring_sealed_id(struct span sealed, uint32_t *ret) MUST_CHECK;

enum unseal_result {
    UNSEAL_DONE,
    UNSEAL_UNKNOWN_KEY, /* sealed by a key that is not in the ring */
    UNSEAL_BROKEN,      /* not sealed for this record, or changed since */
};

/*
 * Sealing the targets of a record. Append the sealed or plain form to out; UNSEAL_DONE only if
 * the value was sealed for exactly this record. Names must be such as the tables can hold.
 */
void keyring_seal_alias(const struct keyring *ring, const char *domain, struct span local,
                        struct span plain, struct buffer *out);
enum unseal_result keyring_unseal_alias(const struct keyring *ring, const char *domain,
                                        struct span local, struct span sealed,
                                        struct buffer *out) MUST_CHECK;
void keyring_seal_person(const struct keyring *ring, const char *name, struct span plain,
                         struct buffer *out);
enum unseal_result keyring_unseal_person(const struct keyring *ring, const char *name,
                                         struct span sealed, struct buffer *out) MUST_CHECK;

/* The same for the recipients of a notice, bound to the id that the notice keeps. */
void keyring_seal_notice(const struct keyring *ring, const unsigned char id[OUTBOX_ID_BYTES],
                         struct span plain, struct buffer *out);
enum unseal_result keyring_unseal_notice(const struct keyring *ring,
                                         const unsigned char id[OUTBOX_ID_BYTES],
                                         struct span sealed, struct buffer *out) MUST_CHECK;

/* The same for a target that waits in the portal's database, bound to the claimed identifier (of at
 * most LOGIN_IDENTIFIER_MAX_BYTES) that it waits for. */
void keyring_seal_waiting(const struct keyring *ring, const char *identifier, struct span plain,
                          struct buffer *out);
enum unseal_result keyring_unseal_waiting(const struct keyring *ring, const char *identifier,
                                          struct span sealed, struct buffer *out) MUST_CHECK;

/*
 * An error of a result that is not UNSEAL_DONE: ERROR_TEMPORARY for a key that is not there,
 * ERROR_INVALID for a value that no key will open. Returns false.
 */
bool unseal_result_to_error(enum unseal_result result, struct error *error);

#endif
