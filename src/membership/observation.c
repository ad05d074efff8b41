#include "membership/observation.h"

#include <stddef.h>

/*
 * A believed "yes" that the listing contradicts. *doubt_s is when the first of the listings in a
 * row said no; returns what is believed now.
 */
static bool still_believed(int64_t *doubt_s, int64_t observed_s)
{
    if (*doubt_s == 0 || observed_s < *doubt_s) {
        *doubt_s = observed_s;
        return true;
    }
    if (observed_s - *doubt_s < OBSERVATION_APART_S)
        return true;
    *doubt_s = 0;
    return false;
}

static bool fold_flag(bool believed, bool seen, int64_t *doubt_s, int64_t observed_s)
{
    if (seen || !believed) {
        *doubt_s = 0;
        return seen;
    }
    return still_believed(doubt_s, observed_s);
}

/* A person who was not a member until now: all that the listing says is new. */
static void join(struct membership_record *record, const struct listing_person *seen,
                 int64_t observed_s)
{
    record->is_member = true;
    record->since_s = observed_s;
    record->is_valid = seen->is_valid;
    record->is_ubuntu_coc_signer = seen->is_ubuntu_coc_signer;
    record->invalid_since_s = 0;
    record->unsigned_since_s = 0;
}

struct membership_record observation_fold(const struct membership_record *before,
                                          const struct listing_person *seen, int64_t observed_s)
{
    struct membership_record record =
        before != NULL ? *before : (struct membership_record){.extension = EXTENSION_APPEND};
    if (seen == NULL) {
        if (record.is_member)
            record.is_member = still_believed(&record.missing_since_s, observed_s);
        return record;
    }
    record.missing_since_s = 0;
    record.date_created_us = seen->date_created_us;
    if (!record.is_member) {
        join(&record, seen, observed_s);
        return record;
    }
    record.is_valid =
        fold_flag(record.is_valid, seen->is_valid, &record.invalid_since_s, observed_s);
    record.is_ubuntu_coc_signer = fold_flag(record.is_ubuntu_coc_signer, seen->is_ubuntu_coc_signer,
                                            &record.unsigned_since_s, observed_s);
    return record;
}
