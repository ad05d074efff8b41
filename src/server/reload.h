/* The configuration file, read again by a running server. */
#ifndef LPALIAS_SERVER_RELOAD_H
#define LPALIAS_SERVER_RELOAD_H

#include <stdbool.h>

#include "base/compiler.h"
#include "config/config.h"

/*
 * Reads the file of running again, which is the configuration in use.
 * *ret is the caller's to destroy. False: there is something wrong with it, or it differs in what
 * needs a restart; all of that is in the log, and nothing may change.
 */
bool reload_read(const struct config *running, struct config **ret) MUST_CHECK;

#endif
