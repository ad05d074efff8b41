/*
 * Where a member's target may not lie: in a domain that is ours, by the configuration or by the
 * cache. So self-targets and loops cannot exist. Addresses are in canonical form
 * (address_check_target).
 */
#ifndef LPALIAS_MEMBERSHIP_TARGET_CHECK_H
#define LPALIAS_MEMBERSHIP_TARGET_CHECK_H

#include <stdbool.h>

#include "base/compiler.h"
#include "base/error.h"
#include "membership/house.h"
#include "store/snapshot.h"

bool target_check_is_configured(const struct house *house, const char *address) MUST_CHECK;

/* *ret: its domain stands in the domain table. ERROR_TEMPORARY: the cache. */
bool target_check_is_served(struct snapshot *snapshot, const char *address, bool *ret,
                            struct error *error) MUST_CHECK;

#endif
