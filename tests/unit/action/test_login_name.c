/* Which login sends: what an operator may say, and what would let somebody else in. */
#include "action/login_name.h"
#include "enrol_world.h"

#define LONG_LOGIN "0123456789012345678901234567890123456789012345678901234567890123"

static bool set(struct house_cache *cache, const char *name, const char *login, struct error *error)
{
    const struct action action = enrol_action(cache, 1000);
    struct store_update_result result;
    return action_login_name_set(&action, name, login, &result, error);
}

static void test_cases(void **state)
{
    static const struct {
        const char *name, *login;
        const char *after; /* of jdoe; NULL: refused */
    } cases[] = {
        {"jdoe", "jd", "jd"},
        {"jdoe", "jd@mail.example", "jd@mail.example"},
        {"jdoe", "jdoe", ""}, /* what it is anyway */
        {"jdoe", LONG_LOGIN LONG_LOGIN, LONG_LOGIN LONG_LOGIN},
        {"jdoe", "", ""},
        {"jdoe", LONG_LOGIN LONG_LOGIN "x", NULL},
        {"jdoe", "a,b", NULL},
        {"jdoe", "a b", NULL},
        {"jdoe", "a\tb", NULL},
        {"jdoe", "a\n", NULL},
        {"jdoe", "\x7f", NULL},
        {"jdoe", "j\xc3\xb6", NULL},
        {"jdoe", "!nobody", NULL},
        {"jdoe", "ann", NULL},      /* the Launchpad name of somebody who has no other login */
        {"jdoe", "ANN", NULL},      /* Postfix compares without regard to case */
        {"jdoe", "kims-own", NULL}, /* what an operator said of somebody else */
        {"jdoe", "kim", "kim"},     /* free, as kim has another one */
        {"nobody", "x", NULL},
    };
    struct house_cache *cache = *state;
    struct error error = {0};
    enrol_set(cache, "person jdoe 5\nperson ann 6\nperson kim 7\n");
    assert_true(set(cache, "kim", "kims-own", &error));
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        assert_true(set(cache, "jdoe", "before", &error));
        bool is_done = set(cache, cases[i].name, cases[i].login, &error);
        if (is_done != (cases[i].after != NULL))
            fail_msg("%s: %s", cases[i].login, error.text);
        if (!is_done)
            assert_int_equal(error.kind, ERROR_INVALID);
        struct snapshot *snapshot = house_cache_look(cache);
        struct person_record person;
        assert_int_equal(snapshot_person(snapshot, "jdoe", &person, &error), STORE_FOUND);
        if (!span_is_text(person.login_name, is_done ? cases[i].after : "before"))
            fail_msg("%s became %.*s", cases[i].login, SPAN(person.login_name));
        snapshot_end(snapshot);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_cases, house_cache_set_up, house_cache_tear_down),
    };
    return cmocka_run_group_tests_name("action/login_name", tests, NULL, NULL);
}
