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

/* The first that holds, with the word for JSON and the catalogue of texts. */
enum barrier {
    BARRIER_NONE,         /* "" */
    BARRIER_UNCONFIGURED, /* "domain-not-configured" */
    BARRIER_ROLLED_BACK,  /* "domain-held": by a roll-back, until it is released */
    BARRIER_NOT_PROVEN,   /* "domain-frozen": its TXT record was never seen */
    BARRIER_FROZEN,       /* "domain-frozen": the record was seen and is lost */
    BARRIER_NOT_FILLED,   /* "domain-not-filled": no listing was believed yet, so the team has no
                             pin */
    BARRIER_ANOTHER_TEAM, /* "domain-held": by its name or pin it is not the team that filled it */
    BARRIER_ALL_HELD,     /* "domain-held": a plan holds everything, or held it and was discarded */
    BARRIER_DISCARDED,    /* "discarded": an operator said no to a plan that has this very name */
};
const char *barrier_word(enum barrier barrier);

/*
 * name: whose addition is asked about. team_date_created_us: of the team that was looked at, 0: not
 * learnt, and then not compared. ERROR_TEMPORARY: the cache.
 */
bool barrier_find(const struct house *house, struct snapshot *snapshot, const char *domain,
                  const char *name, int64_t team_date_created_us, enum barrier *ret,
                  struct error *error) MUST_CHECK;

#endif
