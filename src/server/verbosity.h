/*
 * How much the server logs: what the configuration says (log-level, log-addresses), until an
 * operator says otherwise by a signal, until the configuration is read again.
 */
#ifndef LPALIAS_SERVER_VERBOSITY_H
#define LPALIAS_SERVER_VERBOSITY_H

#include <stdbool.h>

#include "base/compiler.h"
#include "base/error.h"
#include "config/config.h"
#include "loop/loop.h"

/* To be called when the process starts: a signal that comes too early for a loop is lost and does
 * not end the process. */
void verbosity_ignore_signals(void);

/* From now on verbosity_apply() sets the level debug, whatever the configuration says. */
void verbosity_force_debug(void);

/* Takes what config says; to be called at the start and after each reload. */
void verbosity_apply(const struct config *config);

/*
 * From now on SIGUSR1 makes the log one level more verbose and SIGUSR2 one level less, until
 * verbosity_apply(). ERROR_TEMPORARY: signals cannot be watched.
 */
bool verbosity_watch_signals(struct loop *loop, struct error *error) MUST_CHECK;

#endif
