/* retry: what is asked again, and how long to wait before. */
#include <string.h>

#include "../unit.h"
#include "launchpad/retry.h"

static void only_what_can_pass_by_itself_is_asked_again(void **state)
{
    (void)state;
    static const struct {
        enum transfer_outcome outcome;
        unsigned status;
        bool wanted;
    } cases[] = {
        {TRANSFER_TIMED_OUT, 0, true},   {TRANSFER_NETWORK, 0, true},
        {TRANSFER_TLS, 0, false},        {TRANSFER_TOO_LARGE, 0, false},
        {TRANSFER_PROTOCOL, 0, false},   {TRANSFER_EXPIRED, 0, false},
        {TRANSFER_ANSWERED, 408, true},  {TRANSFER_ANSWERED, 429, true},
        {TRANSFER_ANSWERED, 500, true},  {TRANSFER_ANSWERED, 502, true},
        {TRANSFER_ANSWERED, 503, true},  {TRANSFER_ANSWERED, 504, true},
        {TRANSFER_ANSWERED, 200, false}, {TRANSFER_ANSWERED, 206, false},
        {TRANSFER_ANSWERED, 301, false}, {TRANSFER_ANSWERED, 304, false},
        {TRANSFER_ANSWERED, 400, false}, {TRANSFER_ANSWERED, 401, false},
        {TRANSFER_ANSWERED, 403, false}, {TRANSFER_ANSWERED, 404, false},
        {TRANSFER_ANSWERED, 410, false}, {TRANSFER_ANSWERED, 501, false},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct transfer_result result = {.outcome = cases[i].outcome, .status = cases[i].status};
        assert_int_equal(retry_is_transient(&result), cases[i].wanted);
    }
}

static void back_off_doubles_is_jittered_and_has_a_limit(void **state)
{
    (void)state;
    static const struct {
        unsigned number;
        int64_t first_ms, min_ms, max_ms;
    } cases[] = {
        {1, 1000, 500, 1000},
        {2, 1000, 1000, 2000},
        {3, 1000, 2000, 4000},
        {20, 1000, RETRY_WAIT_MAX_MS / 2, RETRY_WAIT_MAX_MS},
        {4000000000U, 1, RETRY_WAIT_MAX_MS / 2, RETRY_WAIT_MAX_MS},
        {1, INT64_MAX, RETRY_WAIT_MAX_MS / 2, RETRY_WAIT_MAX_MS},
        {7, 0, 0, 0},
        {1, 1, 1, 1},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        for (int round = 0; round < 100; round++)
            assert_in_range(retry_backoff_ms(cases[i].number, cases[i].first_ms), cases[i].min_ms,
                            cases[i].max_ms);
}

static void jitter_differs(void **state)
{
    (void)state;
    int64_t first_ms = retry_backoff_ms(1, 60000);
    int same = 0;
    for (int round = 0; round < 100; round++)
        same += retry_backoff_ms(1, 60000) == first_ms;
    assert_true(same < 50);
}

static void retry_after_is_honoured_or_refused(void **state)
{
    (void)state;
    static const struct {
        int64_t retry_after_s, left_ms, min_ms;
        const char *problem; /* NULL: waits between min_ms and left_ms */
    } cases[] = {
        {0, 100000, 50, NULL},
        {1, 100000, 1000, NULL},
        {60, 100000, 60000, NULL},
        {61, 100000, 0, "Retry-After asks for 61 s"},
        {900, 1000000, 0, "Retry-After asks for 900 s"},
        {INT64_MAX, 1000000, 0, "Retry-After asks for"},
        {30, 30000, 0, "no time is left"},
        {30, 30001, 30000, NULL},
        {0, 50, 0, "no time is left"},
        {0, -5, 0, "no time is left"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct transfer_result result = {
            .outcome = TRANSFER_ANSWERED, .status = 503, .retry_after_s = cases[i].retry_after_s};
        struct error error = {0};
        int64_t wait_ms = -1;
        bool ok = retry_wait_ms(&result, 1, 100, cases[i].left_ms, &wait_ms, &error);
        assert_int_equal(ok, cases[i].problem == NULL);
        if (ok)
            assert_in_range(wait_ms, cases[i].min_ms, cases[i].left_ms);
        else
            assert_error(error, ERROR_TEMPORARY, cases[i].problem);
    }
}

static void the_other_family_is_preferred_once(void **state)
{
    (void)state;
    static const struct {
        enum transfer_outcome outcome;
        enum transfer_family used, asked, wanted;
    } cases[] = {
        {TRANSFER_TIMED_OUT, TRANSFER_IPV6, TRANSFER_ANY_FAMILY, TRANSFER_IPV4},
        {TRANSFER_NETWORK, TRANSFER_IPV4, TRANSFER_ANY_FAMILY, TRANSFER_IPV6},
        {TRANSFER_NETWORK, TRANSFER_IPV6, TRANSFER_IPV6, TRANSFER_ANY_FAMILY},
        {TRANSFER_NETWORK, TRANSFER_IPV4, TRANSFER_IPV6, TRANSFER_ANY_FAMILY},
        {TRANSFER_NETWORK, TRANSFER_ANY_FAMILY, TRANSFER_ANY_FAMILY, TRANSFER_ANY_FAMILY},
        {TRANSFER_ANSWERED, TRANSFER_IPV6, TRANSFER_ANY_FAMILY, TRANSFER_ANY_FAMILY},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct transfer_result result = {.outcome = cases[i].outcome, .family = cases[i].used};
        assert_int_equal(retry_family(&result, cases[i].asked), cases[i].wanted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_can_pass_by_itself_is_asked_again),
        cmocka_unit_test(back_off_doubles_is_jittered_and_has_a_limit),
        cmocka_unit_test(jitter_differs),
        cmocka_unit_test(retry_after_is_honoured_or_refused),
        cmocka_unit_test(the_other_family_is_preferred_once),
    };
    return cmocka_run_group_tests_name("launchpad/retry", tests, NULL, NULL);
}
