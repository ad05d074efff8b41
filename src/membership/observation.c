#include "membership/observation.h"

#include <stddef.h>

/*
 * A believed "yes" that the listing contradicts. *doubt_s is when the first of the listings in a
 * row said no; returns what is believed now.
 */
static bool still_believed(int64_t *doubt_s, const struct observation *observation)
{
    int64_t observed_s = observation->observed_s;
    if (*doubt_s == 0 || observed_s < *doubt_s || !observation->is_time_trusted) {
        *doubt_s = observed_s;
        return true;
    }
    if (observed_s - *doubt_s < OBSERVATION_APART_S)
        return true;
    *doubt_s = 0;
    return false;
}

static bool fold_flag(bool believed, bool seen, int64_t *doubt_s,
                      const struct observation *observation)
{
    if (seen || !believed) {
        *doubt_s = 0;
        return seen;
    }
    return still_believed(doubt_s, observation);
}

/*
 * A person who was not a member until now: all that the listing says is new, unless the alias was
 * kept as an admin's.
 */
static void join(struct membership_record *record, const struct observation *observation)
{
    record->is_member = true;
    record->since_s = observation->observed_s;
    if (record->is_admin && record->live_since_s != 0) {
        observation_fold_flags(record, observation);
        return;
    }
    record->is_valid = observation->seen->is_valid;
    record->is_ubuntu_coc_signer = observation->seen->is_ubuntu_coc_signer;
    record->invalid_since_s = 0;
    record->unsigned_since_s = 0;
}

void observation_fold_flags(struct membership_record *record, const struct observation *observation)
{
    record->is_valid = fold_flag(record->is_valid, observation->seen->is_valid,
                                 &record->invalid_since_s, observation);
    record->is_ubuntu_coc_signer =
        fold_flag(record->is_ubuntu_coc_signer, observation->seen->is_ubuntu_coc_signer,
                  &record->unsigned_since_s, observation);
}

struct membership_record observation_fold(const struct membership_record *before,
                                          const struct observation *observation)
{
    struct membership_record record =
        before != NULL ? *before : (struct membership_record){.extension = EXTENSION_APPEND};
    if (observation->seen == NULL) {
        if (record.is_member)
            record.is_member = still_believed(&record.missing_since_s, observation);
        return record;
    }
    record.missing_since_s = 0;
    record.date_created_us = observation->seen->date_created_us;
    if (!record.is_member)
        join(&record, observation);
    else
        observation_fold_flags(&record, observation);
    return record;
}

void observation_fold_admin(struct membership_record *record, const struct observation *observation)
{
    if (observation->seen == NULL && record->is_admin && !record->is_member) {
        record->is_admin = still_believed(&record->missing_since_s, observation);
        return;
    }
    record->is_admin = observation->seen != NULL;
    if (!record->is_member)
        record->missing_since_s = 0;
}
