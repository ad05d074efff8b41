#include "portal/bans_api.h"

#include <string.h>

#include "action/ban.h"
#include "action/person.h"
#include "base/memory.h"
#include "base/text.h"
#include "launchpad/page.h"
#include "portal/admin_act.h"
#include "portal/answer.h"
#include "portal/call.h"
#include "portal/json_body.h"
#include "report/json_value.h"

#define REASON_MAX_BYTES 500

/* False: the call was refused. */
static bool may_ban(struct call *call)
{
    if (call->rights.is_of_portal)
        return true;
    answer_refusal(call, REFUSAL_NOT_ADMIN, 0);
    return false;
}

static bool add_ban(void *context, const char *name, const struct person_record *person)
{
    if (person->is_banned)
        json_array_append_new(context,
                              json_pack("{s:o,s:o,s:o}", "name", json_from_span(span_of(name)),
                                        "since", json_from_time(person->banned_s), "reason",
                                        json_from_optional(person->ban_reason)));
    return true;
}

void bans_api_list(struct call *call)
{
    struct error error = {0};
    if (!may_ban(call))
        return;
    json_t *bans = json_array();
    if (snapshot_each_person(call->snapshot, add_ban, bans, &error)) {
        answer_json(call, 200, json_pack("{s:o}", "bans", bans));
        return;
    }
    json_decref(bans);
    answer_trouble(call, &error);
}

static bool is_name(const char *name)
{
    return strlen(name) <= PERSON_NAME_MAX_BYTES && page_is_name(name);
}

/* One that says something. */
static bool is_line(const char *text)
{
    size_t length = strlen(text);
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            return false;
    return length <= REASON_MAX_BYTES && strspn(text, " ") != length;
}

/*
 * What the body says, in copies that the caller frees; reason NULL: none is wanted. False: the call
 * was refused.
 */
static bool read_body(struct call *call, char **ret_name, char **ret_reason)
{
    const char *name = NULL, *reason = NULL;
    json_t *body = json_body_read(call);
    if (body == NULL)
        return false;
    bool is_read = ret_reason == NULL
                       ? json_unpack(body, "{s:s!}", "name", &name) == 0
                       : json_unpack(body, "{s:s,s:s!}", "name", &name, "reason", &reason) == 0 &&
                             is_line(reason);
    if (is_read) {
        *ret_name = memory_copy_text(name);
        text_lower_ascii(*ret_name, strlen(*ret_name));
        is_read = is_name(*ret_name);
        if (ret_reason != NULL)
            *ret_reason = memory_copy_text(reason);
    }
    json_decref(body);
    if (!is_read)
        answer_refusal(call, REFUSAL_BAD_REQUEST, 0);
    return is_read;
}

void bans_api_add(struct call *call)
{
    CLEANUP(memory_free_at) char *name = NULL;
    CLEANUP(memory_free_at) char *reason = NULL;
    struct admin_act act;
    struct error error = {0};
    struct store_update_result result;
    if (!may_ban(call) || !read_body(call, &name, &reason))
        return;
    if (admin_act_begin(call, &act))
        admin_act_answer(call, action_ban(&act.action, name, reason, &result, &error), &error);
    admin_act_finish(&act);
}

/* False: the call was refused. */
static bool check_banned(struct call *call, const char *name)
{
    struct error error = {0};
    struct person_record person;
    enum store_result found = snapshot_person(call->snapshot, name, &person, &error);
    if (found == STORE_FOUND && person.is_banned)
        return true;
    if (found == STORE_TROUBLE)
        answer_trouble(call, &error);
    else
        answer_refusal(call, REFUSAL_NOT_FOUND, 0);
    return false;
}

void bans_api_remove(struct call *call)
{
    CLEANUP(memory_free_at) char *name = NULL;
    struct admin_act act;
    struct error error = {0};
    struct store_update_result result;
    if (!may_ban(call) || !read_body(call, &name, NULL) || !check_banned(call, name))
        return;
    if (admin_act_begin(call, &act))
        admin_act_answer(call, action_unban(&act.action, name, "", &result, &error), &error);
    admin_act_finish(&act);
}
