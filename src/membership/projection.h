/*
 * The state of a person's aliases, derived from the facts that are stored apart; the rule table of
 * docs/architecture.md "Rules", first match wins. Alias rows of members and extras are a
 * projection: this file is the only one that computes them.
 */
#ifndef LPALIAS_MEMBERSHIP_PROJECTION_H
#define LPALIAS_MEMBERSHIP_PROJECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "launchpad/listing.h"
#include "membership/house.h"
#include "membership/notice.h"
#include "store/changeset.h"
#include "store/keyring.h"
#include "store/record.h"
#include "store/snapshot.h"

/* Where a planning stands; everything is borrowed. */
struct planning {
    const struct house *house;
    const struct keyring *ring;
    const char *actor; /* as it stands in the audit log: "refresh", "operator:root" */
    int64_t now_s;
    bool is_time_trusted; /* else no grace ends and no doubt is confirmed */
    struct snapshot *snapshot;
    struct changeset *changeset;
    struct notice_list *notices; /* NULL: nobody is told */
    bool names_nobody;           /* events do not say whose alias they are about: an erasure */
    /* Row 4: the name whose extras the person takes over, or NULL; and whether another name takes
     * over those of the row before. */
    const char *extras_from;
    bool has_heir;
    /* Row 3 by the login alone: the account is the same, and nothing of who had it is inherited. */
    bool is_another;
};

/* Stands in an event in place of a name that was to be forgotten. */
#define EVENT_ERASED_SUBJECT "(erased)"

struct projection_verdict {
    enum alias_state state;
    enum alias_reason reason;
    bool deliver;
};

struct projection_result {
    struct projection_verdict verdict; /* of the member's own alias */
    enum alias_state before;           /* 0: there was no row */
    bool was_live, is_live;
    bool is_changed; /* some alias row of the person here is another than before: */
    bool is_own_changed, is_extra_changed;
    bool is_membership_changed; /* another than is in the cache */
};

/*
 * Puts what follows for name in one domain: the membership row (as it is to be, but for live_since,
 * leaving_since and lacking_day(s), which are derived), the member's alias and the extras, each
 * where it differs from what is there; an event and a notice when a state changes. person is the
 * row as it is to be; where membership is still of the account that had the name before, nothing of
 * person counts, as no mail of one may go to the other. listing: whose names count as known besides
 * those of the cache, or NULL. An own alias row of another kind (static) is left. ERROR_TEMPORARY:
 * the cache, or a key is missing; ERROR_INVALID: a sealed value of this person is broken; nothing
 * was put then.
 */
bool projection_plan_membership(const struct planning *planning, const char *domain,
                                const char *name, const struct person_record *person,
                                const struct membership_record *membership,
                                const struct listing *listing, struct projection_result *ret,
                                struct error *error) MUST_CHECK;

/*
 * Puts what follows from person, the row as it is to be, in one domain, if its membership row is of
 * the same identity. Errors as above.
 */
bool projection_plan_domain(const struct planning *planning, const char *domain, const char *name,
                            const struct person_record *person, struct error *error) MUST_CHECK;

/*
 * As above, with local as a further alias that is new in membership->extras: its row is made, with
 * that policy. What stands there, if anything, is the person's own tombstone; that the name may be
 * given was checked by the caller.
 */
bool projection_plan_extra(const struct planning *planning, const char *domain, const char *name,
                           const struct person_record *person,
                           const struct membership_record *membership, const char *local,
                           enum extension_policy extension, struct projection_result *ret,
                           struct error *error) MUST_CHECK;

/*
 * Puts the person's row if it differs from what is there, and what follows from it in every domain
 * whose membership row is of the same identity (date_created_us). Errors as above.
 */
bool projection_plan_person(const struct planning *planning, const char *name,
                            const struct person_record *person, struct error *error) MUST_CHECK;

/*
 * The rule table alone, for `lpalias verify` and the tests: what projection_plan_membership would
 * make of the rows as they are, without writing. Same errors.
 */
bool projection_preview(const struct planning *planning, const char *domain, const char *name,
                        struct projection_result *ret, struct error *error) MUST_CHECK;

/*
 * True if the name may not be a member's alias of its own in that domain, with the reason
 * (ILLEGAL_LOCAL_PART, TAKEN, RESERVED): row 2 of the table without "who holds it keeps it".
 */
bool projection_is_unfit(const struct planning *planning, const char *domain, const char *name,
                         const struct listing *listing, enum alias_reason *ret,
                         struct error *error) MUST_CHECK;

/*
 * True if a part of the name before a delimiter is a role or a name that the domain knows: mail to
 * the name is an address with extension of that one.
 */
bool projection_is_extension(const struct planning *planning, const char *domain, const char *name,
                             const struct listing *listing, bool *ret,
                             struct error *error) MUST_CHECK;

#endif
