/* What lpaliasd may still do once it is ready: the sandbox with its paths and its system calls. */
#ifndef LPALIAS_SERVER_CONFINEMENT_H
#define LPALIAS_SERVER_CONFINEMENT_H

#include "config/config.h"

/*
 * Confines the process for good, unless the configuration says otherwise. Listeners must be open
 * and the user must be the final one. A part that cannot be had is a warning in the log.
 */
void confinement_enter(const struct config *config);

#endif
