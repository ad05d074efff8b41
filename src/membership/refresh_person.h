/*
 * Inside membership only: one planning of a refresh, person by person. refresh_plan.c decides about
 * whole domains, refresh_person.c about one name in all of them.
 */
#ifndef LPALIAS_MEMBERSHIP_REFRESH_PERSON_H
#define LPALIAS_MEMBERSHIP_REFRESH_PERSON_H

#include "membership/refresh_plan.h"
#include "membership/rename.h"

/* Names of all people that listings or rows of the domains to be applied know, sorted. */
struct name_list {
    char **names;
    size_t count, capacity;
};

/* What the planning knows of one domain besides its result. */
struct domain_work {
    bool is_applied;   /* its listing counts, but for what is held */
    unsigned holds;    /* enum plan_hold; of PLAN_HOLDS_ALL nothing is applied */
    size_t cursor;     /* the next person of its listing */
    size_t live, held; /* before: live aliases; names that have or wait for one */
    size_t losses, additions;
    bool is_projected;  /* of the name under way: its aliases follow from its person row */
    struct buffer rows; /* of the plan that is to be held */
    struct domain_record row;
};

/* One planning. */
struct planner {
    struct refresh_request *request;
    struct planning planning;
    struct domain_work *works; /* in the order of request->domains */
    struct name_list names;
    struct rename_list renames;
    struct rename_list late_renames; /* of earlier refreshes */
    struct changeset *scratch;       /* for looking what would be */
};

/*
 * Plans one name in all domains that count. seen: per domain, the sighting in its listing; NULL:
 * absent, or the domain does not count. ERROR_TEMPORARY: the cache, or a key is missing.
 */
bool refresh_person_plan(struct planner *planner, const char *name,
                         const struct listing_person **seen, struct error *error) MUST_CHECK;

#endif
