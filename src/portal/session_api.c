#include "portal/session_api.h"

#include "base/log.h"
#include "portal/answer.h"
#include "portal/cache.h"
#include "portal/call.h"
#include "state/session_end.h"

/* Only for what a page shows, each route asks for itself: without cache, what the lists say. */
static void read_rights(const struct call *call, struct admin_rights *ret)
{
    const struct config *config = call->portal->config;
    struct snapshot *snapshot = NULL;
    struct error error = {0};
    bool is_read = cache_begin(call->portal->cache, &snapshot, &error) &&
                   admin_rights_read(config, &call->session, snapshot, ret, &error);
    snapshot_end(snapshot);
    if (is_read)
        return;
    if (snapshot != NULL)
        admin_rights_finish(ret);
    log_debug("%s", error.text); /* the routes that need the cache say it aloud */
    if (!admin_rights_read(config, &call->session, NULL, ret, &error))
        *ret = (struct admin_rights){0};
}

void session_api_show(struct call *call)
{
    char csrf[SESSION_CSRF_TEXT_BYTES];
    const struct session *session = &call->session;
    if (!call->is_logged_in) {
        answer_json(
            call, 200,
            json_pack("{s:b,s:b,s:b}", "logged_in", 0, "is_admin", 0, "is_portal_admin", 0));
        return;
    }
    session_csrf(session, state_key(call->portal->state), csrf);
    struct admin_rights rights;
    read_rights(call, &rights);
    answer_json(call, 200,
                json_pack("{s:b,s:s?,s:b,s:b,s:s}", "logged_in", 1, "name",
                          *session->name != '\0' ? session->name : NULL, "is_admin",
                          admin_rights_are_some(&rights), "is_portal_admin", rights.is_of_portal,
                          "csrf_token", csrf));
    admin_rights_finish(&rights);
}

static void finish(struct call *call, bool is_ended, const struct error *error)
{
    if (!is_ended) {
        answer_trouble(call, error);
        return;
    }
    call_clear_session(call);
    answer_nothing(call);
}

void session_api_log_out(struct call *call)
{
    struct error error = {0};
    const struct session *session = &call->session;
    struct span id = {(const char *)session->id, SESSION_ID_BYTES};
    int64_t until_s = session->begun_s + call->portal->session_limits.total_s;
    finish(call, session_end(call->portal->state, id, until_s, &error), &error);
}

void session_api_log_out_everywhere(struct call *call)
{
    struct error error = {0};
    finish(call, session_end_all(call->portal->state, call->session.account, &error), &error);
}
