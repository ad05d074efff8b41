/* GET /login: sends the browser to the login provider. */
#ifndef LPALIAS_PORTAL_LOGIN_H
#define LPALIAS_PORTAL_LOGIN_H

/* Where a login that did not work ends: the first page says why, by the code behind it (problem.*
 * of the catalogue). */
#define LOGIN_PROBLEM     "/?problem="
#define LOGIN_TOO_OFTEN   LOGIN_PROBLEM "too-often"
#define LOGIN_RETURN_PATH "/login/return"

struct call;

/* next=PATH is where to go afterwards: a path of the site, else one's own page. */
void login_begin(struct call *call);

#endif
