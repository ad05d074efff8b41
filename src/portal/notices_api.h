/* Notices of one's domains that wait to be handed over; never to which address. */
#ifndef LPALIAS_PORTAL_NOTICES_API_H
#define LPALIAS_PORTAL_NOTICES_API_H

struct call;

/* The first so many, oldest first. */
void notices_api_list(struct call *call);

#endif
