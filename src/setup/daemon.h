/* What the servers' main functions have in common: options, configuration, user. */
#ifndef LPALIAS_SETUP_DAEMON_H
#define LPALIAS_SETUP_DAEMON_H

#include <stdbool.h>

#include "base/compiler.h"
#include "base/error.h"
#include "config/config.h"

struct daemon {
    const char *name;
    const char *help;                          /* what --help prints */
    void (*be_verbose)(void);                  /* -v */
    int (*serve)(const struct config *config); /* returns the exit status */
};

/*
 * Takes -c, -v, -h and -V, reads the configuration and serves by it. Returns the exit status: that
 * of serve(), EX_USAGE, or EX_CONFIG with all problems in the log.
 */
int daemon_run(const struct daemon *daemon, int argc, char **argv);

/*
 * Becomes user (may be NULL) if the process is root's; section is where the configuration names it.
 * The errors of user_become().
 */
bool daemon_become_user(const char *user, const char *section, struct error *error) MUST_CHECK;

#endif
