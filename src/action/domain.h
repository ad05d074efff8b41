/* Opening, closing and removing a domain. */
#ifndef LPALIAS_ACTION_DOMAIN_H
#define LPALIAS_ACTION_DOMAIN_H

#include <stdbool.h>

#include "action/actor.h"
#include "base/error.h"
#include "store/changeset.h"

/*
 * From now on an unknown name of the domain is NOTFOUND. Always writes, also when it is open:
 * a server that distrusts a replaced cache waits for just this. ERROR_INVALID: the cache has no
 * such domain; ERROR_TEMPORARY: the cache.
 */
bool action_domain_open(const struct action *action, const char *domain,
                        struct store_update_result *ret, struct error *error) MUST_CHECK;

/* From now on everything of the domain but live aliases is TEMP. Errors as above. */
bool action_domain_close(const struct action *action, const char *domain,
                         struct store_update_result *ret, struct error *error) MUST_CHECK;

/*
 * Takes the domain with all its aliases and memberships out of the cache: Postfix gets NOTFOUND
 * for it. ERROR_INVALID: no such domain, or it is still configured.
 */
bool action_domain_remove(const struct action *action, const char *domain,
                          struct store_update_result *ret, struct error *error) MUST_CHECK;

#endif
