/* Names of OpenID 2.0 and of the extensions that Ubuntu One answers (facts 7.1, 7.2). */
#ifndef LPALIAS_OPENID_NAMESPACE_H
#define LPALIAS_OPENID_NAMESPACE_H

#define OPENID_NAMESPACE_2_0   "http://specs.openid.net/auth/2.0"
#define OPENID_NAMESPACE_SREG  "http://openid.net/extensions/sreg/1.1"
#define OPENID_NAMESPACE_AX    "http://openid.net/srv/ax/1.0"
#define OPENID_NAMESPACE_TEAMS "http://ns.launchpad.net/2007/openid-teams"

/* The AX attribute that says whether the account has proven its address. */
#define OPENID_AX_ACCOUNT_VERIFIED "http://ns.login.ubuntu.com/2013/validation/account"

#endif
