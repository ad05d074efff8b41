/*
 * Lookups in the log, at debug level. An address is personal data and a log is kept, copied and
 * mailed about, so each stands there as a hash under a key that this process makes up and never
 * tells: lines about one address can be found from one another, and the address from none of them.
 */
#ifndef LPALIAS_SERVER_LOOKUP_LOG_H
#define LPALIAS_SERVER_LOOKUP_LOG_H

#include <stdbool.h>

#include "base/buffer.h"
#include "lookup/lookup.h"

/* Whether addresses themselves stand in the log (log-addresses), from now on. */
void lookup_log_show_addresses(bool is_shown);

/* That map was asked for key, and how it was answered; never what the answer says. */
void lookup_log_note(enum lookup_map map, struct span key, enum lookup_answer answer);

#endif
