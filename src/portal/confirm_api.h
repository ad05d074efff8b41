/*
 * A link that was mailed to an address is followed, and pressed on: whoever does it reads that
 * mail. Nobody needs to be logged in, as the mail may be read on another device.
 */
#ifndef LPALIAS_PORTAL_CONFIRM_API_H
#define LPALIAS_PORTAL_CONFIRM_API_H

struct call;

void confirm_api_use(struct call *call);

#endif
