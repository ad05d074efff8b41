/* Targets of an account that wait for their link to be followed, from the portal's own database. */
#ifndef LPALIAS_PORTAL_WAITING_H
#define LPALIAS_PORTAL_WAITING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "state/state.h"
#include "store/keyring.h"

struct waiting_target {
    char *address; /* in canonical form; NULL: it does not open, as its key was retired */
    int64_t until_s;
};

struct waiting_list {
    struct waiting_target *targets;
    size_t count, capacity;
};

/* *ret is to be finished in any case. ERROR_TEMPORARY: the database. */
bool waiting_read(struct state *state, const struct keyring *ring, const char *identifier,
                  int64_t now_s, struct waiting_list *ret, struct error *error) MUST_CHECK;

/*
 * How many wait besides that one. Those that do not open count as none: nobody could see or take
 * away what stands in the way. They end by themselves.
 */
size_t waiting_count_others(const struct waiting_list *list, const char *address) MUST_CHECK;

void waiting_finish(struct waiting_list *list);

#endif
