/*
 * The state of a member's alias, derived from the facts that are stored apart; the table of
 * docs/architecture.md "Rules", first match wins. The alias row is a projection: this file is the
 * only one that computes it.
 */
#ifndef LPALIAS_MEMBERSHIP_PROJECTION_H
#define LPALIAS_MEMBERSHIP_PROJECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "launchpad/listing.h"
#include "store/changeset.h"
#include "store/keyring.h"
#include "store/record.h"
#include "store/snapshot.h"

struct projection_facts {
    const char *domain;
    const char *name;
    const struct person_record *person;
    const struct membership_record *membership;
    const struct alias_record *alias; /* the row that stands there now, or NULL */
    bool collides; /* a part of the name before a delimiter is somebody else's: projection_collides
                    */
};

struct projection_verdict {
    enum alias_state state;
    enum alias_reason reason;
    bool deliver;
};

/*
 * True if the name, cut at one of delimiters, is a role or a name that the domain knows, by a row
 * of the cache or by listing (NULL: none): its mail is the other one's, as an extension.
 */
bool projection_collides(struct snapshot *snapshot, const char *domain, const char *name,
                         const char *delimiters, const struct listing *listing, bool *ret,
                         struct error *error) MUST_CHECK;

/* Rows of one person in one domain, before and after; what becomes of them. */
struct projection_change {
    struct projection_facts facts; /* membership: as it is to be, without live and leaving since */
    const struct membership_record *membership_before; /* NULL: there was no row */

    /* Filled by projection_plan. */
    struct projection_verdict verdict;
    bool is_changed; /* the alias row is another than before */
};

/*
 * Puts the membership row and the alias row that follow from the facts, where they differ from
 * what is there, and an event when the state of the alias changes. Targets are compared opened
 * and sealed again only when they differ. An alias row of another kind (static, extra) is left.
 * ERROR_TEMPORARY: a key is missing; ERROR_INVALID: a sealed value is broken; nothing was put then.
 */
bool projection_plan(struct projection_change *change, const struct keyring *ring,
                     const char *actor, int64_t now_s, struct changeset *changeset,
                     struct error *error) MUST_CHECK;

#endif
