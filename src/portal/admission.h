/* The second half of a login: it is known who it is, and Launchpad says what that means. */
#ifndef LPALIAS_PORTAL_ADMISSION_H
#define LPALIAS_PORTAL_ADMISSION_H

struct arrival;

/* Takes over the arrival, whose assertion is verified and whose nonce is used up. */
void admission_begin(struct arrival *arrival);

#endif
