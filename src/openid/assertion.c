#include "openid/assertion.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "openid/message.h"
#include "openid/nonce.h"

enum assertion_step { STEP_PENDING, STEP_VERIFIED, STEP_CURRENT };

struct openid_assertion {
    struct openid_form form;
    struct buffer verification;
    struct openid_identity identity;
    enum assertion_step step;
};

static void require_step(const struct openid_assertion *assertion, enum assertion_step step)
{
    if (assertion->step != step)
        abort();
}

struct openid_assertion *openid_assertion_create(struct openid_form *form)
{
    struct openid_assertion *assertion = memory_new(1, sizeof(*assertion));
    assertion->form = *form;
    *form = (struct openid_form){0};
    for (size_t i = 0; i < assertion->form.count; i++) {
        const struct openid_form_field *field = &assertion->form.fields[i];
        const char *name = openid_message_name(field);
        if (name != NULL)
            openid_form_append(&assertion->verification, field->name,
                               strcmp(name, "mode") == 0 ? "check_authentication" : field->value);
    }
    openid_identity_read(&assertion->form, &assertion->identity);
    return assertion;
}

void openid_assertion_destroy(struct openid_assertion *assertion)
{
    if (assertion == NULL)
        return;
    openid_form_finish(&assertion->form);
    buffer_finish(&assertion->verification);
    openid_identity_finish(&assertion->identity);
    free(assertion);
}

struct span openid_assertion_verification(const struct openid_assertion *assertion)
{
    return (struct span){assertion->verification.data, assertion->verification.length};
}

/* The value of the only line of that key. False: no lines of "key:value", or not one of it. */
static bool read_only_line(struct span reply, const char *key, struct span *ret)
{
    size_t count = 0, key_length = strlen(key);
    while (reply.length != 0) {
        const char *end = memchr(reply.data, '\n', reply.length);
        size_t length = end != NULL ? (size_t)(end - reply.data) : 0;
        const char *colon = length != 0 ? memchr(reply.data, ':', length) : NULL;
        if (colon == NULL)
            return false;
        size_t found_length = (size_t)(colon - reply.data);
        if (found_length == key_length && memcmp(reply.data, key, key_length) == 0) {
            *ret = (struct span){colon + 1, length - found_length - 1};
            count++;
        }
        reply = (struct span){end + 1, reply.length - length - 1};
    }
    return count == 1;
}

bool openid_assertion_verify(struct openid_assertion *assertion, unsigned status, struct span reply,
                             struct openid_refusal *refusal)
{
    require_step(assertion, STEP_PENDING);
    struct span is_valid;
    if (status == 0)
        return openid_refusal_set(refusal, OPENID_REFUSAL_CANNOT_VERIFY,
                                  "the provider did not reply");
    if (status != 200)
        return openid_refusal_set(refusal, OPENID_REFUSAL_CANNOT_VERIFY, "the provider replied %u",
                                  status);
    if (!read_only_line(reply, "is_valid", &is_valid))
        return openid_refusal_set(refusal, OPENID_REFUSAL_CANNOT_VERIFY,
                                  "the provider's reply does not say whether the answer is valid");
    if (span_is_text(is_valid, "false"))
        return openid_refusal_set(
            refusal, OPENID_REFUSAL_SIGNATURE,
            "the provider says that it did not sign the answer, or was asked before");
    if (!span_is_text(is_valid, "true"))
        return openid_refusal_set(refusal, OPENID_REFUSAL_CANNOT_VERIFY,
                                  "the provider's reply is neither true nor false");
    assertion->step = STEP_VERIFIED;
    return true;
}

bool openid_assertion_check_nonce(struct openid_assertion *assertion, int64_t now_s,
                                  const char **ret_nonce, int64_t *ret_forget_at_s,
                                  struct openid_refusal *refusal)
{
    require_step(assertion, STEP_VERIFIED);
    const char *nonce = openid_message_signed_value(&assertion->form, "response_nonce");
    int64_t at_s;
    if (!openid_nonce_parse(nonce, &at_s))
        return openid_refusal_set(refusal, OPENID_REFUSAL_NONCE_FORM,
                                  "the answer's nonce is no nonce");
    if (!openid_nonce_is_current(at_s, now_s))
        return openid_refusal_set(refusal, OPENID_REFUSAL_NONCE_TIME,
                                  at_s < now_s
                                      ? "the answer is too old; is our clock right?"
                                      : "the answer is from the future; is our clock right?");
    assertion->step = STEP_CURRENT;
    *ret_nonce = nonce;
    *ret_forget_at_s = openid_nonce_forget_at_s(at_s);
    return true;
}

const struct openid_identity *openid_assertion_identity(const struct openid_assertion *assertion)
{
    require_step(assertion, STEP_CURRENT);
    return &assertion->identity;
}
