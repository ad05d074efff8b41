/* openid/claimed_id: what Launchpad calls an account. (Which are accounts: test_answer.) */
#include <stdlib.h>
#include <string.h>

#include "../unit.h"
#include "base/compiler.h"
#include "openid/claimed_id.h"

static void launchpad_knows_an_account_by_its_own_prefix(void **state)
{
    (void)state;
    static const struct {
        const char *identifiers, *claimed_id, *wanted;
    } cases[] = {
        {OPENID_PROVIDER_UBUNTU_ONE_IDENTIFIERS, "https://login.ubuntu.com/+id/AbC1234",
         "https://login.launchpad.net/+id/AbC1234"},
        {"http://127.0.0.1:8080/+id/", "http://127.0.0.1:8080/+id/a_-9",
         "https://login.launchpad.net/+id/a_-9"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct openid_provider provider = {.identifiers = cases[i].identifiers};
        struct buffer out = {0};
        assert_true(openid_claimed_id_is_of(&provider, cases[i].claimed_id));
        openid_claimed_id_append_for_launchpad(&provider, cases[i].claimed_id, &out);
        assert_string_equal(buffer_text(&out), cases[i].wanted);
        buffer_finish(&out);
    }
}

static void an_account_is_of_its_own_provider_only(void **state)
{
    (void)state;
    static const char claimed_id[] = "https://login.ubuntu.com/+id/AbC1234";
    struct openid_provider production = {.identifiers = OPENID_PROVIDER_UBUNTU_ONE_IDENTIFIERS};
    struct openid_provider staging = {.identifiers = "https://login.staging.ubuntu.com/+id/"};
    assert_true(openid_claimed_id_is_of(&production, claimed_id));
    assert_false(openid_claimed_id_is_of(&staging, claimed_id));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(launchpad_knows_an_account_by_its_own_prefix),
        cmocka_unit_test(an_account_is_of_its_own_provider_only),
    };
    return cmocka_run_group_tests_name("openid/claimed_id", tests, NULL, NULL);
}
