/* What was changed of one's own. */
#ifndef LPALIAS_PORTAL_HISTORY_API_H
#define LPALIAS_PORTAL_HISTORY_API_H

struct call;

void history_api_list(struct call *call);

#endif
