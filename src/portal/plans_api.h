/* What refreshes did not dare to do by themselves, and an admin's yes or no to it. */
#ifndef LPALIAS_PORTAL_PLANS_API_H
#define LPALIAS_PORTAL_PLANS_API_H

struct call;

void plans_api_show(struct call *call);

/* Both only if the plan still is the one of the number that was shown. */
void plans_api_release(struct call *call);
void plans_api_discard(struct call *call);

#endif
