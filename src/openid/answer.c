#include "openid/answer.h"

#include <sodium.h>
#include <string.h>

#include "base/text.h"
#include "openid/claimed_id.h"
#include "openid/form.h"
#include "openid/message.h"
#include "openid/namespace.h"

static bool is_same_secret(const char *one, const char *other)
{
    size_t length = strlen(one);
    return length == strlen(other) && sodium_memcmp(one, other, length) == 0;
}

static bool is_value(const struct openid_form *form, const char *name, const char *wanted)
{
    const char *value = openid_message_value(form, name);
    return value != NULL && strcmp(value, wanted) == 0;
}

static bool parse(const struct openid_answer *answer, struct openid_form *query,
                  struct openid_form *body, struct openid_refusal *refusal)
{
    struct error error;
    if (!openid_form_parse(answer->query, query, &error))
        return openid_refusal_set(refusal, OPENID_REFUSAL_MALFORMED, "the query is no form: %s",
                                  error.text);
    if (answer->is_post && !openid_form_parse(answer->body, body, &error))
        return openid_refusal_set(refusal, OPENID_REFUSAL_MALFORMED, "the body is no form: %s",
                                  error.text);
    if (answer->is_post && openid_message_count(query) != 0)
        return openid_refusal_set(refusal, OPENID_REFUSAL_DUPLICATE,
                                  "openid fields in the query of a POST");
    return true;
}

/* Check 1, but for the mode. */
static bool check_version(const struct openid_form *message, struct openid_refusal *refusal)
{
    for (size_t i = 0; i < message->count; i++)
        if (openid_message_name(&message->fields[i]) != NULL &&
            openid_form_count(message, message->fields[i].name) != 1)
            return openid_refusal_set(refusal, OPENID_REFUSAL_DUPLICATE,
                                      "an openid field comes twice");
    if (!is_value(message, "ns", OPENID_NAMESPACE_2_0))
        return openid_refusal_set(refusal, OPENID_REFUSAL_VERSION, "the answer is not OpenID 2.0");
    return true;
}

/* The half of check 2 that holds for every mode: nobody ends or answers another one's login. */
static bool check_state(const struct openid_form *query, const struct openid_login *login,
                        struct openid_refusal *refusal)
{
    if (login->state == NULL || login->state[0] == '\0')
        return openid_refusal_set(refusal, OPENID_REFUSAL_STATE, "this browser has begun no login");
    if (openid_form_count(query, "state") != 1 ||
        !is_same_secret(openid_form_value(query, "state"), login->state))
        return openid_refusal_set(refusal, OPENID_REFUSAL_STATE,
                                  "the answer is for another browser's login");
    return true;
}

/* Check 2. */
static bool check_return_to(const struct openid_answer *answer, const struct openid_form *message,
                            const struct openid_login *login, struct openid_refusal *refusal)
{
    struct buffer wanted = {0};
    openid_login_append_return_to(login, &wanted);
    const char *return_to = openid_message_value(message, "return_to");
    bool is_same = return_to != NULL && is_same_secret(return_to, buffer_text(&wanted));
    buffer_finish(&wanted);
    if (!is_same)
        return openid_refusal_set(refusal, OPENID_REFUSAL_RETURN_TO,
                                  "return_to is not what we asked for");
    if (strcmp(answer->url, login->return_to) != 0)
        return openid_refusal_set(refusal, OPENID_REFUSAL_RETURN_TO,
                                  "the answer came to another URL");
    return true;
}

/* Check 3. */
static bool check_provider(const struct openid_form *message,
                           const struct openid_provider *provider, struct openid_refusal *refusal)
{
    if (!is_value(message, "op_endpoint", provider->endpoint))
        return openid_refusal_set(refusal, OPENID_REFUSAL_ENDPOINT,
                                  "op_endpoint is not that of the provider");
    const char *claimed_id = openid_message_value(message, "claimed_id");
    if (claimed_id == NULL || !is_value(message, "identity", claimed_id))
        return openid_refusal_set(refusal, OPENID_REFUSAL_CLAIMED_ID,
                                  "claimed_id and identity differ");
    if (!openid_claimed_id_is_of(provider, claimed_id))
        return openid_refusal_set(refusal, OPENID_REFUSAL_CLAIMED_ID,
                                  "claimed_id is none of the provider's");
    return true;
}

static bool has_control_byte(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            return true;
    return false;
}

/* Check 4, first half. A line break or a colon in a name would let two messages sign alike. */
static bool check_presence(const struct openid_form *message, struct openid_refusal *refusal)
{
    static const char *const needed[] = {"assoc_handle", "sig", "signed", "response_nonce"};
    for (size_t i = 0; i < ARRAY_LENGTH(needed); i++)
        if (openid_message_value(message, needed[i]) == NULL)
            return openid_refusal_set(refusal, OPENID_REFUSAL_MISSING, "there is no %s", needed[i]);
    for (size_t i = 0; i < message->count; i++) {
        const struct openid_form_field *field = &message->fields[i];
        if (openid_message_name(field) != NULL &&
            (strchr(field->name, ':') != NULL || has_control_byte(field->name) ||
             has_control_byte(field->value)))
            return openid_refusal_set(refusal, OPENID_REFUSAL_CONTROL_BYTE,
                                      "an openid field holds a control byte, or its name a colon");
    }
    return true;
}

static bool check_signed_names(const struct openid_form *message, struct openid_refusal *refusal)
{
    const char *at = openid_message_value(message, "signed");
    for (;;) {
        struct buffer name = {0};
        size_t length = strcspn(at, ",");
        buffer_append(&name, at, length);
        bool is_there = openid_message_value(message, buffer_text(&name)) != NULL;
        buffer_finish(&name);
        if (!is_there)
            return openid_refusal_set(refusal, OPENID_REFUSAL_MISSING,
                                      "a field that is signed is not there");
        if (at[length] == '\0')
            return true;
        at += length + 1;
    }
}

/* Check 4, second half. */
static bool check_signed(const struct openid_form *message, struct openid_refusal *refusal)
{
    static const char *const needed[] = {"op_endpoint",  "return_to",  "response_nonce",
                                         "assoc_handle", "claimed_id", "identity"};
    for (size_t i = 0; i < ARRAY_LENGTH(needed); i++)
        if (!openid_message_signs(message, needed[i]))
            return openid_refusal_set(refusal, OPENID_REFUSAL_UNSIGNED, "%s is not signed",
                                      needed[i]);
    for (size_t i = 0; i < message->count; i++) {
        const char *name = openid_message_name(&message->fields[i]);
        if (name != NULL && strchr(name, '.') != NULL && !openid_message_signs(message, name))
            return openid_refusal_set(refusal, OPENID_REFUSAL_UNSIGNED_ATTRIBUTE,
                                      "a field of an extension is not signed");
    }
    return check_signed_names(message, refusal);
}

static bool refuse_error(const struct openid_form *message, struct openid_refusal *refusal)
{
    struct buffer words = {0};
    const char *error = openid_message_value(message, "error");
    text_append_escaped(&words, error != NULL ? error : "");
    openid_refusal_set(refusal, OPENID_REFUSAL_PROVIDER_ERROR, "the provider says: \"%s\"",
                       buffer_text(&words));
    buffer_finish(&words);
    return false;
}

static enum openid_answer_verdict judge_mode(const struct openid_form *message,
                                             struct openid_refusal *refusal)
{
    if (is_value(message, "mode", "id_res"))
        return OPENID_ANSWER_PENDING;
    if (is_value(message, "mode", "cancel"))
        return OPENID_ANSWER_CANCELLED;
    if (is_value(message, "mode", "setup_needed"))
        return OPENID_ANSWER_SETUP_NEEDED;
    if (is_value(message, "mode", "error"))
        refuse_error(message, refusal);
    else
        openid_refusal_set(refusal, OPENID_REFUSAL_MODE, "the answer has no mode that we know");
    return OPENID_ANSWER_REFUSED;
}

static enum openid_answer_verdict
judge(const struct openid_answer *answer, const struct openid_form *query,
      const struct openid_form *message, const struct openid_login *login,
      const struct openid_provider *provider, struct openid_refusal *refusal)
{
    if (!check_version(message, refusal) || !check_state(query, login, refusal))
        return OPENID_ANSWER_REFUSED;
    enum openid_answer_verdict verdict = judge_mode(message, refusal);
    if (verdict != OPENID_ANSWER_PENDING)
        return verdict;
    bool is_sound = check_return_to(answer, message, login, refusal) &&
                    check_provider(message, provider, refusal) &&
                    check_presence(message, refusal) && check_signed(message, refusal);
    return is_sound ? OPENID_ANSWER_PENDING : OPENID_ANSWER_REFUSED;
}

enum openid_answer_verdict openid_answer_judge(const struct openid_answer *answer,
                                               const struct openid_login *login,
                                               const struct openid_provider *provider,
                                               struct openid_assertion **ret_assertion,
                                               struct openid_refusal *refusal)
{
    struct openid_form query = {0}, body = {0};
    enum openid_answer_verdict verdict = OPENID_ANSWER_REFUSED;
    struct openid_form *message = answer->is_post ? &body : &query;
    if (parse(answer, &query, &body, refusal))
        verdict = judge(answer, &query, message, login, provider, refusal);
    if (verdict == OPENID_ANSWER_PENDING)
        *ret_assertion = openid_assertion_create(message);
    openid_form_finish(&query);
    openid_form_finish(&body);
    return verdict;
}
