/*
 * Mail that is wanted now, not at the next turn of the timer: runs `lpalias notify` beside the
 * portal, so that a mail server that hangs holds up nobody here. One at a time; if that fails the
 * timer does the same within a minute.
 */
#ifndef LPALIAS_PORTAL_HANDOVER_H
#define LPALIAS_PORTAL_HANDOVER_H

#include "base/compiler.h"
#include "base/error.h"
#include "loop/loop.h"

struct handover;

/* config_file is borrowed. ERROR_TEMPORARY: as loop_watch_signal, of SIGCHLD. */
bool handover_create(struct loop *loop, const char *config_file, struct handover **ret,
                     struct error *error) MUST_CHECK;

/* What stands in the outbox by now is handed over, once a run that is under way has ended. */
void handover_begin(struct handover *handover);

/* Leaves a run to itself. Before the loop is destroyed. NULL is fine. */
void handover_destroy(struct handover *handover);

#endif
