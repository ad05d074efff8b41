#include "portal/own_data_api.h"

#include <string.h>

#include "action/self.h"
#include "portal/json_body.h"
#include "portal/member.h"
#include "portal/waiting.h"
#include "report/json_value.h"
#include "report/person_json.h"
#include "state/proof_link.h"
#include "state/session_end.h"

/* ---- export ---- */

static json_t *list_waiting(const struct waiting_list *waiting)
{
    json_t *targets = json_array();
    for (size_t i = 0; i < waiting->count; i++) {
        const char *address = waiting->targets[i].address;
        json_array_append_new(
            targets, json_pack("{s:o,s:o}", "address",
                               address != NULL ? json_from_span(span_of(address)) : json_null(),
                               "expires", json_from_time(waiting->targets[i].until_s)));
    }
    return targets;
}

/* The session is the browser's to keep; what else stands here is a hash, or a limit's count. */
static json_t *json_of_portal(const struct session *session, const struct waiting_list *waiting,
                              int64_t epoch)
{
    return json_pack(
        "{s:s,s:{s:s,s:o,s:o,s:o,s:o},s:o,s:I}", "login", session->account, "session", "name",
        session->name, "address", json_from_optional(span_of(session->address)), "found_by_login",
        json_from_optional(span_of(session->found)), "begun", json_from_time(session->begun_s),
        "used", json_from_time(session->used_s), "waiting_targets", list_waiting(waiting),
        "times_logged_out_everywhere", (json_int_t)epoch);
}

static bool read_all(struct call *call, const struct member *member, json_t **ret,
                     struct error *error)
{
    CLEANUP(waiting_finish) struct waiting_list waiting = {0};
    struct state *state = call->portal->state;
    json_t *person = NULL;
    int64_t epoch;
    if (!waiting_read(state, member->ring, member->identifier, call->now_s, &waiting, error) ||
        !session_epoch(state, member->identifier, &epoch, error) ||
        (member->is_known &&
         !person_json_read(member->ring, call->snapshot, member->name.data, &person, error)))
        return false;
    *ret = json_pack("{s:o?,s:o}", "person", person, "portal",
                     json_of_portal(&call->session, &waiting, epoch));
    return true;
}

void own_data_api_export(struct call *call)
{
    struct error error = {0};
    struct member member = {0};
    json_t *all;
    if (member_begin(call, &member)) {
        if (read_all(call, &member, &all, &error))
            answer_json(call, 200, all);
        else
            answer_trouble(call, &error);
    }
    member_finish(&member);
}

/* ---- erasing ---- */

/* Whether the person has typed that name. False: the call was refused. */
static bool is_meant(struct call *call, const char *wanted)
{
    const char *name;
    json_t *body = json_body_read(call);
    if (body == NULL)
        return false;
    bool is_read = json_unpack(body, "{s:s!}", "name", &name) == 0;
    bool is_name = is_read && strcmp(name, wanted) == 0;
    json_decref(body);
    if (!is_name)
        answer_refusal(call, is_read ? REFUSAL_NAME_MISMATCH : REFUSAL_BAD_REQUEST, 0);
    return is_name;
}

/* The cache first: it is what can fail, and what is not done then can be asked for again. */
static bool erase(struct call *call, const struct member *member, struct error *error)
{
    struct store_update_result result;
    struct state *state = call->portal->state;
    return (!member->is_known ||
            action_self_erase(&member->action, member->identifier, &result, error)) &&
           proof_link_drop_all(state, member->identifier, error) &&
           session_end_all(state, member->identifier, error);
}

void own_data_api_erase(struct call *call)
{
    struct error error = {0};
    struct member member = {0};
    if (member_begin(call, &member) &&
        is_meant(call, member.is_known ? buffer_text(&member.name) : call->session.name)) {
        bool is_done = erase(call, &member, &error);
        if (is_done)
            call_clear_session(call);
        member_answer(call, is_done, &error, REFUSAL_OUTDATED);
    }
    member_finish(&member);
}
