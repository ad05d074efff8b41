/* The audit log of one's domains, newest first. */
#ifndef LPALIAS_PORTAL_EVENTS_API_H
#define LPALIAS_PORTAL_EVENTS_API_H

struct call;

/* A page of those that were asked for, and where to go on. */
void events_api_list(struct call *call);

#endif
