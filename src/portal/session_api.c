#include "portal/session_api.h"

#include "base/log.h"
#include "portal/answer.h"
#include "portal/call.h"
#include "state/session_end.h"

void session_api_show(struct call *call)
{
    char csrf[SESSION_CSRF_TEXT_BYTES];
    const struct session *session = &call->session;
    if (!call->is_logged_in) {
        answer_json(call, 200, json_pack("{s:b}", "logged_in", 0));
        return;
    }
    session_csrf(session, state_key(call->portal->state), csrf);
    answer_json(call, 200,
                json_pack("{s:b,s:s*,s:b,s:s}", "logged_in", 1, "name",
                          *session->name != '\0' ? session->name : NULL, "admin",
                          call_is_admin(call), "csrf_token", csrf));
}

static void finish(struct call *call, bool is_ended, const struct error *error)
{
    if (!is_ended) {
        log_error("%s", error->text);
        answer_refusal(call, REFUSAL_UNAVAILABLE, 0);
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
