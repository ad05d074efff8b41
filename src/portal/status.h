/*
 * What everybody may know: how many aliases are live, how old that is, whether lookups are
 * answered. Made anew every few seconds at most, whoever asks how often; no name stands in it.
 */
#ifndef LPALIAS_PORTAL_STATUS_H
#define LPALIAS_PORTAL_STATUS_H

#include "portal/alias_count.h"

struct call;
struct portal;
struct status;

/* portal is borrowed. Never NULL. */
struct status *status_create(struct portal *portal);

/* Calls that wait are answered no more. NULL is fine. */
void status_destroy(struct status *status);

/* Notes a sample now and every CHART_PERIOD_S. */
void status_begin_samples(struct status *status);

/* The one that all of the portal share. */
struct alias_counts *status_counts(struct status *status);

/* GET /status.json */
void status_show(struct call *call);

#endif
