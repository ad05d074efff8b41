#include "portal/admin_act.h"

#include "base/log.h"
#include "portal/answer.h"
#include "portal/cache.h"
#include "portal/call.h"

bool admin_act_begin(struct call *call, struct admin_act *ret)
{
    struct error error = {0};
    *ret = (struct admin_act){0};
    buffer_appendf(&ret->actor, "admin:%s", call->session.name);
    if (cache_action(call->portal->cache, buffer_text(&ret->actor), call->now_s, &ret->ring,
                     &ret->action, &error))
        return true;
    answer_trouble(call, &error);
    return false;
}

void admin_act_answer(struct call *call, bool is_done, const struct error *error)
{
    if (is_done) {
        answer_json(call, 200, json_pack("{s:b}", "done", 1));
    } else if (error->kind == ERROR_INVALID) {
        log_info("%s", error->text);
        answer_refusal(call, REFUSAL_OUTDATED, 0);
    } else {
        answer_trouble(call, error);
    }
}

void admin_act_finish(struct admin_act *act)
{
    buffer_finish(&act->actor);
    keyring_destroy(act->ring);
}
