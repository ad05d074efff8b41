/*
 * The rights of who called. A command run as root that reads the cache and then writes a file of
 * the caller takes on the owner of the cache for the reading only; all other commands do so for
 * good (store_take_on_owner).
 */
#ifndef LPALIAS_TOOL_CALLER_H
#define LPALIAS_TOOL_CALLER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/compiler.h"
#include "base/error.h"

/* Zeroed to begin with. */
struct caller {
    bool is_away;
    gid_t group;
    gid_t *groups;
    size_t group_count;
};

/*
 * Steps aside for the owner of directory; does nothing when not root, when the directory is
 * absent, or when root owns it. ERROR_TEMPORARY: the ids cannot be changed.
 */
bool caller_step_aside(struct caller *caller, const char *directory,
                       struct error *error) MUST_CHECK;

/* Has its own rights again. ERROR_TEMPORARY: the ids cannot be changed. */
bool caller_return(struct caller *caller, struct error *error) MUST_CHECK;

void caller_finish(struct caller *caller);

#endif
