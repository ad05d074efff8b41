#include "portal/choice_api.h"

#include <string.h>

#include "action/self.h"
#include "address/address.h"
#include "portal/json_body.h"
#include "portal/member.h"

/* ---- pause ---- */

/* False: the call was refused. */
static bool read_nothing(struct call *call)
{
    json_t *body = json_body_read(call);
    if (body == NULL)
        return false;
    bool is_empty = json_object_size(body) == 0;
    json_decref(body);
    if (!is_empty)
        answer_refusal(call, REFUSAL_BAD_REQUEST, 0);
    return is_empty;
}

static void set_pause(struct call *call, bool is_paused)
{
    struct error error = {0};
    struct member member = {0};
    struct store_update_result result;
    if (read_nothing(call) && member_begin_act(call, &member)) {
        bool is_done =
            action_self_pause(&member.action, member.identifier, is_paused, &result, &error);
        member_answer(call, is_done, &error, REFUSAL_OUTDATED);
    }
    member_finish(&member);
}

void choice_api_pause(struct call *call)
{
    set_pause(call, true);
}

void choice_api_resume(struct call *call)
{
    set_pause(call, false);
}

/* ---- extension ---- */

struct choice {
    struct address address;
    enum extension_policy extension;
};

static bool read_policy(const char *text, enum extension_policy *ret)
{
    for (enum extension_policy policy = EXTENSION_APPEND; policy <= EXTENSION_REFUSE; policy++)
        if (strcmp(text, extension_policy_name(policy)) == 0) {
            *ret = policy;
            return true;
        }
    return false;
}

/* False: the call was refused. */
static bool read_choice(struct call *call, struct choice *ret)
{
    const char *address, *extension;
    json_t *body = json_body_read(call);
    if (body == NULL)
        return false;
    bool is_read =
        json_unpack(body, "{s:s,s:s!}", "address", &address, "extension", &extension) == 0 &&
        read_policy(extension, &ret->extension);
    bool is_address =
        is_read && address_parse(address, strlen(address), &ret->address) == ADDRESS_FULL;
    json_decref(body);
    if (!is_address)
        answer_refusal(call, is_read ? REFUSAL_NOT_FOUND : REFUSAL_BAD_REQUEST, 0);
    return is_address;
}

void choice_api_set_extension(struct call *call)
{
    struct error error = {0};
    struct member member = {0};
    struct choice choice;
    struct store_update_result result;
    if (read_choice(call, &choice) && member_begin_act(call, &member)) {
        bool is_done =
            action_self_set_extension(&member.action, member.identifier, choice.address.domain,
                                      choice.address.local, choice.extension, &result, &error);
        member_answer(call, is_done, &error, REFUSAL_NOT_FOUND);
    }
    member_finish(&member);
}
