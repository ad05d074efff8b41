/*
 * Inside action only: one name of a roll-back. All its rows in the domain go back together or not
 * at all, so that they agree with each other as they did before.
 *
 * A row counts as unchanged since while its stamp is the refresh's. A membership row may have been
 * changed, too, as long as the alias rows were not and what an operator says in it (extras,
 * extension policy, allowed name) is what it was: then only listings have spoken since, and they
 * are what is being taken back.
 *
 * The row of the person belongs to all domains. It goes back only if no other domain's rows are of
 * that refresh or later; if it stays, the name goes back only if it says the same of the person
 * (account, targets, ban, pause) as it did before.
 */
#ifndef LPALIAS_ACTION_ROLLBACK_NAME_H
#define LPALIAS_ACTION_ROLLBACK_NAME_H

#include <stdbool.h>
#include <stddef.h>

#include "action/undo_set.h"
#include "base/error.h"
#include "membership/projection.h"

/* What a roll-back works with; everything is borrowed. */
struct rollback_scene {
    const struct planning *planning;
    const char *domain;
    uint64_t generation;  /* of the refresh */
    char *const *domains; /* all of the cache */
    size_t domain_count;
};

enum rollback_fate {
    ROLLBACK_ALREADY, /* all rows are as they were before */
    ROLLBACK_DUE,
    ROLLBACK_SKIPPED,
};

enum rollback_person {
    ROLLBACK_PERSON_STAYS,
    ROLLBACK_PERSON_RETURNS, /* to what the row was */
    ROLLBACK_PERSON_GOES,    /* the refresh had made it */
};

/* What becomes of one name; decided for all before anything is put. */
struct rollback_name {
    const struct undo_row *rows;
    size_t row_count;
    enum rollback_fate fate;
    const char *skipped_because; /* words for people, of ROLLBACK_SKIPPED */
    enum rollback_person person;
    enum alias_state now, then; /* of the member's own alias; 0: none */
    bool is_live_again;
    bool is_membership_removed; /* if it is due: the refresh had made it */
};

/* Decides about the rows of one name. ERROR_TEMPORARY: the cache. */
bool rollback_name_decide(const struct rollback_scene *scene, struct rollback_name *name,
                          struct error *error) MUST_CHECK;

/* Puts what was decided, and an event for each alias whose state changes. ERROR_TEMPORARY. */
bool rollback_name_put(const struct rollback_scene *scene, const struct rollback_name *name,
                       struct error *error) MUST_CHECK;

#endif
