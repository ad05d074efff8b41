/* openid/identity: which attributes count, and that not told, empty and told are three things. */
#include <stdlib.h>
#include <string.h>

#include "../unit.h"
#include "honest_answer.h"
#include "openid/identity.h"

/* Reads fields of "name=value&..." behind a claimed_id; signs adds to the signed list. */
static void read_fields(const char *fields, const char *signs, struct openid_identity *ret)
{
    struct buffer text = {0};
    openid_form_append(&text, "openid.claimed_id", "https://login.ubuntu.com/+id/AbC1234");
    struct buffer list = {0};
    buffer_appendf(&list, "claimed_id,%s", signs);
    openid_form_append(&text, "openid.signed", buffer_text(&list));
    buffer_appendf(&text, "&%s", fields);
    struct openid_form form;
    assert_true(openid_form_parse((struct span){text.data, text.length}, &form, NULL));
    openid_identity_read(&form, ret);
    openid_form_finish(&form);
    buffer_finish(&list);
    buffer_finish(&text);
}

static void assert_text(const char *found, const char *wanted, const char *what)
{
    if ((found == NULL) != (wanted == NULL) || (found != NULL && strcmp(found, wanted) != 0))
        fail_msg("%s: %s", what, found != NULL ? found : "none");
}

#define SREG "openid.ns.s=" OPENID_NAMESPACE_SREG "&"

static void sreg_counts_where_it_and_its_alias_are_signed(void **state)
{
    (void)state;
    static const struct {
        const char *fields, *signs, *wanted;
    } cases[] = {
        {SREG "openid.s.nickname=alice", "ns.s,s.nickname", "alice"},
        {SREG "openid.s.nickname=alice", "s.nickname,ns.s", "alice"},
        {SREG "openid.s.nickname=alice", "ns.s", NULL},
        {SREG "openid.s.nickname=alice", "s.nickname", NULL},
        {SREG "openid.s.nickname=alice", "ns.s,xs.nickname,s.nicknamex", NULL},
        {SREG "openid.sreg.nickname=alice", "ns.s,sreg.nickname", NULL},
        {SREG "openid.s.nickname=", "ns.s,s.nickname", NULL},
        {SREG "", "ns.s", NULL},
        {"openid.sreg.nickname=alice", "sreg.nickname", NULL},
        {"openid.ns.s=http://openid.net/sreg/1.0&openid.s.nickname=alice", "ns.s,s.nickname", NULL},
        /* The alias is what the signed namespace says, however it looks. */
        {"openid.ns.lp=" OPENID_NAMESPACE_SREG "&openid.lp.nickname=alice", "ns.lp,lp.nickname",
         "alice"},
        {"openid.ns.evil=" OPENID_NAMESPACE_SREG "&openid.evil.nickname=victim&" SREG
         "openid.s.nickname=alice",
         "ns.s,s.nickname", "alice"},
        {"openid.ns.a.b=" OPENID_NAMESPACE_SREG "&openid.a.b.nickname=alice", "ns.a.b,a.b.nickname",
         NULL},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct openid_identity identity;
        read_fields(cases[i].fields, cases[i].signs, &identity);
        assert_text(identity.nickname, cases[i].wanted, cases[i].fields);
        openid_identity_finish(&identity);
    }
}

#define AX                                                                \
    "openid.ns.ax=" OPENID_NAMESPACE_AX "&openid.ax.mode=fetch_response&" \
    "openid.ax.type.v=" OPENID_AX_ACCOUNT_VERIFIED "&"
#define AX_SIGNED "ns.ax,ax.mode,ax.type.v,"

static void an_address_is_verified_by_the_providers_word_only(void **state)
{
    (void)state;
    static const struct {
        const char *fields, *signs;
        enum openid_identity_verified wanted;
    } cases[] = {
        {AX "openid.ax.count.v=1&openid.ax.value.v.1=token_via_email",
         AX_SIGNED "ax.count.v,ax.value.v.1", OPENID_IDENTITY_VERIFIED},
        {AX "openid.ax.value.v=token_via_email", AX_SIGNED "ax.value.v", OPENID_IDENTITY_VERIFIED},
        {AX "openid.ax.count.v=2&openid.ax.value.v.1=no&openid.ax.value.v.2=token_via_email",
         AX_SIGNED "ax.count.v,ax.value.v.1,ax.value.v.2", OPENID_IDENTITY_UNVERIFIED},
        {AX "openid.ax.count.v=1&openid.ax.value.v.1=no", AX_SIGNED "ax.count.v,ax.value.v.1",
         OPENID_IDENTITY_UNVERIFIED},
        {AX "openid.ax.count.v=1&openid.ax.value.v.1=", AX_SIGNED "ax.count.v,ax.value.v.1",
         OPENID_IDENTITY_UNVERIFIED},
        {AX "openid.ax.count.v=1&openid.ax.value.v.1=a-word-of-tomorrow",
         AX_SIGNED "ax.count.v,ax.value.v.1", OPENID_IDENTITY_UNVERIFIED},
        {AX "openid.ax.count.v=0", AX_SIGNED "ax.count.v", OPENID_IDENTITY_NOT_SAID},
        {AX "openid.ax.count.v=0&openid.ax.value.v.1=token_via_email",
         AX_SIGNED "ax.count.v,ax.value.v.1", OPENID_IDENTITY_NOT_SAID},
        {AX "openid.ax.count.v=1&openid.ax.value.v.1=token_via_email", AX_SIGNED "ax.count.v",
         OPENID_IDENTITY_NOT_SAID},
        {AX "openid.ax.value.v=token_via_email", "ax.mode,ax.type.v,ax.value.v",
         OPENID_IDENTITY_NOT_SAID},
        {AX "openid.ax.value.v=token_via_email", "ns.ax,ax.mode,ax.value.v",
         OPENID_IDENTITY_NOT_SAID},
        {AX "openid.ax.value.v=token_via_email", "ns.ax,ax.type.v,ax.value.v",
         OPENID_IDENTITY_NOT_SAID},
        {"openid.ns.ax=" OPENID_NAMESPACE_AX "&openid.ax.mode=fetch_response&"
         "openid.ax.type.v=http://axschema.org/contact/email&openid.ax.value.v=token_via_email",
         AX_SIGNED "ax.value.v", OPENID_IDENTITY_NOT_SAID},
        {"openid.ns.ax=" OPENID_NAMESPACE_AX "&openid.ax.mode=store_response_success&"
         "openid.ax.type.v=" OPENID_AX_ACCOUNT_VERIFIED "&openid.ax.value.v=token_via_email",
         AX_SIGNED "ax.value.v", OPENID_IDENTITY_NOT_SAID},
        {SREG "openid.s.account_verified=token_via_email", "ns.s,s.account_verified",
         OPENID_IDENTITY_NOT_SAID},
        {"x=y", "", OPENID_IDENTITY_NOT_SAID},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct openid_identity identity;
        read_fields(cases[i].fields, cases[i].signs, &identity);
        if (identity.email_verified != cases[i].wanted)
            fail_msg("%zu: %s", i, cases[i].fields);
        openid_identity_finish(&identity);
    }
}

#define TEAMS "openid.ns.lp=" OPENID_NAMESPACE_TEAMS "&"

static void no_team_and_no_word_of_teams_are_two_things(void **state)
{
    (void)state;
    static const struct {
        const char *fields, *signs;
        bool told;
        const char *wanted;
    } cases[] = {
        {TEAMS "openid.lp.is_member=a,b", "ns.lp,lp.is_member", true, "a b "},
        {TEAMS "openid.lp.is_member=a", "ns.lp,lp.is_member", true, "a "},
        {TEAMS "openid.lp.is_member=,a,,b,", "ns.lp,lp.is_member", true, "a b "},
        {TEAMS "openid.lp.is_member=", "ns.lp,lp.is_member", true, ""},
        {TEAMS "", "ns.lp", false, ""},
        {TEAMS "openid.lp.is_member=a", "ns.lp", false, ""},
        {TEAMS "openid.lp.is_member=a", "lp.is_member", false, ""},
        {"openid.lp.is_member=a", "lp.is_member", false, ""},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct openid_identity identity;
        struct buffer found = {0};
        read_fields(cases[i].fields, cases[i].signs, &identity);
        for (size_t k = 0; k < identity.team_count; k++)
            buffer_appendf(&found, "%s ", identity.teams[k]);
        assert_int_equal(identity.teams_told, cases[i].told);
        assert_string_equal(buffer_text(&found), cases[i].wanted);
        buffer_finish(&found);
        openid_identity_finish(&identity);
    }
}

static void all_of_an_honest_answer_is_read(void **state)
{
    (void)state;
    struct honest_fields fields = honest_fields();
    struct buffer text = {0};
    honest_encode(&fields, &text);
    struct openid_form form;
    assert_true(openid_form_parse((struct span){text.data, text.length}, &form, NULL));
    struct openid_identity identity;
    openid_identity_read(&form, &identity);
    assert_string_equal(identity.claimed_id, "https://login.ubuntu.com/+id/AbC1234");
    assert_string_equal(identity.nickname, "alice");
    assert_string_equal(identity.email, "alice@people.example");
    assert_string_equal(identity.fullname, "Alice & Sønn");
    assert_int_equal(identity.email_verified, OPENID_IDENTITY_VERIFIED);
    assert_true(identity.teams_told);
    assert_int_equal(identity.team_count, 2);
    assert_string_equal(identity.teams[0], "ubuntumembers");
    assert_string_equal(identity.teams[1], "kubuntu-members");
    openid_identity_finish(&identity);
    openid_form_finish(&form);
    buffer_finish(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sreg_counts_where_it_and_its_alias_are_signed),
        cmocka_unit_test(an_address_is_verified_by_the_providers_word_only),
        cmocka_unit_test(no_team_and_no_word_of_teams_are_two_things),
        cmocka_unit_test(all_of_an_honest_answer_is_read),
    };
    return cmocka_run_group_tests_name("openid/identity", tests, NULL, NULL);
}
