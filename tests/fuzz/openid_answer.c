/*
 * Answers of a login. Input: the query, and behind the first line break, if there is one, the body
 * of a POST. What is pending has the right state and an account of the provider, and its
 * verification is the message again; what is a form stays it when encoded and decoded.
 */
#include "fuzz.h"
#include "openid/answer.h"
#include "openid/claimed_id.h"

#define RETURN_TO "https://portal.example/login/return"

static const struct openid_provider provider = {
    .endpoint = OPENID_PROVIDER_UBUNTU_ONE_ENDPOINT,
    .identifiers = OPENID_PROVIDER_UBUNTU_ONE_IDENTIFIERS,
};
static const struct openid_login login = {
    .return_to = RETURN_TO,
    .realm = "https://portal.example/",
    .state = "S",
};

static void check_form(struct span text)
{
    struct openid_form form, again;
    struct error error = {0};
    struct buffer encoded = {0};
    if (!openid_form_parse(text, &form, &error)) {
        REQUIRE(error.kind == ERROR_INVALID && error.text[0] != '\0');
        return;
    }
    for (size_t i = 0; i < form.count; i++)
        openid_form_append(&encoded, form.fields[i].name, form.fields[i].value);
    /* Encoding is longer, so it may pass the limit that the text did not. */
    if (openid_form_parse((struct span){encoded.data, encoded.length}, &again, &error)) {
        REQUIRE(again.count == form.count);
        for (size_t i = 0; i < form.count; i++) {
            REQUIRE(strcmp(form.fields[i].name, again.fields[i].name) == 0);
            REQUIRE(strcmp(form.fields[i].value, again.fields[i].value) == 0);
        }
        openid_form_finish(&again);
    } else {
        REQUIRE(encoded.length > OPENID_FORM_MAX_BYTES);
    }
    buffer_finish(&encoded);
    openid_form_finish(&form);
}

static void check_verification(struct span verification)
{
    struct openid_form form;
    struct error error = {0};
    if (!openid_form_parse(verification, &form, &error)) {
        REQUIRE(verification.length > OPENID_FORM_MAX_BYTES);
        return;
    }
    for (size_t i = 0; i < form.count; i++) {
        REQUIRE(strncmp(form.fields[i].name, "openid.", 7) == 0);
        REQUIRE(openid_form_count(&form, form.fields[i].name) == 1);
        REQUIRE(strpbrk(form.fields[i].value, "\r\n") == NULL);
    }
    REQUIRE(strcmp(openid_form_value(&form, "openid.mode"), "check_authentication") == 0);
    REQUIRE(strcmp(openid_form_value(&form, "openid.return_to"), RETURN_TO "?state=S") == 0);
    REQUIRE(strcmp(openid_form_value(&form, "openid.op_endpoint"), provider.endpoint) == 0);
    openid_form_finish(&form);
}

static void check_pending(struct openid_assertion *assertion)
{
    struct openid_refusal refusal = {0};
    const char *nonce;
    int64_t forget_at_s;
    check_verification(openid_assertion_verification(assertion));
    REQUIRE(openid_assertion_verify(assertion, 200, span_of("is_valid:true\n"), &refusal));
    /* The corpus has nonces of that second. */
    if (!openid_assertion_check_nonce(assertion, 1768212000, &nonce, &forget_at_s, &refusal)) {
        REQUIRE(refusal.reason == OPENID_REFUSAL_NONCE_FORM ||
                refusal.reason == OPENID_REFUSAL_NONCE_TIME);
        return;
    }
    const struct openid_identity *identity = openid_assertion_identity(assertion);
    REQUIRE(openid_claimed_id_is_of(&provider, identity->claimed_id));
    REQUIRE(identity->nickname == NULL || identity->nickname[0] != '\0');
    REQUIRE(identity->teams_told || identity->team_count == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const char *text = (const char *)bytes;
    const char *end = size != 0 ? memchr(text, '\n', size) : NULL;
    size_t query_length = end != NULL ? (size_t)(end - text) : size;
    struct openid_answer answer = {
        .url = RETURN_TO,
        .query = {text, query_length},
        .is_post = end != NULL,
    };
    if (answer.is_post)
        answer.body = (struct span){end + 1, size - query_length - 1};
    check_form(answer.query);
    check_form(answer.body);

    struct openid_assertion *assertion = NULL;
    struct openid_refusal refusal = {0};
    enum openid_answer_verdict verdict =
        openid_answer_judge(&answer, &login, &provider, &assertion, &refusal);
    REQUIRE((verdict == OPENID_ANSWER_PENDING) == (assertion != NULL));
    REQUIRE((verdict == OPENID_ANSWER_REFUSED) == (refusal.reason != OPENID_REFUSAL_NONE));
    REQUIRE(verdict != OPENID_ANSWER_REFUSED || refusal.error.text[0] != '\0');
    if (assertion != NULL)
        check_pending(assertion);
    openid_assertion_destroy(assertion);
    return 0;
}
