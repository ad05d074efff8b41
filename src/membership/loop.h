/*
 * Where an address of ours leads. Static, role and catch-all addresses may name addresses of ours,
 * and Postfix follows them until nothing of ours is left: each end must be outside, or mail
 * bounces.
 */
#ifndef LPALIAS_MEMBERSHIP_LOOP_H
#define LPALIAS_MEMBERSHIP_LOOP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "membership/house.h"
#include "store/keyring.h"
#include "store/record.h"
#include "store/snapshot.h"

/* An alias that is about to be written, and counts as if it stood in the snapshot. */
struct loop_alias {
    const char *domain;
    const char *local;
    enum extension_policy extension;
    struct span targets; /* one a line, in clear */
};

/* What is followed; everything is borrowed. */
struct loop_scene {
    struct snapshot *snapshot;
    const struct house *house;
    const struct keyring *ring;
    const struct loop_alias *planned;
    size_t planned_count;
};

/* The worst end that an address has. */
enum loop_end {
    LOOP_END_LIVE, /* all targets lead out of our domains */
    LOOP_END_DEAD, /* some target is an address of ours that nobody gets mail for */
    LOOP_END_LOOP, /* some target leads back to an address on the way */
};

/*
 * Follows local@domain, as the server and Postfix would; local "" is the catch-all. A domain that
 * is closed is followed as an open one. ERROR_TEMPORARY: the cache, or a key is missing.
 */
bool loop_follow(const struct loop_scene *scene, const char *domain, const char *local,
                 enum loop_end *ret, struct error *error) MUST_CHECK;

/* True in *ret if all ends of local@domain are live. Errors as above. */
bool alias_ends_live(struct snapshot *snapshot, const struct house *house,
                     const struct keyring *ring, const char *domain, const char *local, bool *ret,
                     struct error *error) MUST_CHECK;

#endif
