/* Who is banned, in all domains: only for admins of the portal. */
#ifndef LPALIAS_PORTAL_BANS_API_H
#define LPALIAS_PORTAL_BANS_API_H

struct call;

void bans_api_list(struct call *call);
void bans_api_add(struct call *call);
void bans_api_remove(struct call *call);

#endif
