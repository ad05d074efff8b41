/*
 * What one complete listing says about one name, folded into what is believed. Paging is by
 * offset over a live table, so one listing cannot prove a departure: absence, and a flag turned
 * false, count when two complete listings in a row, fetched at least 60 s apart, say so.
 */
#ifndef LPALIAS_MEMBERSHIP_OBSERVATION_H
#define LPALIAS_MEMBERSHIP_OBSERVATION_H

#include <stdbool.h>
#include <stdint.h>

#include "launchpad/listing.h"
#include "store/record.h"

#define OBSERVATION_APART_S 60

/* A look at a listing. */
struct observation {
    const struct listing_person *seen; /* NULL: absent */
    int64_t observed_s;                /* when the fetch of the listing began */
    bool is_time_trusted;              /* else a doubt begins anew and is not confirmed */
};

/* before: the row so far, NULL if there is none, and then the person was seen. */
struct membership_record observation_fold(const struct membership_record *before,
                                          const struct observation *observation);

/*
 * Of somebody who stands in no listing of the domain itself: what another listing (that of its
 * admins) says of validity and Code of Conduct. Membership is left as it is.
 */
void observation_fold_flags(struct membership_record *record,
                            const struct observation *observation);

/*
 * What the listing of the domain's admins says of being one. Who is no member and is kept as an
 * admin loses the alias with it, so that absence counts as it does for members; it is the same
 * doubt, missing_since_s. To be called after observation_fold.
 */
void observation_fold_admin(struct membership_record *record,
                            const struct observation *observation);

#endif
