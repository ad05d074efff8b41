#include "portal/member.h"

#include "action/login.h"
#include "base/log.h"
#include "membership/identity.h"
#include "portal/cache.h"

static bool read_member(struct call *call, struct member *member, struct error *error)
{
    if (!cache_begin(call->portal->cache, &call->snapshot, error) ||
        !cache_action(call->portal->cache, ACTOR_PERSON, call->now_s, &member->ring,
                      &member->action, error))
        return false;
    enum store_result found = identity_of_login(call->snapshot, member->identifier, &member->name,
                                                &member->person, error);
    member->is_known = found == STORE_FOUND;
    buffer_text(&member->name); /* ends it */
    return found != STORE_TROUBLE;
}

bool member_begin(struct call *call, struct member *ret)
{
    struct error error = {0};
    *ret = (struct member){.identifier = call->session.account};
    if (read_member(call, ret, &error))
        return true;
    answer_trouble(call, &error);
    return false;
}

bool member_begin_act(struct call *call, struct member *ret)
{
    if (!member_begin(call, ret))
        return false;
    if (ret->is_known && !ret->person.is_banned)
        return true;
    answer_refusal(call, ret->is_known ? REFUSAL_BANNED : REFUSAL_NOT_KNOWN, 0);
    return false;
}

void member_answer(struct call *call, bool is_done, const struct error *error, enum refusal refusal)
{
    if (is_done) {
        answer_json(call, 200, json_pack("{s:b}", "done", 1));
    } else if (error->kind == ERROR_INVALID) {
        log_info("%s: %s", call->is_logged_in ? call->session.account : "a link", error->text);
        answer_refusal(call, refusal, 0);
    } else {
        answer_trouble(call, error);
    }
}

void member_finish(struct member *member)
{
    buffer_finish(&member->name);
    keyring_destroy(member->ring);
}
