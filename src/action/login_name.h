/* The login by which a person may send mail as the person's aliases (the map `sender`). */
#ifndef LPALIAS_ACTION_LOGIN_NAME_H
#define LPALIAS_ACTION_LOGIN_NAME_H

#include <stdbool.h>

#include "action/actor.h"
#include "base/error.h"
#include "store/changeset.h"

#define LOGIN_NAME_MAX_BYTES 128

/*
 * An operator says which login of the mail server is the person's; "": the Launchpad name, as
 * without a word. It is not for persons to say, since it is the mail server that knows whose login
 * is whose. ERROR_INVALID: unknown person; a login that is overlong, begins with "!", or has
 * another byte than printable ASCII without blank and comma (Postfix takes a list apart at these,
 * smtpd_check.c reject_auth_sender_login_mismatch); one that is another person's, in any case of
 * letters, as Postfix compares them so. ERROR_TEMPORARY: the cache.
 */
bool action_login_name_set(const struct action *action, const char *name, const char *login,
                           struct store_update_result *ret, struct error *error) MUST_CHECK;

#endif
