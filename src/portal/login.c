#include "portal/login.h"

#include <stdlib.h>

#include "base/memory.h"
#include "openid/login.h"
#include "portal/answer.h"
#include "portal/call.h"
#include "portal/cookie.h"
#include "portal/query.h"
#include "state/pending_login.h"
#include "state/token.h"

#define NEXT_MAX_BYTES 1000
#define NEXT_DEFAULT   "/me"

/*
 * Whether a browser takes it for a path of this site and nothing else: browsers read "\" as "/",
 * and "//host" as another site.
 */
static bool is_inside(const char *path)
{
    if (path[0] != '/' || path[1] == '/')
        return false;
    for (const char *at = path; *at != '\0'; at++)
        if (*at <= ' ' || *at > '~' || *at == '\\')
            return false;
    return true;
}

/* All configured teams, so that the provider's word of them can stand in for Launchpad's. */
static void append_request_url(const struct portal *portal, const struct openid_login *login,
                               struct buffer *out)
{
    const struct config *config = portal->config;
    const struct openid_provider provider = {config->portal.openid_endpoint,
                                             config->portal.openid_identifiers};
    const char **teams = memory_new(config->domain_count + 1, sizeof(*teams));
    size_t count = 0;
    for (size_t i = 0; i < config->domain_count; i++)
        teams[count++] = config->domains[i].team;
    openid_login_append_request_url(login, &provider, teams, count, out);
    free(teams);
}

static void send_away(struct call *call, const char *state, const char *browser)
{
    CLEANUP(buffer_finish) struct buffer return_to = {0};
    CLEANUP(buffer_finish) struct buffer location = {0};
    buffer_appendf(&return_to, "%s" LOGIN_RETURN_PATH, call->portal->config->portal.url);
    const struct openid_login login = {buffer_text(&return_to), call->portal->config->portal.url,
                                       state};
    append_request_url(call->portal, &login, &location);
    cookie_append(call_add_cookie(call), COOKIE_LOGIN, browser, COOKIE_NONE, PENDING_LOGIN_LIMIT_S);
    answer_redirect(call, buffer_text(&location));
}

void login_begin(struct call *call)
{
    struct error error = {0};
    char state[TOKEN_TEXT_BYTES], browser[TOKEN_TEXT_BYTES];
    struct query_field next = {"next", NEXT_MAX_BYTES, NULL};
    bool is_read = query_read(http_request_query(call->request), &next, 1);
    const char *path =
        is_read && next.value != NULL && is_inside(next.value) ? next.value : NEXT_DEFAULT;
    bool is_begun = pending_login_begin(call->portal->state, token_make(state), token_make(browser),
                                        path, call->now_s, &error);
    query_finish(&next, 1);
    if (is_begun)
        send_away(call, state, browser);
    else
        answer_trouble(call, &error);
}
