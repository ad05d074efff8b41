/*
 * A command of root that works on files of the caller and on the cache: the part that touches the
 * cache runs in a process of its own, which takes on the owner of the cache for good, while the
 * command keeps the rights that it was called with.
 */
#ifndef LPALIAS_TOOL_AS_OWNER_H
#define LPALIAS_TOOL_AS_OWNER_H

#include "tool/workspace.h"

/* Opens the cache itself, as LMDB is not to be carried through a fork. */
typedef enum exit_status owner_job(struct workspace *work, void *context);

/* Returns what job returned; what it did to work is lost. To be called while no cache is open. */
enum exit_status run_as_owner(struct workspace *work, owner_job *job, void *context);

#endif
