/* The addresses that one has or could have, and where mail goes on to. */
#ifndef LPALIAS_PORTAL_ME_API_H
#define LPALIAS_PORTAL_ME_API_H

struct call;

void me_api_show(struct call *call);

#endif
