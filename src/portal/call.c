#include "portal/call.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/timestamp.h"
#include "portal/answer.h"
#include "portal/cache.h"
#include "portal/client.h"
#include "portal/cookie.h"
#include "portal/login.h"
#include "portal/rate.h"
#include "portal/site_file.h"
#include "state/session_end.h"

void call_free(struct call *call)
{
    route_match_finish(&call->match);
    admin_rights_finish(&call->rights);
    snapshot_end(call->snapshot);
    buffer_finish(&call->address);
    for (size_t i = 0; i < call->cookie_count; i++)
        buffer_finish(&call->cookies[i]);
    free(call);
}

const char *call_parameter(const struct call *call, size_t place)
{
    return call->match.parameters[place];
}

struct buffer *call_add_cookie(struct call *call)
{
    if (call->cookie_count == CALL_COOKIES_MAX)
        abort();
    return &call->cookies[call->cookie_count++];
}

/* Of the session there is one, whatever was to be said of it before. */
static struct buffer *session_cookie(struct call *call)
{
    for (size_t i = 0; i < call->cookie_count; i++)
        if (strncmp(buffer_text(&call->cookies[i]), COOKIE_SESSION "=", sizeof(COOKIE_SESSION)) ==
            0) {
            buffer_clear(&call->cookies[i]);
            return &call->cookies[i];
        }
    return call_add_cookie(call);
}

void call_set_session(struct call *call, const struct session *session)
{
    struct buffer sealed = {0};
    int64_t left_s = session->begun_s + call->portal->session_limits.total_s - call->now_s;
    session_seal(session, state_key(call->portal->state), COOKIE_SESSION, &sealed);
    cookie_append(session_cookie(call), COOKIE_SESSION, buffer_text(&sealed), COOKIE_LAX, left_s);
    buffer_finish(&sealed);
}

void call_clear_session(struct call *call)
{
    cookie_append(session_cookie(call), COOKIE_SESSION, "", COOKIE_LAX, 0);
}

/* Refuses the call and says so; who asks goes on with the next question. */
static bool refuse(struct call *call, enum refusal refusal)
{
    answer_refusal(call, refusal, 0);
    return false;
}

static bool refuse_for_trouble(struct call *call, const struct error *error)
{
    answer_trouble(call, error);
    return false;
}

/* A page of another host that resolves to us is another site. */
static bool is_for_us(struct call *call)
{
    const char *host = http_request_header(call->request, "Host");
    return (host != NULL && http_request_header_count(call->request, "Host") == 1 &&
            strcmp(host, call->portal->authority) == 0) ||
           refuse(call, REFUSAL_MISDIRECTED);
}

/* Fills the session if there is one. A cookie that does not count is as none. */
static bool read_session(struct call *call)
{
    struct portal *portal = call->portal;
    struct error error = {0};
    CLEANUP(buffer_finish) struct buffer cookie = {0};
    struct session *session = &call->session;
    if (!cookie_find(http_request_header(call->request, "Cookie"), COOKIE_SESSION, &cookie) ||
        !session_open(buffer_text(&cookie), state_key(portal->state), COOKIE_SESSION,
                      &portal->session_limits, call->now_s, session))
        return true;
    enum state_answer goes_on =
        session_goes_on(portal->state, (struct span){(const char *)session->id, SESSION_ID_BYTES},
                        session->account, session->epoch, call->now_s, &error);
    if (goes_on == STATE_TROUBLE)
        return refuse_for_trouble(call, &error);
    call->is_logged_in = goes_on == STATE_YES;
    return true;
}

static void renew_session(struct call *call)
{
    if (!call->is_logged_in ||
        !session_wants_renewal(&call->session, &call->portal->session_limits, call->now_s))
        return;
    call->session.used_s = call->now_s;
    call_set_session(call, &call->session);
}

/* Whoever is no admin is told so only when it is sure. */
static bool is_admin(struct call *call)
{
    struct error error = {0};
    if (!cache_begin(call->portal->cache, &call->snapshot, &error) ||
        !admin_rights_read(call->portal->config, &call->session, call->snapshot, &call->rights,
                           &error))
        return refuse_for_trouble(call, &error);
    return admin_rights_are_some(&call->rights) || refuse(call, REFUSAL_NOT_ADMIN);
}

static bool has_access(struct call *call)
{
    enum route_access access = call->match.route->access;
    if (access == ROUTE_ANYONE)
        return true;
    if (!call->is_logged_in)
        return refuse(call, REFUSAL_NOT_LOGGED_IN);
    return access == ROUTE_MEMBER || is_admin(call);
}

static bool is_get(const struct call *call)
{
    return strcmp(call->match.route->method, "GET") == 0;
}

/*
 * Browsers say where a request comes from, old ones by Origin and newer ones by Sec-Fetch-Site as
 * well; what says nothing is no browser, and has no cookies of one.
 */
static bool is_from_our_pages(const struct call *call)
{
    const char *origin = http_request_header(call->request, "Origin");
    const char *site = http_request_header(call->request, "Sec-Fetch-Site");
    if (origin != NULL && strcmp(origin, call->portal->config->portal.url) != 0)
        return false;
    if (site != NULL && strcmp(site, "same-origin") != 0)
        return false;
    return origin != NULL || site != NULL;
}

static bool is_no_forgery(struct call *call)
{
    if (is_get(call) || call->match.route->is_posted_by_provider)
        return true;
    if (!is_from_our_pages(call))
        return refuse(call, REFUSAL_FORGED);
    /* Without a session there is nothing that another site could abuse. */
    return !call->is_logged_in ||
           session_csrf_is(&call->session, state_key(call->portal->state),
                           http_request_header(call->request, "X-CSRF-Token")) ||
           refuse(call, REFUSAL_FORGED);
}

/* False: the call was refused. */
static bool take_token(struct call *call, const struct bucket_rate *rate, const char *subject)
{
    struct error error = {0};
    int64_t wait_s;
    switch (bucket_take(call->portal->state, rate, subject, call->now_s, &wait_s, &error)) {
    case STATE_YES:
        return true;
    case STATE_NO:
        if (call->match.route->rate == ROUTE_RATE_LOGIN)
            answer_redirect(call, LOGIN_TOO_OFTEN); /* a browser on its way, not a script */
        else
            answer_refusal(call, REFUSAL_TOO_OFTEN, wait_s);
        return false;
    case STATE_TROUBLE:
        break;
    }
    return refuse_for_trouble(call, &error);
}

static bool is_within_rate(struct call *call)
{
    enum route_rate wanted = call->match.route->rate;
    if (wanted == ROUTE_RATE_BY_METHOD && is_get(call))
        return true;
    static const enum rate rates[] = {
        [ROUTE_RATE_BY_METHOD] = RATE_WRITE,
        [ROUTE_RATE_LOGIN] = RATE_LOGIN,
        [ROUTE_RATE_PROOF_MAIL] = RATE_PROOF_MAIL,
        [ROUTE_RATE_LONG_READ] = RATE_LONG_READ,
    };
    enum rate rate = rates[wanted];
    return take_token(call, &rate_by_address[rate], buffer_text(&call->address)) &&
           (!call->is_logged_in || take_token(call, &rate_by_person[rate], call->session.account));
}

/* Files of the site are for everyone, and only to be read. */
static bool answer_by_page(struct call *call)
{
    const struct site_file *page = site_file_find(http_request_path(call->request));
    const char *method = http_request_method(call->request);
    if (page == NULL)
        return false;
    if (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0) {
        answer_page(call, page);
    } else {
        call->match.allowed[0] = "GET";
        answer_refusal(call, REFUSAL_METHOD, 0);
    }
    return true;
}

static bool is_something_there(struct call *call)
{
    return call->match.route != NULL ||
           refuse(call, call->match.allowed[0] != NULL ? REFUSAL_METHOD : REFUSAL_NOT_FOUND);
}

void call_begin(void *context, struct http_request *request)
{
    struct call *call = memory_new(1, sizeof(*call));
    call->portal = context;
    call->request = request;
    call->now_s = timestamp_now_s();
    client_append_address(&call->address, http_request_peer(request),
                          http_request_header(request, "X-Forwarded-For"),
                          &call->portal->config->portal.trusted_proxies);
    route_find(portal_routes, portal_route_count, http_request_method(request),
               http_request_path(request), &call->match);
    if (!is_for_us(call) || (call->match.allowed[0] == NULL && answer_by_page(call)) ||
        !is_something_there(call) || !read_session(call) || !has_access(call) ||
        !is_no_forgery(call) || !is_within_rate(call))
        return;
    renew_session(call);
    call->match.route->handle(call);
}
