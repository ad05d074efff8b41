/*
 * Changes of the key file. Each is one rename, so that a reader finds the ring of before or of
 * after; comments, owner, group and mode stay.
 */
#ifndef LPALIAS_STORE_KEYRING_FILE_H
#define LPALIAS_STORE_KEYRING_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"

/*
 * One command at a time changes the ring and what is sealed by it: a lock on the key file's
 * directory that ends with the descriptor. ERROR_BUSY, ERROR_TEMPORARY.
 */
bool keyring_file_lock(const char *path, int *ret_fd, struct error *error) MUST_CHECK;

/*
 * Puts a new random key before all others. ERROR_INVALID: not a ring, or it is full;
 * ERROR_TEMPORARY: cannot be read or written.
 */
bool keyring_file_add(const char *path, uint32_t *ret_id, struct error *error) MUST_CHECK;

/* Takes that key out. ERROR_INVALID: it seals, or is not there; ERROR_TEMPORARY as above. */
bool keyring_file_remove(const char *path, uint32_t id, struct error *error) MUST_CHECK;

#endif
