/* The domains one is an admin of, with their figures. */
#ifndef LPALIAS_PORTAL_DOMAINS_API_H
#define LPALIAS_PORTAL_DOMAINS_API_H

struct call;

void domains_api_list(struct call *call);

#endif
