/* openid/nonce: its form. (How old it may be: test_assertion.) */
#include <stdlib.h>
#include <string.h>

#include "../unit.h"
#include "base/compiler.h"
#include "openid/nonce.h"

static void only_a_time_and_visible_ascii_are_a_nonce(void **state)
{
    (void)state;
    static const struct {
        const char *nonce;
        int64_t wanted_at_s; /* -1: refused */
    } cases[] = {
        {"2026-01-12T10:00:00ZabcDEF", 1768212000},
        {"2026-01-12T10:00:00Z", 1768212000},
        {"1970-01-01T00:00:00Z!~", 0},
        {"2026-01-12T10:00:00", -1},
        {"2026-01-12T10:00:00z", -1},
        {"2026-01-12 10:00:00Zx", -1},
        {"2026-01-12T10:00Zabcdef", -1},
        {"2026-01-12T10:00:00.5Zx", -1},
        {"2026-01-12T10:00:00+00:00", -1},
        {"2026-13-12T10:00:00Zx", -1},
        {"2026-01-12T24:00:00Zx", -1},
        {" 2026-01-12T10:00:00Zx", -1},
        {"2026-01-12T10:00:00Z a", -1},
        {"2026-01-12T10:00:00Za\n", -1},
        {"2026-01-12T10:00:00Z\xc3\xa9", -1},
        {"Z", -1},
        {"", -1},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        int64_t at_s = -1;
        bool is_nonce = openid_nonce_parse(cases[i].nonce, &at_s);
        if (is_nonce != (cases[i].wanted_at_s >= 0) || at_s != cases[i].wanted_at_s)
            fail_msg("%s", cases[i].nonce);
    }
}

static void a_nonce_has_255_bytes_at_most(void **state)
{
    (void)state;
    char nonce[OPENID_NONCE_MAX_BYTES + 2] = "2026-01-12T10:00:00Z";
    int64_t at_s;
    memset(nonce + strlen(nonce), 'x', OPENID_NONCE_MAX_BYTES - strlen(nonce));
    assert_int_equal(strlen(nonce), 255);
    assert_true(openid_nonce_parse(nonce, &at_s));
    strcat(nonce, "x");
    assert_false(openid_nonce_parse(nonce, &at_s));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_a_time_and_visible_ascii_are_a_nonce),
        cmocka_unit_test(a_nonce_has_255_bytes_at_most),
    };
    return cmocka_run_group_tests_name("openid/nonce", tests, NULL, NULL);
}
