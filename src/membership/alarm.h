/*
 * Conditions that the operators (`alerts`) are told of at once, then daily, then with an
 * all-clear. They are read off the cache; the table of sent remembers which ones are known:
 * domain, name "!", the word of the alarm.
 */
#ifndef LPALIAS_MEMBERSHIP_ALARM_H
#define LPALIAS_MEMBERSHIP_ALARM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "membership/house.h"
#include "store/changeset.h"
#include "store/keyring.h"
#include "store/snapshot.h"

#define ALARM_AGAIN_S   INT64_C(86400)
#define ALARM_OVERDUE_S (5 * INT64_C(86400)) /* so long may a notice wait */

/* The words: outbox_record.kind is "alarm" or "all-clear", its reason one of these. */
#define ALARM_SOURCE     "source"       /* the last attempt brought nothing; detail says why */
#define ALARM_STALE      "stale"        /* no good listing for longer than stale_s */
#define ALARM_HELD       "held"         /* a plan waits, or a roll-back holds the domain */
#define ALARM_PROOF      "proof-lost"   /* the domain is frozen */
#define ALARM_CLOSED     "closed"       /* filled, and not open */
#define ALARM_FOREIGN    "unconfigured" /* in the cache and not in the configuration */
#define ALARM_CACHE_FULL "cache-full"   /* used is 90 % of the limit; domain "" */
#define ALARM_OVERDUE    "overdue"      /* a notice waits for more than 5 days; domain "" */
#define ALARM_LOOP \
    "no-live-end" /* a static, role or catch-all address does not end in live targets */

struct alarm_request {
    const struct house *house;
    const struct keyring *ring; /* NULL: static aliases are not looked at, what is known stays */
    int64_t stale_s;
    uint64_t cache_limit_bytes;
    int64_t now_s;

    size_t alarm_count; /* filled by alarm_plan: conditions that are there */
};

/*
 * A changeset_plan (context: struct alarm_request): tells what is new, due again, or over, and
 * marks notices that are overdue. An alarm of a domain that nobody knows any more is over, too.
 * ERROR_TEMPORARY: the cache.
 */
bool alarm_plan(void *request, struct snapshot *snapshot, struct changeset *changeset,
                struct error *error) MUST_CHECK;

#endif
