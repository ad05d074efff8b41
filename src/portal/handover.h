/*
 * Mail that is wanted now, not at the next turn of the timer: runs `lpalias notify` beside the
 * portal, so that a mail server that hangs holds up nobody here. One at a time; if that fails the
 * timer does the same within a minute.
 *
 * It is run by a process of its own that can do nothing else, as the portal's sandbox lets the
 * portal start none.
 */
#ifndef LPALIAS_PORTAL_HANDOVER_H
#define LPALIAS_PORTAL_HANDOVER_H

#include "base/compiler.h"
#include "base/error.h"

struct handover;

/*
 * Starts that process, which ends with ours. Before any thread, database or sandbox, and as the
 * final user. ERROR_TEMPORARY: no process or pipe can be had.
 */
bool handover_create(const char *config_file, struct handover **ret,
                     struct error *error) MUST_CHECK;

/* What stands in the outbox by now is handed over, once a run that is under way has ended. */
void handover_begin(struct handover *handover);

/* Leaves a run to itself. NULL is fine. */
void handover_destroy(struct handover *handover);

#endif
