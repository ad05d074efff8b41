#include "portal/targets_api.h"

#include <sodium.h>
#include <string.h>

#include "action/self.h"
#include "action/target.h"
#include "address/address.h"
#include "base/log.h"
#include "membership/target_check.h"
#include "membership/target_list.h"
#include "portal/handover.h"
#include "portal/json_body.h"
#include "portal/member.h"
#include "portal/rate.h"
#include "portal/waiting.h"
#include "state/proof_link.h"
#include "state/token.h"

#define CONFIRM_PATH "/confirm#"

/* The address of the body, in canonical form. False: the call was refused. */
static bool read_address(struct call *call, struct buffer *canonical)
{
    const char *address;
    json_t *body = json_body_read(call);
    if (body == NULL)
        return false;
    enum refusal refusal = REFUSAL_BAD_REQUEST;
    bool is_read = json_unpack(body, "{s:s!}", "address", &address) == 0;
    if (is_read) {
        refusal = REFUSAL_TARGET_INVALID;
        is_read = strlen(address) <= PROOF_TARGET_MAX_BYTES &&
                  address_check_target(address, strlen(address), canonical) == NULL;
    }
    json_decref(body);
    if (!is_read)
        answer_refusal(call, refusal, 0);
    return is_read;
}

/* ---- adding ---- */

/* Whether it can be added. False: the call was refused. */
static bool check_place(struct call *call, const struct member *member, const char *address)
{
    struct error error = {0};
    bool is_ours = target_check_is_configured(member->action.house, address);
    if (!is_ours && !target_check_is_served(call->snapshot, address, &is_ours, &error)) {
        answer_trouble(call, &error);
        return false;
    }
    if (is_ours)
        answer_refusal(call, REFUSAL_TARGET_OURS, 0);
    return !is_ours;
}

/* How many the person has given, proven or not, without that one; *ret_is_known: it is in use. */
static size_t count_others(const struct target_list *targets, const struct waiting_list *waiting,
                           const char *address, bool *ret_is_known)
{
    size_t count = waiting_count_others(waiting, address);
    *ret_is_known = false;
    for (size_t i = 0; i < targets->count; i++) {
        if (targets->entries[i].source != TARGET_SOURCE_PERSON)
            continue;
        if (strcmp(targets->entries[i].address, address) == 0)
            *ret_is_known = true;
        else
            count++;
    }
    return count;
}

static bool check_room(struct call *call, const struct member *member, const char *address)
{
    struct error error = {0};
    CLEANUP(target_list_finish) struct target_list targets = {0};
    CLEANUP(waiting_finish) struct waiting_list waiting = {0};
    bool is_known;
    if (!target_list_open(member->ring, member->name.data, &member->person, &targets, &error) ||
        !waiting_read(call->portal->state, member->ring, member->identifier, call->now_s, &waiting,
                      &error)) {
        answer_trouble(call, &error);
        return false;
    }
    size_t others = count_others(&targets, &waiting, address, &is_known);
    if (!is_known && others < TARGET_MAX_COUNT)
        return true;
    answer_refusal(call, is_known ? REFUSAL_TARGET_KNOWN : REFUSAL_TARGET_TOO_MANY, 0);
    return false;
}

static bool is_vouched_for(const struct call *call, const char *address)
{
    CLEANUP(buffer_finish) struct buffer vouched = {0};
    const char *given = call->session.address;
    return *given != '\0' && address_check_target(given, strlen(given), &vouched) == NULL &&
           strcmp(buffer_text(&vouched), address) == 0;
}

static void answer_added(struct call *call, bool is_done, bool is_proven, const struct error *error)
{
    if (is_done)
        answer_json(call, 200, json_pack("{s:b}", "proven", is_proven));
    else
        member_answer(call, false, error, REFUSAL_OUTDATED);
}

static void add_vouched(struct call *call, const struct member *member, const char *address)
{
    struct error error = {0};
    struct store_update_result result;
    struct state *state = call->portal->state;
    bool is_done =
        action_self_add_target(&member->action, member->identifier, address, &result, &error) &&
        proof_link_drop(state, member->identifier, address, call->now_s, &error) != STATE_TROUBLE;
    answer_added(call, is_done, true, &error);
}

/* Whose mailbox it is has not asked for mail, whoever does here. False: the call was refused. */
static bool is_within_rate(struct call *call, const char *address)
{
    struct error error = {0};
    int64_t wait_s;
    switch (bucket_take(call->portal->state, &rate_of_proofs_by_target, address, call->now_s,
                        &wait_s, &error)) {
    case STATE_YES:
        return true;
    case STATE_NO:
        answer_refusal(call, REFUSAL_TOO_OFTEN, wait_s);
        return false;
    case STATE_TROUBLE:
        break;
    }
    answer_trouble(call, &error);
    return false;
}

static bool make_link(struct call *call, const struct member *member, const char *address,
                      const char *token, struct error *error)
{
    CLEANUP(buffer_finish) struct buffer sealed = {0};
    keyring_seal_waiting(member->ring, member->identifier, span_of(address), &sealed);
    return proof_link_make(call->portal->state, token, member->identifier, address,
                           (struct span){sealed.data, sealed.length},
                           call->now_s + OUTBOX_LINK_LIFE_S, error);
}

/* First what the link proves, then the mail with it; a link without a mail is taken back. */
static bool mail_link(struct call *call, const struct member *member, const char *address,
                      struct error *error)
{
    char token[TOKEN_TEXT_BYTES];
    struct store_update_result result;
    struct buffer link = {0};
    struct error ignored;
    buffer_appendf(&link, "%s" CONFIRM_PATH "%s", call->portal->config->portal.url,
                   token_make(token));
    bool is_made = make_link(call, member, address, token, error);
    bool is_mailed = is_made && action_self_ask_proof(&member->action, member->identifier, address,
                                                      buffer_text(&link), &result, error);
    if (is_made && !is_mailed &&
        proof_link_drop(call->portal->state, member->identifier, address, call->now_s, &ignored) ==
            STATE_TROUBLE)
        log_error("%s", ignored.text);
    sodium_memzero(link.data, link.length);
    sodium_memzero(token, sizeof(token));
    buffer_finish(&link);
    return is_mailed;
}

static void add(struct call *call, const struct member *member, const char *address)
{
    struct error error = {0};
    if (!check_place(call, member, address) || !check_room(call, member, address))
        return;
    if (is_vouched_for(call, address)) {
        add_vouched(call, member, address);
        return;
    }
    if (!is_within_rate(call, address))
        return;
    bool is_mailed = mail_link(call, member, address, &error);
    if (is_mailed)
        handover_begin(call->portal->handover);
    answer_added(call, is_mailed, false, &error);
}

void targets_api_add(struct call *call)
{
    struct member member = {0};
    CLEANUP(buffer_finish) struct buffer address = {0};
    if (read_address(call, &address) && member_begin_act(call, &member))
        add(call, &member, buffer_text(&address));
    member_finish(&member);
}

/* ---- removing ---- */

static void drop(struct call *call, const struct member *member, const char *address)
{
    struct error error = {0};
    struct store_update_result result;
    enum state_answer waited =
        proof_link_drop(call->portal->state, member->identifier, address, call->now_s, &error);
    bool is_dropped =
        waited != STATE_TROUBLE &&
        action_self_drop_target(&member->action, member->identifier, address, &result, &error);
    if (waited == STATE_YES && error.kind == ERROR_INVALID)
        is_dropped = true; /* it only waited */
    member_answer(call, is_dropped, &error, REFUSAL_NOT_FOUND);
}

void targets_api_remove(struct call *call)
{
    struct member member = {0};
    CLEANUP(buffer_finish) struct buffer address = {0};
    if (read_address(call, &address) && member_begin_act(call, &member))
        drop(call, &member, buffer_text(&address));
    member_finish(&member);
}
