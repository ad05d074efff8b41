/* openid/login: what is asked of the provider. */
#include <stdlib.h>
#include <string.h>

#include "../unit.h"
#include "openid/form.h"
#include "openid/login.h"
#include "openid/namespace.h"

static const struct openid_login login = {
    .return_to = "https://portal.example/login/return",
    .realm = "https://portal.example/",
    .state = "a+b/c=",
};

static void the_request_asks_for_what_we_use(void **state)
{
    (void)state;
    static const char *const teams[] = {"ubuntumembers", "kubuntu-members"};
    static const struct openid_form_field wanted[] = {
        {"openid.ns", OPENID_NAMESPACE_2_0},
        {"openid.mode", "checkid_setup"},
        {"openid.claimed_id", "http://specs.openid.net/auth/2.0/identifier_select"},
        {"openid.identity", "http://specs.openid.net/auth/2.0/identifier_select"},
        {"openid.return_to", "https://portal.example/login/return?state=a%2Bb%2Fc%3D"},
        {"openid.realm", "https://portal.example/"},
        {"openid.ns.sreg", "http://openid.net/extensions/sreg/1.1"},
        {"openid.sreg.required", "nickname,email"},
        {"openid.sreg.optional", "fullname"},
        {"openid.ns.ax", "http://openid.net/srv/ax/1.0"},
        {"openid.ax.mode", "fetch_request"},
        {"openid.ax.type.account_verified", "http://ns.login.ubuntu.com/2013/validation/account"},
        {"openid.ax.required", "account_verified"},
        {"openid.ns.lp", "http://ns.launchpad.net/2007/openid-teams"},
        {"openid.lp.query_membership", "ubuntumembers,kubuntu-members"},
    };
    static const struct {
        const char *endpoint, *start;
        size_t team_count, field_count;
    } cases[] = {
        {OPENID_PROVIDER_UBUNTU_ONE_ENDPOINT, "https://login.ubuntu.com/+openid?", 2, 15},
        {OPENID_PROVIDER_UBUNTU_ONE_ENDPOINT, "https://login.ubuntu.com/+openid?", 0, 13},
        {"http://[::1]:80/o?a=b", "http://[::1]:80/o?a=b&", 2, 15},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct openid_provider provider = {.endpoint = cases[i].endpoint};
        struct buffer url = {0};
        openid_login_append_request_url(&login, &provider, teams, cases[i].team_count, &url);
        assert_memory_equal(buffer_text(&url), cases[i].start, strlen(cases[i].start));
        struct openid_form form;
        assert_true(openid_form_parse(span_of(url.data + strlen(cases[i].start)), &form, NULL));
        assert_int_equal(form.count, cases[i].field_count);
        for (size_t k = 0; k < form.count; k++) {
            assert_string_equal(form.fields[k].name, wanted[k].name);
            assert_string_equal(form.fields[k].value, wanted[k].value);
        }
        openid_form_finish(&form);
        buffer_finish(&url);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_request_asks_for_what_we_use),
    };
    return cmocka_run_group_tests_name("openid/login", tests, NULL, NULL);
}
