/*
 * Allocation that ends the process when memory is exhausted. Only for sizes that we choose; a
 * size that a peer can choose is checked against a named limit first.
 */
#ifndef LPALIAS_BASE_MEMORY_H
#define LPALIAS_BASE_MEMORY_H

#include <stddef.h>

/* Zeroed memory for count things of size bytes; caller frees with free(). Never NULL. */
void *memory_new(size_t count, size_t size);

/* Like realloc for count things of size bytes; new bytes are not zeroed. Never NULL. */
void *memory_resize(void *old, size_t count, size_t size);

/* A copy of a string, or of length bytes with a NUL added; caller frees. NULL gives NULL. */
char *memory_copy_text(const char *text);
char *memory_copy_bytes(const char *bytes, size_t length);

/*
 * Makes room for one more element in a growing array: `memory_grow(list, count, &capacity,
 * sizeof *list)` returns the array, moved if need be. Doubles, so appending is linear.
 */
void *memory_grow(void *array, size_t count, size_t *capacity, size_t element_bytes);

/* For CLEANUP(): frees what the pointer variable points to. */
void memory_free_at(void *pointer_to_pointer);

#endif
