/*
 * The targets of a record for the operator's eyes: how many, and which only when they were asked
 * for by --show-targets.
 */
#ifndef LPALIAS_TOOL_TARGETS_H
#define LPALIAS_TOOL_TARGETS_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "base/buffer.h"
#include "store/keyring.h"
#include "store/record.h"

struct targets {
    bool is_known; /* false: no key opens them */
    size_t count;
    struct buffer lines; /* one a line */
};

/* Opens the targets of a record; ring may be NULL. Caller finishes *ret. */
void targets_open_alias(const struct keyring *ring, const char *domain, const char *local,
                        const struct alias_record *record, struct targets *ret);
void targets_open_person(const struct keyring *ring, const char *name,
                         const struct person_record *record, struct targets *ret);
void targets_finish(struct targets *targets);

/* How many targets a person has from a source, and how many of them are proven. */
struct source_count {
    size_t proven, waiting;
};

/* Of each source, by its number; false: no key opens them. ring may be NULL. */
bool targets_count_sources(const struct keyring *ring, const char *name,
                           const struct person_record *record,
                           struct source_count ret[TARGET_SOURCE_OPERATOR + 1]) MUST_CHECK;

/* Appends "2", "?", or with is_shown "a@b.example, c@d.example". */
void targets_append(struct buffer *out, const struct targets *targets, bool is_shown);

/* Prints them so as a field of standard output. */
void targets_print(const struct targets *targets, bool is_shown);

/* Sets "target_count" (null: not known) and with is_shown "targets" in object. */
void targets_set_json(json_t *object, const struct targets *targets, bool is_shown);

#endif
