/* All sealed values of a cache, whatever table they lie in: who has to open or seal each of them.
 */
#ifndef LPALIAS_STORE_SEALED_H
#define LPALIAS_STORE_SEALED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "store/changeset.h"
#include "store/keyring.h"
#include "store/snapshot.h"

enum sealed_place {
    SEALED_ALIAS,
    SEALED_PERSON,
    SEALED_OUTBOX,
    SEALED_UNDO, /* in the alias or person as it was before a refresh */
    SEALED_PLACE_COUNT,
};

/* The table's name. */
const char *sealed_place_name(enum sealed_place place);

/* One value where it lies. Borrowed for the visit; names and spans are of the record. */
struct sealed_value {
    enum sealed_place place;
    struct span sealed;
    bool is_person;     /* else an alias: what the value is bound to (not SEALED_OUTBOX) */
    const char *domain; /* of an alias */
    const char *name;   /* local part of an alias, Launchpad name of a person */
    uint64_t sequence;  /* SEALED_OUTBOX; SEALED_UNDO: the generation */
    uint64_t number;    /* SEALED_UNDO */
    const void *record; /* of the table of place */
};

/* Visits each; an empty value is none. Stops when visit returns false. False: STORE_TROUBLE. */
typedef bool sealed_visit(void *context, const struct sealed_value *value);
bool sealed_each(struct snapshot *snapshot, sealed_visit *visit, void *context,
                 struct error *error) MUST_CHECK;

/* Appends it in clear to out. */
enum unseal_result sealed_open(const struct keyring *ring, const struct sealed_value *value,
                               struct buffer *out) MUST_CHECK;

/* Seals plain for the same place by the ring's first key and puts the record with it. */
void sealed_put(struct changeset *changeset, const struct keyring *ring,
                const struct sealed_value *value, struct span plain);

/* Appends what it belongs to, for people: "alias jdoe@ubuntu.com", "notice 12". */
void sealed_append_name(struct buffer *out, const struct sealed_value *value);

#endif
