/* Who does something, as it stands in the audit log: "operator:root", "refresh". */
#ifndef LPALIAS_ACTION_ACTOR_H
#define LPALIAS_ACTION_ACTOR_H

#include <stdint.h>

#include "membership/house.h"
#include "store/keyring.h"
#include "store/store.h"

/* What every act needs: the cache, the keys, who and when. All borrowed. */
struct action {
    struct store *store;
    const struct keyring *ring;
    const char *actor;
    int64_t now_s;
    const struct house *house; /* the domains that are ours by the configuration, and how */
};

#endif
