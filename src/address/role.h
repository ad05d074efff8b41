/*
 * Role addresses (RFC 2142): local parts that belong to a domain's operators. No member can take
 * one, and they answer even when the cache cannot be read.
 */
#ifndef LPALIAS_ADDRESS_ROLE_H
#define LPALIAS_ADDRESS_ROLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

/* True for a lower-case local part that RFC 2142 sections 3 to 5 name. */
bool address_is_role(const char *local, size_t length) MUST_CHECK;

/* All of them. */
extern const char *const address_role_names[];
extern const size_t address_role_name_count;

#endif
