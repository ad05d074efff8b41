/* What one may choose of one's addresses: whether mail flows, and what a tag behind a name does. */
#ifndef LPALIAS_PORTAL_CHOICE_API_H
#define LPALIAS_PORTAL_CHOICE_API_H

struct call;

void choice_api_pause(struct call *call);
void choice_api_resume(struct call *call);
void choice_api_set_extension(struct call *call);

#endif
