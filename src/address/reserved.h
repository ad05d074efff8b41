/*
 * Local parts that no member gets without an operator's word, as strangers take them for the
 * voice of the domain: docs/reserved-names.md lists them with their reasons.
 */
#ifndef LPALIAS_ADDRESS_RESERVED_H
#define LPALIAS_ADDRESS_RESERVED_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

/* True for a lower-case local part of the shipped list; roles (address/role.h) are not in it. */
bool address_is_reserved(const char *local, size_t length) MUST_CHECK;

/* The shipped list, sorted; for documentation and tests. */
extern const char *const address_reserved_names[];
extern const size_t address_reserved_name_count;

#endif
