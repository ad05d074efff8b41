/*
 * All targets of a person, from each source, with their proof: what person_record.sealed_targets
 * holds. In clear it is one target a line: a letter for the source ('o' operator, 'p' person,
 * 'l' Launchpad), '+' proven or '?' waiting for its proof, a space, the address in canonical form.
 * Used are the proven ones of the strongest source that has any (operator, person, Launchpad).
 */
#ifndef LPALIAS_MEMBERSHIP_TARGET_LIST_H
#define LPALIAS_MEMBERSHIP_TARGET_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/error.h"
#include "store/keyring.h"
#include "store/record.h"

#define TARGET_LIST_MAX_PER_SOURCE 5

struct target_entry {
    enum target_source source;
    bool is_proven;
    char *address;
};

/* A zeroed one is empty. */
struct target_list {
    struct target_entry *entries; /* strongest source first, else as they were added */
    size_t count, capacity;
};

/*
 * Opens what the person's row holds, of either layout; ret is to be finished also on failure.
 * ERROR_TEMPORARY: the key is missing; ERROR_INVALID: the value is broken.
 */
bool target_list_open(const struct keyring *ring, const char *name,
                      const struct person_record *person, struct target_list *ret,
                      struct error *error) MUST_CHECK;

/*
 * Seals list for the person of that name into *sealed and points person->sealed_targets and
 * target_source at it; an empty list empties both. sealed must outlive the use of person.
 */
void target_list_seal(const struct target_list *list, const struct keyring *ring, const char *name,
                      struct buffer *sealed, struct person_record *person);

bool target_list_equal(const struct target_list *a, const struct target_list *b) MUST_CHECK;

/* Appends the targets that are used, one a line, nothing if there are none. Returns their source.
 */
enum target_source target_list_used(const struct target_list *list, struct buffer *lines);

/* Takes all targets of a source away. */
void target_list_clear_source(struct target_list *list, enum target_source source);

/* Adds one in canonical form behind the others of its source; a repeat only may become proven. */
void target_list_add(struct target_list *list, enum target_source source, bool is_proven,
                     const char *address);

/* Takes one of that source away, if it is there. */
void target_list_remove(struct target_list *list, enum target_source source, const char *address);

void target_list_finish(struct target_list *list);

#endif
