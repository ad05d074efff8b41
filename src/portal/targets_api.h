/* Where one's mail goes on to: adding an address, which is mailed a link, and removing one. */
#ifndef LPALIAS_PORTAL_TARGETS_API_H
#define LPALIAS_PORTAL_TARGETS_API_H

struct call;

/* One that waits is mailed another link; the one before counts no more. */
void targets_api_add(struct call *call);

/* One that is used, or one that waits. */
void targets_api_remove(struct call *call);

#endif
