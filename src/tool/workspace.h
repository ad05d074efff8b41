/*
 * What a command works with: configuration, keys, cache. Opened step by step, closed together.
 * A step that fails complains and leaves the exit status in workspace.status.
 */
#ifndef LPALIAS_TOOL_WORKSPACE_H
#define LPALIAS_TOOL_WORKSPACE_H

#include <stdbool.h>
#include <stdint.h>

#include "action/actor.h"
#include "base/compiler.h"
#include "config/config.h"
#include "lookup/lookup.h"
#include "membership/house.h"
#include "store/keyring.h"
#include "store/reader.h"
#include "store/snapshot.h"
#include "store/store.h"
#include "tool/command.h"

/* Zeroed to begin with. */
struct workspace {
    enum exit_status status; /* of the step that failed */
    struct config *config;
    struct house *house; /* the rules of the configuration */
    char *actor;         /* "operator:NAME" of who called */
    struct keyring *ring;
    struct store *store;
    struct snapshot *snapshot;
    struct store_reader *reader;
    struct lookup *lookup;
};

/* Reads the configuration; what is wrong with it is told. */
bool workspace_read_config(struct workspace *work, const struct call *call) MUST_CHECK;

/* A command run as root becomes the owner of the cache. Files of the caller are read before. */
bool workspace_take_on_owner(struct workspace *work) MUST_CHECK;

bool workspace_read_keys(struct workspace *work) MUST_CHECK;

/* As above, for a command that can do without: work->ring stays NULL. */
void workspace_try_keys(struct workspace *work);

/* Takes on the owner and opens a cache that must be there. */
bool workspace_open_cache(struct workspace *work, enum store_access access) MUST_CHECK;

/* Takes on the owner and opens the cache for writing; an absent one is made. */
bool workspace_make_cache(struct workspace *work) MUST_CHECK;

/* Opens the cache to read and begins work->snapshot. */
bool workspace_begin_snapshot(struct workspace *work) MUST_CHECK;

/* Takes on the owner; work->lookup then answers from the cache as the server does. */
bool workspace_make_lookup(struct workspace *work) MUST_CHECK;

/* For an act of the operator, now. */
struct action workspace_action(const struct workspace *work);

/*
 * The domain that was written as text, in the form of the cache. False: it is none, and
 * work->status is EXIT_USAGE.
 */
bool workspace_read_domain(struct workspace *work, const char *text, char **ret) MUST_CHECK;

/* Complains and leaves status. Returns false. */
bool workspace_fail(struct workspace *work, enum exit_status status, const char *format, ...)
    PRINTF_LIKE(3, 4);

void workspace_finish(struct workspace *work);

#endif
