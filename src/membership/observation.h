/*
 * What one complete listing says about one name, folded into what is believed. Paging is by
 * offset over a live table, so one listing cannot prove a departure: absence, and a flag turned
 * false, count when two complete listings in a row, fetched at least 60 s apart, say so.
 */
#ifndef LPALIAS_MEMBERSHIP_OBSERVATION_H
#define LPALIAS_MEMBERSHIP_OBSERVATION_H

#include <stdint.h>

#include "launchpad/listing.h"
#include "store/record.h"

#define OBSERVATION_APART_S 60

/*
 * before: the row so far, NULL if there is none. seen: the person in the listing, NULL if absent;
 * not both NULL. observed_s: when the fetch of the listing began.
 */
struct membership_record observation_fold(const struct membership_record *before,
                                          const struct listing_person *seen, int64_t observed_s);

#endif
