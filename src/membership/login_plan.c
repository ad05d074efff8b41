#include "membership/login_plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "membership/login_passage.h"

const char *login_outcome_word(enum login_outcome outcome)
{
    switch (outcome) {
    case LOGIN_BANNED:
        return "banned";
    case LOGIN_CANNOT_TELL:
        return "cannot-tell";
    case LOGIN_NO_ACCOUNT:
        return "no-account";
    case LOGIN_WAITS:
        return "waits";
    case LOGIN_NOT_VALID:
        return "not-valid";
    case LOGIN_COC_NOT_SIGNED:
        return "coc-not-signed";
    case LOGIN_MEMBER:
        return "member";
    case LOGIN_OF_NO_TEAM:
        return "of-no-team";
    }
    return "";
}

static bool check_request(const struct login_request *request, struct error *error)
{
    size_t length = strlen(request->identifier);
    if (length == 0 || length > LOGIN_IDENTIFIER_MAX_BYTES)
        return error_set(error, ERROR_INVALID, "the claimed identifier is empty or too long");
    if (request->answer != LOGIN_ANSWER_ACCOUNT)
        return true;
    length = strlen(request->name);
    return (length != 0 && length <= LISTING_NAME_MAX_BYTES && request->date_created_us != 0) ||
           error_set(error, ERROR_INVALID, "the account has no name or date that can be used");
}

static bool has_membership(const struct login_request *request, enum login_membership wanted)
{
    for (size_t i = 0; i < request->sighting_count; i++)
        if (request->sightings[i].membership == wanted)
            return true;
    return false;
}

static enum login_outcome judge(const struct login_passage *passage)
{
    const struct login_request *request = passage->request;
    if (passage->is_account_banned)
        return LOGIN_BANNED;
    if (request->answer == LOGIN_ANSWER_NONE)
        return LOGIN_CANNOT_TELL;
    if (request->answer == LOGIN_ANSWER_NO_ACCOUNT)
        return LOGIN_NO_ACCOUNT;
    if (passage->waits)
        return LOGIN_WAITS;
    if (!request->is_valid)
        return LOGIN_NOT_VALID;
    if (!request->is_ubuntu_coc_signer)
        return LOGIN_COC_NOT_SIGNED;
    if (has_membership(request, LOGIN_MEMBERSHIP_YES))
        return LOGIN_MEMBER;
    return has_membership(request, LOGIN_MEMBERSHIP_UNKNOWN) ? LOGIN_CANNOT_TELL : LOGIN_OF_NO_TEAM;
}

/* An event and a notice, unless both were made of just that within 30 days. */
static bool tell_refusal(const struct login_passage *passage, enum notice_kind kind,
                         const char *reason, const char *detail, struct span recipients,
                         struct error *error)
{
    const struct planning *planning = passage->planning;
    const char *name = passage->request->known_name;
    bool is_told;
    CLEANUP(buffer_finish) struct buffer text = {0};
    if (!notice_was_told(planning->snapshot, planning->now_s, kind, "", name, reason, &is_told,
                         error))
        return false;
    if (is_told)
        return true;
    buffer_appendf(&text, "%s%s%s", reason, *detail != '\0' ? ": " : "", detail);
    const struct event_record event = {
        .at_s = planning->now_s,
        .actor = span_of(planning->actor),
        .act = span_of("person.login-refused"),
        .subject = span_of(name),
        .detail = {text.data, text.length},
    };
    changeset_begin_group(planning->changeset, false);
    changeset_event(planning->changeset, &event);
    if (planning->notices != NULL)
        notice_list_add(planning->notices, kind, "", name, reason, detail, recipients);
    return true;
}

static bool tell_person(const struct login_passage *passage, enum alias_reason reason,
                        struct error *error)
{
    CLEANUP(buffer_finish) struct buffer address = {0};
    return login_account_vouched(passage, &address, error) &&
           tell_refusal(passage, NOTICE_LOGIN_REFUSED, alias_reason_name(reason), "",
                        (struct span){address.data, address.length}, error);
}

/*
 * Nothing is kept of somebody who is known to nobody here and in no team: they have only looked in.
 */
static bool is_to_be_kept(const struct login_passage *passage)
{
    return passage->has_person || passage->is_rename ||
           has_membership(passage->request, LOGIN_MEMBERSHIP_YES);
}

static bool keep(struct login_passage *passage, struct error *error)
{
    changeset_begin_group(passage->planning->changeset, !passage->has_person);
    if (!login_account_make(passage, error) ||
        (passage->request->outcome == LOGIN_MEMBER && !login_account_add_vouched(passage, error)))
        return false;
    passage->request->is_known = true;
    return login_account_put(passage, error) && login_membership_plan(passage, error);
}

static bool act(struct login_passage *passage, struct error *error)
{
    struct login_request *request = passage->request;
    if (request->outcome == LOGIN_BANNED && request->answer == LOGIN_ANSWER_ACCOUNT) {
        changeset_begin_group(passage->planning->changeset, false);
        login_account_pin_banned(passage);
    }
    if (request->outcome == LOGIN_BANNED)
        return tell_refusal(passage, NOTICE_LOGIN_BANNED, alias_reason_name(REASON_BANNED),
                            request->identifier, (struct span){"", 0}, error);
    if (request->answer != LOGIN_ANSWER_ACCOUNT || request->outcome == LOGIN_WAITS) {
        request->is_known = passage->has_pinned && request->answer == LOGIN_ANSWER_NONE;
        return true;
    }
    if (is_to_be_kept(passage) && !keep(passage, error))
        return false;
    if (request->outcome == LOGIN_NOT_VALID)
        return tell_person(passage, REASON_NOT_VALID, error);
    return request->outcome != LOGIN_COC_NOT_SIGNED ||
           tell_person(passage, REASON_COC_NOT_SIGNED, error);
}

static void note_name(const struct login_passage *passage)
{
    struct login_request *request = passage->request;
    const char *name = request->answer == LOGIN_ANSWER_ACCOUNT ? request->name
                       : passage->has_pinned                   ? passage->pinned_name
                                                               : "";
    size_t length = strnlen(name, sizeof(request->known_name) - 1);
    memcpy(request->known_name, name, length);
    request->known_name[length] = '\0';
}

bool login_plan(void *context, const struct planning *planning, struct error *error)
{
    struct login_request *request = context;
    struct login_passage passage = {.request = request, .planning = planning};
    request->is_known = false;
    request->known_name[0] = '\0';
    bool is_fine = check_request(request, error) && login_account_find(&passage, error);
    if (is_fine) {
        note_name(&passage);
        request->outcome = judge(&passage);
        is_fine = act(&passage, error);
    }
    buffer_finish(&passage.taken_over);
    buffer_finish(&passage.vouched);
    free(passage.pinned_name);
    return is_fine;
}
