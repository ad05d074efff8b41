#include "portal/confirm_api.h"

#include "action/login.h"
#include "action/self.h"
#include "portal/cache.h"
#include "portal/json_body.h"
#include "portal/member.h"
#include "state/proof_link.h"

static bool add_target(struct call *call, const char *identifier, const char *address,
                       struct error *error)
{
    struct keyring *ring = NULL;
    struct action action;
    struct store_update_result result;
    bool is_done =
        cache_begin(call->portal->cache, &call->snapshot, error) &&
        cache_action(call->portal->cache, ACTOR_PERSON, call->now_s, &ring, &action, error) &&
        action_self_add_target(&action, identifier, address, &result, error);
    keyring_destroy(ring);
    return is_done;
}

/*
 * The link is used up last, so that one that could not be followed for now can be followed again;
 * adding twice is adding once.
 */
static void use(struct call *call, const char *token)
{
    struct error error = {0};
    CLEANUP(buffer_finish) struct buffer account = {0};
    CLEANUP(buffer_finish) struct buffer address = {0};
    struct state *state = call->portal->state;
    enum proof_answer answer =
        proof_link_look(state, token, call->now_s, &account, &address, &error);
    bool is_done = answer == PROOF_OPEN &&
                   add_target(call, buffer_text(&account), buffer_text(&address), &error);
    if (is_done) {
        buffer_clear(&account);
        buffer_clear(&address);
        answer = proof_link_use(state, token, call->now_s, &account, &address, &error);
        is_done = answer == PROOF_OPEN;
    }
    if (answer == PROOF_ABSENT || answer == PROOF_USED)
        answer_refusal(call, REFUSAL_LINK_INVALID, 0);
    else
        member_answer(call, is_done, &error, REFUSAL_LINK_INVALID);
}

void confirm_api_use(struct call *call)
{
    const char *token;
    json_t *body = json_body_read(call);
    if (body == NULL)
        return;
    if (json_unpack(body, "{s:s!}", "token", &token) == 0)
        use(call, token);
    else
        answer_refusal(call, REFUSAL_BAD_REQUEST, 0);
    json_decref(body);
}
