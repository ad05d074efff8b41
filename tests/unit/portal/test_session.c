/* portal/session and portal/cookie: what we take for a login of ours, and what never. */
#include <sodium.h>
#include <string.h>

#include "../unit.h"
#include "portal/cookie.h"
#include "portal/session.h"

#define NOW_S   1700000000
#define ACCOUNT "https://login.example/+id/AbC1234"

static const struct session_limits limits = {.idle_s = 600, .total_s = 3600};
static unsigned char key[STATE_KEY_BYTES];
static struct session session;
static struct buffer sealed;
static struct session opened;

static int make(void **unused)
{
    (void)unused;
    assert_true(sodium_init() >= 0);
    randombytes_buf(key, sizeof(key));
    session = session_new(ACCOUNT, "jdoe", true, 7, NOW_S);
    strcpy(session.address, "jdoe@example.net");
    strcpy(session.found, "member");
    session_seal(&session, key, COOKIE_SESSION, &sealed);
    return 0;
}

static int take_away(void **unused)
{
    (void)unused;
    buffer_finish(&sealed);
    return 0;
}

static bool opens(const char *text, int64_t now_s)
{
    return session_open(text, key, COOKIE_SESSION, &limits, now_s, &opened);
}

static void a_session_comes_back_as_it_went(void **unused)
{
    (void)unused;
    assert_true(opens(buffer_text(&sealed), NOW_S + 1));
    assert_memory_equal(opened.id, session.id, SESSION_ID_BYTES);
    assert_int_equal(opened.begun_s, NOW_S);
    assert_int_equal(opened.used_s, NOW_S);
    assert_int_equal(opened.epoch, 7);
    assert_true(opened.is_admin);
    assert_string_equal(opened.account, ACCOUNT);
    assert_string_equal(opened.name, "jdoe");
    assert_string_equal(opened.address, "jdoe@example.net");
    assert_string_equal(opened.found, "member");
}

static void the_longest_one_fits_in_a_cookie(void **unused)
{
    (void)unused;
    char account[SESSION_ACCOUNT_MAX_BYTES + 1] = "", name[SESSION_NAME_MAX_BYTES + 1] = "";
    struct buffer text = {0};
    memset(account, 'a', SESSION_ACCOUNT_MAX_BYTES);
    memset(name, 'n', SESSION_NAME_MAX_BYTES);
    struct session longest = session_new(account, name, false, INT64_MAX, NOW_S);
    memset(longest.address, 'm', SESSION_ADDRESS_MAX_BYTES);
    memset(longest.found, 'f', SESSION_FOUND_MAX_BYTES);
    session_seal(&longest, key, COOKIE_SESSION, &text);
    assert_true(text.length < 4000); /* RFC 6265 6.1: browsers take 4096 bytes, with attributes */
    assert_true(opens(buffer_text(&text), NOW_S));
    assert_string_equal(opened.account, account);
    assert_string_equal(opened.name, name);
    assert_string_equal(opened.address, longest.address);
    assert_string_equal(opened.found, longest.found);
    buffer_finish(&text);
}

static void each_login_and_each_sealing_is_another(void **unused)
{
    (void)unused;
    struct buffer again = {0};
    struct session other = session_new(ACCOUNT, "jdoe", true, 7, NOW_S);
    assert_memory_not_equal(other.id, session.id, SESSION_ID_BYTES);
    session_seal(&session, key, COOKIE_SESSION, &again);
    assert_string_not_equal(buffer_text(&again), buffer_text(&sealed));
    buffer_finish(&again);
}

static void not_one_character_can_be_altered(void **unused)
{
    (void)unused;
    char *text = strdup(buffer_text(&sealed));
    size_t length = strlen(text);
    for (size_t i = 0; i < length; i++) {
        char before = text[i];
        text[i] = before == 'A' ? 'B' : 'A';
        if (opens(text, NOW_S))
            fail_msg("altered at %zu", i);
        text[i] = before;
    }
    assert_true(opens(text, NOW_S));
    free(text);
}

static void no_part_of_it_counts_and_nothing_around_it(void **unused)
{
    (void)unused;
    char *text = strdup(buffer_text(&sealed));
    struct buffer longer = {0};
    for (size_t length = strlen(text); length > 0; length--) {
        text[length - 1] = '\0';
        if (opens(text, NOW_S))
            fail_msg("cut to %zu", length - 1);
    }
    static const char *const tails[] = {"A", "AAAA", " ", "=", "==", "\x80"};
    for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
        buffer_clear(&longer);
        buffer_appendf(&longer, "%s%s", buffer_text(&sealed), tails[i]);
        if (opens(buffer_text(&longer), NOW_S))
            fail_msg("with %s behind it", tails[i]);
    }
    buffer_finish(&longer);
    free(text);
}

static void a_very_long_one_is_none(void **unused)
{
    (void)unused;
    static char text[20000];
    memset(text, 'A', sizeof(text) - 1);
    assert_false(opens(text, NOW_S));
}

static void another_key_or_another_cookie_opens_nothing(void **unused)
{
    (void)unused;
    unsigned char other[STATE_KEY_BYTES];
    memcpy(other, key, sizeof(other));
    other[31] ^= 1;
    assert_false(
        session_open(buffer_text(&sealed), other, COOKIE_SESSION, &limits, NOW_S, &opened));
    assert_false(session_open(buffer_text(&sealed), key, COOKIE_LOGIN, &limits, NOW_S, &opened));
}

static void it_ends_when_not_used_and_in_the_end_anyway(void **unused)
{
    (void)unused;
    static const struct {
        int64_t used_after_s, now_after_s;
        bool is_open;
    } cases[] = {
        {0, 599, true},     {0, 600, false},    {500, 1099, true},
        {500, 1100, false}, {3500, 3599, true}, {3599, 3600, false},
        {0, -30, true},     {0, -61, false},    {100, 30, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buffer text = {0};
        session.used_s = NOW_S + cases[i].used_after_s;
        session_seal(&session, key, COOKIE_SESSION, &text);
        if (opens(buffer_text(&text), NOW_S + cases[i].now_after_s) != cases[i].is_open)
            fail_msg("case %zu", i);
        buffer_finish(&text);
    }
}

static void it_is_renewed_now_and_then(void **unused)
{
    (void)unused;
    assert_false(session_wants_renewal(&session, &limits, NOW_S + 30));
    assert_true(session_wants_renewal(&session, &limits, NOW_S + 60));
}

static void the_csrf_token_is_the_session_s(void **unused)
{
    (void)unused;
    char text[SESSION_CSRF_TEXT_BYTES], altered[SESSION_CSRF_TEXT_BYTES];
    struct session other = session_new(ACCOUNT, "jdoe", true, 7, NOW_S);
    session_csrf(&session, key, text);
    assert_int_equal(strlen(text), SESSION_CSRF_TEXT_BYTES - 1);
    assert_true(session_csrf_is(&session, key, text));
    assert_false(session_csrf_is(&other, key, text));
    assert_false(session_csrf_is(&session, key, NULL));
    assert_false(session_csrf_is(&session, key, ""));
    for (size_t i = 0; i < strlen(text); i++) {
        memcpy(altered, text, sizeof(text));
        altered[i] = altered[i] == 'A' ? 'B' : 'A';
        assert_false(session_csrf_is(&session, key, altered));
        altered[i] = '\0';
        assert_false(session_csrf_is(&session, key, altered));
    }
    key[0] ^= 1;
    assert_false(session_csrf_is(&session, key, text));
}

static void cookies_are_found_by_their_whole_name_and_once(void **unused)
{
    (void)unused;
    static const struct {
        const char *header, *value; /* NULL: none */
    } cases[] = {
        {NULL, NULL},
        {"", NULL},
        {"a=1", "1"},
        {"a=", ""},
        {"b=2; a=1", "1"},
        {"b=2;a=1;c=3", "1"},
        {"aa=1; ba=1; A=1", NULL},
        {"a", NULL},
        {"x; a=1=2", "1=2"},
        {"a=1; a=1", NULL},
        {"a=1; b=a=2", "1"},
        {";; ;a=1;;", "1"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buffer value = {0};
        buffer_append_text(&value, "<");
        bool is_found = cookie_find(cases[i].header, "a", &value);
        if (is_found != (cases[i].value != NULL) ||
            strcmp(buffer_text(&value) + 1, is_found ? cases[i].value : "") != 0)
            fail_msg("%s: %d %s", cases[i].header, is_found, buffer_text(&value));
        buffer_finish(&value);
    }
}

static void cookies_are_for_this_host_and_no_script(void **unused)
{
    (void)unused;
    struct buffer text = {0};
    cookie_append(&text, COOKIE_SESSION, "v", COOKIE_LAX, 60);
    assert_string_equal(buffer_text(&text),
                        "__Host-lpalias=v; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=60");
    buffer_clear(&text);
    cookie_append(&text, COOKIE_LOGIN, "", COOKIE_NONE, 0);
    assert_string_equal(
        buffer_text(&text),
        "__Host-lpalias-login=; Path=/; Secure; HttpOnly; SameSite=None; Max-Age=0");
    buffer_finish(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_session_comes_back_as_it_went, make, take_away),
        cmocka_unit_test_setup_teardown(the_longest_one_fits_in_a_cookie, make, take_away),
        cmocka_unit_test_setup_teardown(each_login_and_each_sealing_is_another, make, take_away),
        cmocka_unit_test_setup_teardown(not_one_character_can_be_altered, make, take_away),
        cmocka_unit_test_setup_teardown(no_part_of_it_counts_and_nothing_around_it, make,
                                        take_away),
        cmocka_unit_test_setup_teardown(a_very_long_one_is_none, make, take_away),
        cmocka_unit_test_setup_teardown(another_key_or_another_cookie_opens_nothing, make,
                                        take_away),
        cmocka_unit_test_setup_teardown(it_ends_when_not_used_and_in_the_end_anyway, make,
                                        take_away),
        cmocka_unit_test_setup_teardown(it_is_renewed_now_and_then, make, take_away),
        cmocka_unit_test_setup_teardown(the_csrf_token_is_the_session_s, make, take_away),
        cmocka_unit_test(cookies_are_found_by_their_whole_name_and_once),
        cmocka_unit_test(cookies_are_for_this_host_and_no_script),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
