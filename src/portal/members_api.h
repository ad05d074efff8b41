/* The aliases of one's domains and whose they are; never where they lead. */
#ifndef LPALIAS_PORTAL_MEMBERS_API_H
#define LPALIAS_PORTAL_MEMBERS_API_H

struct call;

/* A page of those that were asked for, and where to go on. */
void members_api_list(struct call *call);

#endif
