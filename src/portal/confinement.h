/* What lpalias-portal may still do once it is ready: the sandbox with its paths and its calls. */
#ifndef LPALIAS_PORTAL_CONFINEMENT_H
#define LPALIAS_PORTAL_CONFINEMENT_H

#include "config/config.h"

/*
 * Confines the process for good, unless the configuration says otherwise. The listener, curl and
 * the state database must be open, the user must be the final one, and no name may have been asked
 * for, as that starts threads. A part that cannot be had is a warning in the log.
 */
void confinement_enter(const struct config *config);

#endif
