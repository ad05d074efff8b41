/* What a page asks about the session, and its end. */
#ifndef LPALIAS_PORTAL_SESSION_API_H
#define LPALIAS_PORTAL_SESSION_API_H

struct call;

/* Whether one is logged in, as whom, and the CSRF token of the session. */
void session_api_show(struct call *call);

/* Ends this session, copies of its cookie included. */
void session_api_log_out(struct call *call);

/* Ends all sessions of the account. */
void session_api_log_out_everywhere(struct call *call);

#endif
