/* All that is held about whoever is logged in: to take along, and to be erased. */
#ifndef LPALIAS_PORTAL_OWN_DATA_API_H
#define LPALIAS_PORTAL_OWN_DATA_API_H

struct call;

void own_data_api_export(struct call *call);

/* Also of a banned account, whose ban stays. Ends all sessions of the account. */
void own_data_api_erase(struct call *call);

#endif
