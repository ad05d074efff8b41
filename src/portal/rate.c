#include "portal/rate.h"

const struct bucket_rate rate_by_address[RATE_COUNT] = {
    [RATE_LOGIN] = {"login of address", 30, 10},
    [RATE_PROOF_MAIL] = {"proof of address", 20, 60},
    [RATE_WRITE] = {"write of address", 120, 1},
    [RATE_LONG_READ] = {"long read of address", 120, 1},
};

const struct bucket_rate rate_by_person[RATE_COUNT] = {
    [RATE_LOGIN] = {"login of person", 20, 30},
    [RATE_PROOF_MAIL] = {"proof of person", 5, 600},
    [RATE_WRITE] = {"write of person", 60, 2},
    [RATE_LONG_READ] = {"long read of person", 20, 3},
};

const struct bucket_rate rate_of_proofs_by_target = {"proof of target", 3, 4 * 3600};
