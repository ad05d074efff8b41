/* openid/assertion: what is asked of the provider, which of its replies count, and the nonce. */
#include <stdlib.h>
#include <string.h>

#include "../unit.h"
#include "honest_answer.h"
#include "openid/message.h"
#include "openid/nonce.h"

static struct openid_assertion *pending(const struct honest_fields *fields)
{
    struct openid_assertion *assertion = NULL;
    struct openid_refusal refusal = {0};
    if (honest_judge(fields, &assertion, &refusal) != OPENID_ANSWER_PENDING)
        fail_msg("%s", refusal.error.text);
    return assertion;
}

static void the_verification_repeats_the_message_and_nothing_else(void **state)
{
    (void)state;
    struct honest_fields fields = honest_fields();
    honest_add(&fields, "session", "secret");
    struct openid_assertion *assertion = pending(&fields);
    honest_set(&fields, "session", NULL);
    honest_set(&fields, "openid.mode", "check_authentication");
    struct buffer wanted = {0}, body = {0};
    honest_encode(&fields, &wanted);
    struct span given = openid_assertion_verification(assertion);
    buffer_append(&body, given.data, given.length);
    assert_string_equal(buffer_text(&body), buffer_text(&wanted));
    buffer_finish(&wanted);
    buffer_finish(&body);
    openid_assertion_destroy(assertion);
}

static void only_the_exact_word_of_the_provider_counts(void **state)
{
    (void)state;
    static const struct {
        unsigned status;
        const char *reply;
        enum openid_refusal_reason wanted;
    } cases[] = {
        {200, "is_valid:true\nns:" OPENID_NAMESPACE_2_0 "\n", OPENID_REFUSAL_NONE},
        {200, "ns:" OPENID_NAMESPACE_2_0 "\nis_valid:true\n", OPENID_REFUSAL_NONE},
        {200, "is_valid:true\ninvalidate_handle:x\n", OPENID_REFUSAL_NONE},
        {200, "is_valid:false\n", OPENID_REFUSAL_SIGNATURE},
        {200, "is_valid:true", OPENID_REFUSAL_CANNOT_VERIFY},
        {200, "is_valid:true\n\n", OPENID_REFUSAL_CANNOT_VERIFY},
        {200, "is_valid:true\r\n", OPENID_REFUSAL_CANNOT_VERIFY},
        {200, "is_valid: true\n", OPENID_REFUSAL_CANNOT_VERIFY},
        {200, " is_valid:true\n", OPENID_REFUSAL_CANNOT_VERIFY},
        {200, "is_valid:True\n", OPENID_REFUSAL_CANNOT_VERIFY},
        {200, "is_valid:truely\n", OPENID_REFUSAL_CANNOT_VERIFY},
        {200, "is_valid:\n", OPENID_REFUSAL_CANNOT_VERIFY},
        {200, "is_valid:true\nis_valid:true\n", OPENID_REFUSAL_CANNOT_VERIFY},
        {200, "is_valid:false\nis_valid:true\n", OPENID_REFUSAL_CANNOT_VERIFY},
        {200, "not_is_valid:true\n", OPENID_REFUSAL_CANNOT_VERIFY},
        {200, "<html>is_valid:true</html>\n", OPENID_REFUSAL_CANNOT_VERIFY},
        {200, "{\"is_valid\":true}\n", OPENID_REFUSAL_CANNOT_VERIFY},
        {200, "no line\nis_valid:true\n", OPENID_REFUSAL_CANNOT_VERIFY},
        {200, "", OPENID_REFUSAL_CANNOT_VERIFY},
        {0, "is_valid:true\n", OPENID_REFUSAL_CANNOT_VERIFY},
        {201, "is_valid:true\n", OPENID_REFUSAL_CANNOT_VERIFY},
        {302, "is_valid:true\n", OPENID_REFUSAL_CANNOT_VERIFY},
        {400, "is_valid:false\n", OPENID_REFUSAL_CANNOT_VERIFY},
        {500, "is_valid:true\n", OPENID_REFUSAL_CANNOT_VERIFY},
    };
    struct honest_fields fields = honest_fields();
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct openid_assertion *assertion = pending(&fields);
        struct openid_refusal refusal = {0};
        bool is_good =
            openid_assertion_verify(assertion, cases[i].status, span_of(cases[i].reply), &refusal);
        if (refusal.reason != cases[i].wanted)
            fail_msg("%u %s: %s", cases[i].status, cases[i].reply, refusal.error.text);
        assert_int_equal(is_good, cases[i].wanted == OPENID_REFUSAL_NONE);
        /* Cannot tell is not a no: the person may try again. */
        assert_int_equal(refusal.error.kind == ERROR_TEMPORARY,
                         cases[i].wanted == OPENID_REFUSAL_CANNOT_VERIFY);
        openid_assertion_destroy(assertion);
    }
}

static void a_reply_with_nul_says_nothing(void **state)
{
    (void)state;
    static const char reply[] = "is_valid:true\0\n";
    struct honest_fields fields = honest_fields();
    struct openid_assertion *assertion = pending(&fields);
    struct openid_refusal refusal = {0};
    assert_false(
        openid_assertion_verify(assertion, 200, (struct span){reply, sizeof(reply) - 1}, &refusal));
    assert_int_equal(refusal.reason, OPENID_REFUSAL_CANNOT_VERIFY);
    openid_assertion_destroy(assertion);
}

static void the_nonce_is_judged_after_the_signature(void **state)
{
    (void)state;
    static const struct {
        const char *nonce;
        int64_t now_s;
        enum openid_refusal_reason wanted;
    } cases[] = {
        {NONCE, NONCE_AT_S, OPENID_REFUSAL_NONE},
        {NONCE, NONCE_AT_S + OPENID_NONCE_SKEW_S, OPENID_REFUSAL_NONE},
        {NONCE, NONCE_AT_S - OPENID_NONCE_SKEW_S, OPENID_REFUSAL_NONE},
        {NONCE, NONCE_AT_S + OPENID_NONCE_SKEW_S + 1, OPENID_REFUSAL_NONCE_TIME},
        {NONCE, NONCE_AT_S - OPENID_NONCE_SKEW_S - 1, OPENID_REFUSAL_NONCE_TIME},
        {"soon", NONCE_AT_S, OPENID_REFUSAL_NONCE_FORM},
        {"", NONCE_AT_S, OPENID_REFUSAL_NONCE_FORM},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct honest_fields fields = honest_fields();
        honest_set(&fields, "openid.response_nonce", cases[i].nonce);
        struct openid_assertion *assertion = pending(&fields);
        struct openid_refusal refusal = {0};
        const char *nonce = NULL;
        int64_t forget_at_s = 0;
        assert_true(openid_assertion_verify(assertion, 200, span_of("is_valid:true\n"), &refusal));
        bool is_current =
            openid_assertion_check_nonce(assertion, cases[i].now_s, &nonce, &forget_at_s, &refusal);
        assert_int_equal(refusal.reason, cases[i].wanted);
        assert_int_equal(is_current, cases[i].wanted == OPENID_REFUSAL_NONE);
        if (is_current) {
            assert_string_equal(nonce, NONCE);
            assert_false(openid_nonce_is_current(NONCE_AT_S, forget_at_s));
            assert_true(openid_nonce_is_current(NONCE_AT_S, forget_at_s - 1));
            assert_string_equal(openid_assertion_identity(assertion)->claimed_id,
                                "https://login.ubuntu.com/+id/AbC1234");
        }
        openid_assertion_destroy(assertion);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_verification_repeats_the_message_and_nothing_else),
        cmocka_unit_test(only_the_exact_word_of_the_provider_counts),
        cmocka_unit_test(a_reply_with_nul_says_nothing),
        cmocka_unit_test(the_nonce_is_judged_after_the_signature),
    };
    return cmocka_run_group_tests_name("openid/assertion", tests, NULL, NULL);
}
