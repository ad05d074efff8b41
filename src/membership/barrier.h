/*
 * What keeps anything new out of a domain, whatever a single login says of somebody: what stops a
 * refresh of the domain, and what waits for an operator there.
 */
#ifndef LPALIAS_MEMBERSHIP_BARRIER_H
#define LPALIAS_MEMBERSHIP_BARRIER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "membership/house.h"
#include "store/snapshot.h"

/* The first that holds. */
enum barrier {
    BARRIER_NONE,
    BARRIER_UNCONFIGURED, /* "unconfigured" */
    BARRIER_ROLLED_BACK,  /* "held": by a roll-back, until it is released */
    BARRIER_NOT_PROVEN,   /* "not-proven": its TXT record was never seen */
    BARRIER_FROZEN,       /* "frozen": the record was seen and is lost */
    BARRIER_NOT_FILLED,   /* "not-filled": no listing was believed yet, so the team has no pin */
    BARRIER_ANOTHER_TEAM, /* "another-team": by its name or pin not the one that filled the domain
                           */
    BARRIER_ALL_HELD,     /* "held": a plan holds everything, or held it and was discarded */
    BARRIER_REFUSED,      /* "discarded": an operator said no to a plan that has this very name */
};

/* For JSON and the catalogue of texts; "" of NONE. */
const char *barrier_word(enum barrier barrier);

/*
 * name: whose addition is asked about. team_date_created_us: of the team that was looked at, 0: not
 * learnt, and then not compared. ERROR_TEMPORARY: the cache.
 */
bool barrier_find(const struct house *house, struct snapshot *snapshot, const char *domain,
                  const char *name, int64_t team_date_created_us, enum barrier *ret,
                  struct error *error) MUST_CHECK;

#endif
