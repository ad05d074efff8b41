/* How often one may do what. The limits are for people; nobody meets them who clicks by hand. */
#ifndef LPALIAS_PORTAL_RATE_H
#define LPALIAS_PORTAL_RATE_H

#include "state/bucket.h"

enum rate {
    RATE_LOGIN,      /* begun and finished logins */
    RATE_PROOF_MAIL, /* mails to addresses that somebody typed */
    RATE_WRITE,
    RATE_LONG_READ, /* of the whole log, while everybody else waits */
    RATE_COUNT,
};

/* By address many may come from one network; by person there is one. */
extern const struct bucket_rate rate_by_address[RATE_COUNT];
extern const struct bucket_rate rate_by_person[RATE_COUNT];

/* Mails to one address, whoever asks for them. */
extern const struct bucket_rate rate_of_proofs_by_target;

#endif
