/*
 * Who is an admin of what. Decided anew for each request from the configuration and the cache, and
 * here alone. What one has no right to is to one as if it were not there.
 */
#ifndef LPALIAS_PORTAL_ADMIN_RIGHTS_H
#define LPALIAS_PORTAL_ADMIN_RIGHTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/error.h"
#include "config/config.h"
#include "portal/session.h"
#include "store/snapshot.h"

struct admin_rights {
    bool is_of_portal; /* of all domains, and of the bans */
    char **domains;    /* A-labels, in the order of the cache */
    size_t domain_count;
};

/*
 * The rights of who is logged in:
 *
 * - of the portal are those whom its list names, and whom the login found in its team;
 * - of a domain are those whom its list names, and whom the last refresh found in its team.
 *
 * None has who is banned, has no Launchpad name, or has lost the session's name, be it that the
 * account goes by another one by now or that another account has logged in by it.
 * snapshot NULL: the cache cannot be read, which leaves those of the lists. *ret is to be finished.
 * ERROR_TEMPORARY: the cache.
 */
bool admin_rights_read(const struct config *config, const struct session *session,
                       struct snapshot *snapshot, struct admin_rights *ret,
                       struct error *error) MUST_CHECK;

/* Any at all. */
bool admin_rights_are_some(const struct admin_rights *rights) MUST_CHECK;

bool admin_rights_have(const struct admin_rights *rights, const char *domain) MUST_CHECK;

/* Of something that belongs to domain; what belongs to none is for those who have all. */
bool admin_rights_cover(const struct admin_rights *rights, struct span domain) MUST_CHECK;

void admin_rights_finish(struct admin_rights *rights);

#endif
