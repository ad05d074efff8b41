/* openid/answer: each check refuses for its own reason what differs from an honest answer by it. */
#include <stdlib.h>
#include <string.h>

#include "../unit.h"
#include "honest_answer.h"

#define LONGEST_ID "0123456789012345678901234567890123456789012345678901234567890123"

/* A change of the honest answer; a value of NULL takes the field away. */
struct change {
    const char *name, *value;
    enum openid_refusal_reason wanted; /* NONE: it is as good as before */
};

static void assert_judged(const struct honest_fields *fields, enum openid_refusal_reason wanted,
                          const char *what)
{
    struct openid_assertion *assertion = NULL;
    struct openid_refusal refusal = {0};
    enum openid_answer_verdict verdict = honest_judge(fields, &assertion, &refusal);
    if (refusal.reason != wanted)
        fail_msg("%s: %s (%s)", what, openid_refusal_name(refusal.reason), refusal.error.text);
    assert_int_equal(verdict,
                     wanted == OPENID_REFUSAL_NONE ? OPENID_ANSWER_PENDING : OPENID_ANSWER_REFUSED);
    assert_int_equal(assertion != NULL, verdict == OPENID_ANSWER_PENDING);
    if (verdict == OPENID_ANSWER_REFUSED) {
        assert_int_equal(refusal.error.kind, ERROR_INVALID);
        assert_string_not_equal(refusal.error.text, "");
        assert_null(strstr(refusal.error.text, STATE));
    }
    openid_assertion_destroy(assertion);
}

static void assert_changes(const struct change *changes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct honest_fields fields = honest_fields();
        honest_set(&fields, changes[i].name, changes[i].value);
        assert_judged(&fields, changes[i].wanted, changes[i].name);
    }
}

static void an_honest_answer_is_pending(void **state)
{
    (void)state;
    struct honest_fields fields = honest_fields();
    assert_judged(&fields, OPENID_REFUSAL_NONE, "honest");
}

static void check_1_version_and_mode(void **state)
{
    (void)state;
    static const struct change changes[] = {
        {"openid.ns", NULL, OPENID_REFUSAL_VERSION},
        {"openid.ns", "", OPENID_REFUSAL_VERSION},
        {"openid.ns", "http://openid.net/signon/1.1", OPENID_REFUSAL_VERSION},
        {"openid.ns", OPENID_NAMESPACE_2_0 "/", OPENID_REFUSAL_VERSION},
        {"openid.mode", NULL, OPENID_REFUSAL_MODE},
        {"openid.mode", "", OPENID_REFUSAL_MODE},
        {"openid.mode", "ID_RES", OPENID_REFUSAL_MODE},
        {"openid.mode", "checkid_setup", OPENID_REFUSAL_MODE},
        {"openid.mode", "check_authentication", OPENID_REFUSAL_MODE},
        {"openid.mode", "error", OPENID_REFUSAL_PROVIDER_ERROR},
        {"unrelated", "x", OPENID_REFUSAL_NONE},
    };
    assert_changes(changes, ARRAY_LENGTH(changes));
}

static void check_1_no_field_comes_twice(void **state)
{
    (void)state;
    static const struct change changes[] = {
        {"openid.mode", "id_res", OPENID_REFUSAL_DUPLICATE},
        {"openid.sreg.nickname", "mallory", OPENID_REFUSAL_DUPLICATE},
        {"openid.sreg.nickname", "alice", OPENID_REFUSAL_DUPLICATE},
        {"openid.claimed_id", "https://login.ubuntu.com/+id/victim1", OPENID_REFUSAL_DUPLICATE},
        {"openid.signed", "", OPENID_REFUSAL_DUPLICATE},
        {"openid_mode", "id_res", OPENID_REFUSAL_NONE},
        {"unrelated", "x", OPENID_REFUSAL_NONE},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(changes); i++) {
        struct honest_fields fields = honest_fields();
        honest_add(&fields, changes[i].name, changes[i].value);
        assert_judged(&fields, changes[i].wanted, changes[i].name);
    }
}

static void check_2_return_to_is_what_was_asked_for(void **state)
{
    (void)state;
    static const struct change changes[] = {
        {"openid.return_to", RETURN_TO "?state=" STATE, OPENID_REFUSAL_NONE},
        {"openid.return_to", NULL, OPENID_REFUSAL_RETURN_TO},
        {"openid.return_to", "", OPENID_REFUSAL_RETURN_TO},
        {"openid.return_to", RETURN_TO, OPENID_REFUSAL_RETURN_TO},
        {"openid.return_to", RETURN_TO "?state=", OPENID_REFUSAL_RETURN_TO},
        {"openid.return_to", RETURN_TO "?state=" STATE "&x=y", OPENID_REFUSAL_RETURN_TO},
        {"openid.return_to", RETURN_TO "/?state=" STATE, OPENID_REFUSAL_RETURN_TO},
        {"openid.return_to", RETURN_TO "?state=dGhlIHN0YXRlIG9mIGFub3RoZXI",
         OPENID_REFUSAL_RETURN_TO},
        {"openid.return_to", "http://portal.example/login/return?state=" STATE,
         OPENID_REFUSAL_RETURN_TO},
        {"openid.return_to", "https://portal.example:8443/login/return?state=" STATE,
         OPENID_REFUSAL_RETURN_TO},
        {"openid.return_to", "https://evil.example/login/return?state=" STATE,
         OPENID_REFUSAL_RETURN_TO},
    };
    assert_changes(changes, ARRAY_LENGTH(changes));
}

static void check_3_provider_and_claimed_id_are_the_configured_ones(void **state)
{
    (void)state;
    static const struct change endpoints[] = {
        {"openid.op_endpoint", "https://login.ubuntu.com/+openid", OPENID_REFUSAL_NONE},
        {"openid.op_endpoint", NULL, OPENID_REFUSAL_ENDPOINT},
        {"openid.op_endpoint", "https://login.ubuntu.com/+openid/", OPENID_REFUSAL_ENDPOINT},
        {"openid.op_endpoint", "http://login.ubuntu.com/+openid", OPENID_REFUSAL_ENDPOINT},
        {"openid.op_endpoint", "https://login.ubuntu.com.evil.example/+openid",
         OPENID_REFUSAL_ENDPOINT},
        {"openid.op_endpoint", "https://LOGIN.ubuntu.com/+openid", OPENID_REFUSAL_ENDPOINT},
    };
    assert_changes(endpoints, ARRAY_LENGTH(endpoints));
    static const struct change ids[] = {
        {NULL, "https://login.ubuntu.com/+id/AbC1234", OPENID_REFUSAL_NONE},
        {NULL, "https://login.ubuntu.com/+id/a_-9", OPENID_REFUSAL_NONE},
        {NULL, "https://login.ubuntu.com/+id/" LONGEST_ID, OPENID_REFUSAL_NONE},
        {NULL, "https://login.ubuntu.com/+id/" LONGEST_ID "4", OPENID_REFUSAL_CLAIMED_ID},
        {NULL, "https://login.ubuntu.com/+id/", OPENID_REFUSAL_CLAIMED_ID},
        {NULL, "https://login.ubuntu.com/+id/AbC1234/", OPENID_REFUSAL_CLAIMED_ID},
        {NULL, "https://login.ubuntu.com/+id/AbC1234#x", OPENID_REFUSAL_CLAIMED_ID},
        {NULL, "https://login.ubuntu.com/+id/../~victim", OPENID_REFUSAL_CLAIMED_ID},
        {NULL,
         "https://login.ubuntu.com/+id/Ab\xd0\xa1"
         "1234",
         OPENID_REFUSAL_CLAIMED_ID},
        {NULL, "https://login.ubuntu.com/+id/AbC%31234", OPENID_REFUSAL_CLAIMED_ID},
        {NULL, "https://login.ubuntu.com/+id/AbC1234\n", OPENID_REFUSAL_CLAIMED_ID},
        {NULL, "http://login.ubuntu.com/+id/AbC1234", OPENID_REFUSAL_CLAIMED_ID},
        {NULL, "https://login.ubuntu.com.evil.example/+id/AbC1234", OPENID_REFUSAL_CLAIMED_ID},
        {NULL, "https://login.ubuntu.com@evil.example/+id/AbC1234", OPENID_REFUSAL_CLAIMED_ID},
        {NULL, "https://evil.example/+id/AbC1234", OPENID_REFUSAL_CLAIMED_ID},
        {NULL, "https://login.launchpad.net/+id/AbC1234", OPENID_REFUSAL_CLAIMED_ID},
        {NULL, "https://login.ubunt\xd5\xbd.com/+id/AbC1234", OPENID_REFUSAL_CLAIMED_ID},
        {NULL, "", OPENID_REFUSAL_CLAIMED_ID},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(ids); i++) {
        struct honest_fields fields = honest_fields();
        honest_set(&fields, "openid.claimed_id", ids[i].value);
        honest_set(&fields, "openid.identity", ids[i].value);
        assert_judged(&fields, ids[i].wanted, ids[i].value);
    }
    static const struct change differing[] = {
        {"openid.claimed_id", NULL, OPENID_REFUSAL_CLAIMED_ID},
        {"openid.identity", NULL, OPENID_REFUSAL_CLAIMED_ID},
        {"openid.claimed_id", "https://login.ubuntu.com/+id/victim1", OPENID_REFUSAL_CLAIMED_ID},
        {"openid.identity", "https://login.ubuntu.com/+id/victim1", OPENID_REFUSAL_CLAIMED_ID},
    };
    assert_changes(differing, ARRAY_LENGTH(differing));
}

static void check_4_fields_are_there(void **state)
{
    (void)state;
    static const struct change changes[] = {
        {"openid.assoc_handle", NULL, OPENID_REFUSAL_MISSING},
        {"openid.sig", NULL, OPENID_REFUSAL_MISSING},
        {"openid.signed", NULL, OPENID_REFUSAL_MISSING},
        {"openid.response_nonce", NULL, OPENID_REFUSAL_MISSING},
        {"openid.signed", HONEST_SIGNED ",sreg.timezone", OPENID_REFUSAL_MISSING},
        {"openid.signed", HONEST_SIGNED ",", OPENID_REFUSAL_MISSING},
        {"openid.sreg.nickname", NULL, OPENID_REFUSAL_MISSING},
        {"openid.invalidate_handle", "{HMAC-SHA256}{1}{x}", OPENID_REFUSAL_NONE},
    };
    assert_changes(changes, ARRAY_LENGTH(changes));
}

static void check_4_no_byte_forges_what_was_signed(void **state)
{
    (void)state;
    static const struct change changes[] = {
        {"openid.sreg.fullname", "Alice", OPENID_REFUSAL_NONE},
        {"openid.sreg.fullname", "Alice\nsreg.nickname:victim", OPENID_REFUSAL_CONTROL_BYTE},
        {"openid.sreg.fullname", "Alice\r", OPENID_REFUSAL_CONTROL_BYTE},
        {"openid.sreg.fullname", "Al\x7fice", OPENID_REFUSAL_CONTROL_BYTE},
        {"openid.signed", HONEST_SIGNED "\n", OPENID_REFUSAL_CONTROL_BYTE},
        {"openid.sreg.nickname:victim\nx", "", OPENID_REFUSAL_CONTROL_BYTE},
        {"openid.sreg.x:y", "", OPENID_REFUSAL_CONTROL_BYTE},
        {"un:related\n", "\n", OPENID_REFUSAL_NONE},
    };
    assert_changes(changes, ARRAY_LENGTH(changes));
}

static void check_4_what_must_be_signed_is(void **state)
{
    (void)state;
    static const char others[] = "mode,ns,signed,ns.sreg,sreg.nickname,sreg.email,sreg.fullname,"
                                 "ns.ax,ax.mode,ax.type.account_verified,"
                                 "ax.count.account_verified,ax.value.account_verified.1,ns.lp,"
                                 "lp.is_member";
    static const char *const needed[] = {"op_endpoint",  "return_to",  "response_nonce",
                                         "assoc_handle", "claimed_id", "identity"};
    /* left == count: none is left out, which is the control. */
    for (size_t left = 0; left <= ARRAY_LENGTH(needed); left++) {
        struct buffer list = {0};
        buffer_append_text(&list, others);
        for (size_t i = 0; i < ARRAY_LENGTH(needed); i++)
            if (i != left)
                buffer_appendf(&list, ",%s", needed[i]);
        struct honest_fields fields = honest_fields();
        honest_set(&fields, "openid.signed", buffer_text(&list));
        bool is_control = left == ARRAY_LENGTH(needed);
        assert_judged(&fields, is_control ? OPENID_REFUSAL_NONE : OPENID_REFUSAL_UNSIGNED,
                      is_control ? "nothing left out" : needed[left]);
        buffer_finish(&list);
    }
    static const struct change changes[] = {
        {"openid.signed", "", OPENID_REFUSAL_UNSIGNED},
        {"openid.signed", "x" HONEST_SIGNED, OPENID_REFUSAL_UNSIGNED},
        {"openid.signed", "OP_ENDPOINT,return_to", OPENID_REFUSAL_UNSIGNED},
    };
    assert_changes(changes, ARRAY_LENGTH(changes));
}

static void check_4_no_attribute_is_unsigned(void **state)
{
    (void)state;
    static const struct change changes[] = {
        {"openid.sreg.timezone", "UTC", OPENID_REFUSAL_UNSIGNED_ATTRIBUTE},
        {"openid.ns.other", OPENID_NAMESPACE_SREG, OPENID_REFUSAL_UNSIGNED_ATTRIBUTE},
        {"openid.other.nickname", "victim", OPENID_REFUSAL_UNSIGNED_ATTRIBUTE},
        {"openid.nickname", "victim", OPENID_REFUSAL_NONE},
        {"sreg.nickname", "victim", OPENID_REFUSAL_NONE},
    };
    assert_changes(changes, ARRAY_LENGTH(changes));
    /* As when a person unticks the nickname and writes another one behind the answer. */
    struct honest_fields fields = honest_fields();
    honest_set(&fields, "openid.signed",
               "assoc_handle,claimed_id,identity,mode,ns,ns.sreg,op_endpoint,response_nonce,"
               "return_to,signed,sreg.email,sreg.fullname,ns.ax,ax.mode,ax.type.account_verified,"
               "ax.count.account_verified,ax.value.account_verified.1,ns.lp,lp.is_member");
    assert_judged(&fields, OPENID_REFUSAL_UNSIGNED_ATTRIBUTE, "an unsigned nickname");
    honest_set(&fields, "openid.sreg.nickname", NULL);
    assert_judged(&fields, OPENID_REFUSAL_NONE, "no nickname");
}

static void the_first_check_that_fails_is_told(void **state)
{
    (void)state;
    static const struct change changes[] = {
        {"openid.mode", "id_res", OPENID_REFUSAL_DUPLICATE},
        {"openid.ns", "1.1", OPENID_REFUSAL_VERSION},
        {"openid.return_to", "x", OPENID_REFUSAL_RETURN_TO},
        {"openid.op_endpoint", "x", OPENID_REFUSAL_ENDPOINT},
        {"openid.identity", "x", OPENID_REFUSAL_CLAIMED_ID},
        {"openid.sig", NULL, OPENID_REFUSAL_MISSING},
        {"openid.sreg.fullname", "\n", OPENID_REFUSAL_CONTROL_BYTE},
        {"openid.sreg.timezone", "UTC", OPENID_REFUSAL_UNSIGNED_ATTRIBUTE},
    };
    for (size_t first = 0; first < ARRAY_LENGTH(changes); first++) {
        struct honest_fields fields = honest_fields();
        for (size_t i = first; i < ARRAY_LENGTH(changes); i++) {
            if (i == 0)
                honest_add(&fields, changes[i].name, changes[i].value);
            else
                honest_set(&fields, changes[i].name, changes[i].value);
        }
        assert_judged(&fields, changes[first].wanted, changes[first].name);
    }
}

/* Query without fields of the message, and the state that the browser was given. */
struct browser_case {
    const char *url, *query, *state;
    enum openid_refusal_reason wanted;
};

static const struct browser_case browser_cases[] = {
    {RETURN_TO, "state=" STATE, STATE, OPENID_REFUSAL_NONE},
    {RETURN_TO, "lang=da&state=" STATE "&", STATE, OPENID_REFUSAL_NONE},
    {RETURN_TO, "", STATE, OPENID_REFUSAL_STATE},
    {RETURN_TO, "state=", STATE, OPENID_REFUSAL_STATE},
    {RETURN_TO, "state=" STATE, NULL, OPENID_REFUSAL_STATE},
    {RETURN_TO, "state=", "", OPENID_REFUSAL_STATE},
    {RETURN_TO, "state=" STATE, STATE "x", OPENID_REFUSAL_STATE},
    {RETURN_TO, "state=" STATE "x", STATE, OPENID_REFUSAL_STATE},
    {RETURN_TO, "state=x&state=" STATE, STATE, OPENID_REFUSAL_STATE},
    {RETURN_TO, "state=" STATE "&state=" STATE, STATE, OPENID_REFUSAL_STATE},
    {"https://portal.example/other", "state=" STATE, STATE, OPENID_REFUSAL_RETURN_TO},
    {"http://portal.example/login/return", "state=" STATE, STATE, OPENID_REFUSAL_RETURN_TO},
    {"https://other.example/login/return", "state=" STATE, STATE, OPENID_REFUSAL_RETURN_TO},
    {RETURN_TO, "state=" STATE "&%", STATE, OPENID_REFUSAL_MALFORMED},
    {RETURN_TO, "state=" STATE "&x=%00", STATE, OPENID_REFUSAL_MALFORMED},
};

static enum openid_answer_verdict judge_case(const struct browser_case *each, const char *mode,
                                             bool is_post, struct openid_refusal *refusal)
{
    struct honest_fields fields = honest_fields();
    honest_set(&fields, "openid.mode", mode);
    struct buffer query = {0}, body = {0};
    buffer_append_text(&query, each->query);
    honest_encode(&fields, is_post ? &body : &query);
    struct openid_answer answer = {
        .url = each->url,
        .query = {query.data, query.length},
        .is_post = is_post,
        .body = {body.data, body.length},
    };
    struct openid_login login = honest_login;
    login.state = each->state;
    struct openid_assertion *assertion = NULL;
    enum openid_answer_verdict verdict =
        openid_answer_judge(&answer, &login, &honest_provider, &assertion, refusal);
    assert_int_equal(assertion != NULL, verdict == OPENID_ANSWER_PENDING);
    openid_assertion_destroy(assertion);
    buffer_finish(&query);
    buffer_finish(&body);
    return verdict;
}

static void an_answer_belongs_to_the_browser_that_asked(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * ARRAY_LENGTH(browser_cases); i++) {
        const struct browser_case *each = &browser_cases[i / 2];
        struct openid_refusal refusal = {0};
        enum openid_answer_verdict verdict = judge_case(each, "id_res", i % 2 == 1, &refusal);
        if (refusal.reason != each->wanted)
            fail_msg("%s %s: %s", each->url, each->query, refusal.error.text);
        assert_int_equal(verdict, each->wanted == OPENID_REFUSAL_NONE ? OPENID_ANSWER_PENDING
                                                                      : OPENID_ANSWER_REFUSED);
    }
}

static void nobody_else_ends_a_login(void **state)
{
    (void)state;
    static const struct {
        const char *mode;
        enum openid_answer_verdict wanted;
    } modes[] = {
        {"cancel", OPENID_ANSWER_CANCELLED},
        {"setup_needed", OPENID_ANSWER_SETUP_NEEDED},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(modes); i++) {
        struct openid_refusal refusal = {0};
        struct browser_case foreign = {RETURN_TO, "state=x", STATE, OPENID_REFUSAL_STATE};
        assert_int_equal(judge_case(&browser_cases[0], modes[i].mode, false, &refusal),
                         modes[i].wanted);
        assert_int_equal(refusal.reason, OPENID_REFUSAL_NONE);
        assert_int_equal(judge_case(&foreign, modes[i].mode, false, &refusal),
                         OPENID_ANSWER_REFUSED);
        assert_int_equal(refusal.reason, OPENID_REFUSAL_STATE);
    }
}

static void a_cancellation_needs_no_more_than_its_mode(void **state)
{
    (void)state;
    struct openid_assertion *assertion = NULL;
    struct openid_refusal refusal = {0};
    struct honest_fields fields = {
        .fields = {{"openid.ns", OPENID_NAMESPACE_2_0}, {"openid.mode", "cancel"}},
        .count = 2,
    };
    assert_int_equal(honest_judge(&fields, &assertion, &refusal), OPENID_ANSWER_CANCELLED);
    honest_set(&fields, "openid.mode", "id_res");
    assert_int_equal(honest_judge(&fields, &assertion, &refusal), OPENID_ANSWER_REFUSED);
}

static void a_post_has_its_fields_in_the_body_alone(void **state)
{
    (void)state;
    static const struct {
        const char *query, *body;
        bool is_post;
        enum openid_refusal_reason wanted;
    } cases[] = {
        {"", "", true, OPENID_REFUSAL_VERSION},
        {"&openid.sreg.nickname=victim", "", true, OPENID_REFUSAL_DUPLICATE},
        {"", "openid.mode=%4", true, OPENID_REFUSAL_MALFORMED},
        {"", "openid.mode=%4", false, OPENID_REFUSAL_VERSION},
        {"", "openid.mode=\xff", true, OPENID_REFUSAL_MALFORMED},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct buffer query = {0};
        buffer_appendf(&query, "state=" STATE "%s", cases[i].query);
        struct openid_answer answer = {
            .url = RETURN_TO,
            .query = {query.data, query.length},
            .is_post = cases[i].is_post,
            .body = span_of(cases[i].body),
        };
        struct openid_assertion *assertion;
        struct openid_refusal refusal = {0};
        assert_int_equal(
            openid_answer_judge(&answer, &honest_login, &honest_provider, &assertion, &refusal),
            OPENID_ANSWER_REFUSED);
        assert_int_equal(refusal.reason, cases[i].wanted);
        buffer_finish(&query);
    }
}

static void the_providers_own_words_are_told_on_one_line(void **state)
{
    (void)state;
    struct honest_fields fields = honest_fields();
    honest_set(&fields, "openid.mode", "error");
    honest_set(&fields, "openid.error", "no \"realm\"\nlevel=error");
    struct openid_assertion *assertion;
    struct openid_refusal refusal = {0};
    assert_int_equal(honest_judge(&fields, &assertion, &refusal), OPENID_ANSWER_REFUSED);
    assert_int_equal(refusal.reason, OPENID_REFUSAL_PROVIDER_ERROR);
    assert_string_equal(refusal.error.text,
                        "the provider says: \"no \\\"realm\\\"\\x0alevel=error\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_honest_answer_is_pending),
        cmocka_unit_test(check_1_version_and_mode),
        cmocka_unit_test(check_1_no_field_comes_twice),
        cmocka_unit_test(check_2_return_to_is_what_was_asked_for),
        cmocka_unit_test(check_3_provider_and_claimed_id_are_the_configured_ones),
        cmocka_unit_test(check_4_fields_are_there),
        cmocka_unit_test(check_4_no_byte_forges_what_was_signed),
        cmocka_unit_test(check_4_what_must_be_signed_is),
        cmocka_unit_test(check_4_no_attribute_is_unsigned),
        cmocka_unit_test(the_first_check_that_fails_is_told),
        cmocka_unit_test(an_answer_belongs_to_the_browser_that_asked),
        cmocka_unit_test(nobody_else_ends_a_login),
        cmocka_unit_test(a_cancellation_needs_no_more_than_its_mode),
        cmocka_unit_test(a_post_has_its_fields_in_the_body_alone),
        cmocka_unit_test(the_providers_own_words_are_told_on_one_line),
    };
    return cmocka_run_group_tests_name("openid/answer", tests, NULL, NULL);
}
