/* observation: two listings in a row, 60 s apart, before absence or a lost flag counts. */
#include <string.h>

#include "../unit.h"
#include "membership/observation.h"

/* One letter a listing: Y seen and fine, I invalid, C without CoC, - absent, ? absent while the
 * clock is not trusted; then its time. */
struct look {
    char seen;
    int64_t at_s;
};

static struct membership_record fold_all(const struct look *looks)
{
    struct membership_record record;
    const struct membership_record *before = NULL;
    for (; looks->seen != '\0'; looks++) {
        struct listing_person person = {
            .name = (char *)"jdoe",
            .date_created_us = 42,
            .is_valid = looks->seen != 'I',
            .is_ubuntu_coc_signer = looks->seen != 'C',
        };
        const struct observation observation = {
            .seen = looks->seen != '-' && looks->seen != '?' ? &person : NULL,
            .observed_s = looks->at_s,
            .is_time_trusted = looks->seen != '?',
        };
        record = observation_fold(before, &observation);
        before = &record;
    }
    return record;
}

static void departures_need_two_listings_a_minute_apart(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        struct look looks[6];
        bool is_member, is_valid, is_signer;
    } cases[] = {
        {"seen once", {{'Y', 1000}}, true, true, true},
        {"first seen invalid is believed", {{'I', 1000}}, true, false, true},
        {"first seen without CoC is believed", {{'C', 1000}}, true, true, false},
        {"missing once", {{'Y', 1000}, {'-', 2000}}, true, true, true},
        {"missing twice", {{'Y', 1000}, {'-', 2000}, {'-', 2060}}, false, true, true},
        {"missing twice, 59 s apart", {{'Y', 1000}, {'-', 2000}, {'-', 2059}}, true, true, true},
        {"missing three times, the third late enough",
         {{'Y', 1000}, {'-', 2000}, {'-', 2059}, {'-', 2061}},
         false,
         true,
         true},
        {"missing, seen, missing",
         {{'Y', 1000}, {'-', 2000}, {'Y', 3000}, {'-', 4000}},
         true,
         true,
         true},
        {"clock gone back between", {{'Y', 5000}, {'-', 5000}, {'-', 1000}}, true, true, true},
        {"clock gone back, then a minute on",
         {{'Y', 5000}, {'-', 5000}, {'-', 1000}, {'-', 1060}},
         false,
         true,
         true},
        {"a clock that is not trusted confirms nothing",
         {{'Y', 1000}, {'-', 2000}, {'?', 900000}},
         true,
         true,
         true},
        {"and the doubt begins anew with it",
         {{'Y', 1000}, {'-', 2000}, {'?', 3000}, {'-', 3059}},
         true,
         true,
         true},
        {"a minute after it the doubt is confirmed",
         {{'Y', 1000}, {'-', 2000}, {'?', 3000}, {'-', 3060}},
         false,
         true,
         true},
        {"invalid once", {{'Y', 1000}, {'I', 2000}}, true, true, true},
        {"invalid twice", {{'Y', 1000}, {'I', 2000}, {'I', 2060}}, true, false, true},
        {"invalid, fine, invalid",
         {{'Y', 1000}, {'I', 2000}, {'Y', 2030}, {'I', 2060}},
         true,
         true,
         true},
        {"CoC gone twice", {{'Y', 1000}, {'C', 2000}, {'C', 2060}}, true, true, false},
        {"invalid then without CoC: other flags",
         {{'Y', 1000}, {'I', 2000}, {'C', 2060}},
         true,
         true,
         true},
        {"valid again is believed at once",
         {{'Y', 1000}, {'I', 2000}, {'I', 2060}, {'Y', 2061}},
         true,
         true,
         true},
        {"back in the team is believed at once",
         {{'Y', 1000}, {'-', 2000}, {'-', 2060}, {'Y', 2061}},
         true,
         true,
         true},
        {"back with a lost flag",
         {{'Y', 1000}, {'-', 2000}, {'-', 2060}, {'I', 2061}},
         true,
         false,
         true},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct membership_record record = fold_all(cases[i].looks);
        if (record.is_member != cases[i].is_member || record.is_valid != cases[i].is_valid ||
            record.is_ubuntu_coc_signer != cases[i].is_signer)
            fail_msg("%s: member %d, valid %d, signer %d", cases[i].what, record.is_member,
                     record.is_valid, record.is_ubuntu_coc_signer);
    }
}

static void a_good_listing_changes_nothing_in_a_good_row(void **state)
{
    (void)state;
    struct membership_record once = fold_all((struct look[]){{'Y', 1000}, {0}});
    struct membership_record thrice =
        fold_all((struct look[]){{'Y', 1000}, {'Y', 2000}, {'Y', 3000}, {0}});
    struct buffer wanted = {0};
    struct buffer got = {0};
    membership_record_encode(&wanted, &once);
    membership_record_encode(&got, &thrice);
    assert_int_equal(got.length, wanted.length);
    assert_memory_equal(got.data, wanted.data, wanted.length);
    buffer_finish(&wanted);
    buffer_finish(&got);
}

/* As above, in the listing of the admins; of somebody who is no member, unless M stands first. */
static struct membership_record fold_admin(const char *looks, int64_t apart_s)
{
    struct membership_record record = {.is_member = looks[0] == 'M', .is_admin = true};
    struct listing_person person = {.name = (char *)"jdoe"};
    int64_t at_s = 1000;
    for (looks += record.is_member; *looks != '\0'; looks++, at_s += apart_s) {
        const struct observation observation = {*looks == 'Y' ? &person : NULL, at_s,
                                                *looks != '?'};
        observation_fold_admin(&record, &observation);
    }
    return record;
}

static void a_kept_admin_is_doubted_as_a_member_is(void **state)
{
    (void)state;
    static const struct {
        const char *looks;
        int64_t apart_s;
        bool is_admin, is_doubted;
    } cases[] = {
        {"Y", 60, true, false},   {"-", 60, true, true},     {"--", 60, false, false},
        {"--", 59, true, true},   {"---", 59, false, false}, {"-Y-", 60, true, true},
        {"-?", 60, true, true},   {"--Y", 60, true, false},  {"M-", 60, false, false},
        {"M-Y", 60, true, false},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct membership_record record = fold_admin(cases[i].looks, cases[i].apart_s);
        if (record.is_admin != cases[i].is_admin ||
            (record.missing_since_s != 0) != cases[i].is_doubted)
            fail_msg("%s, %d s apart: admin %d, missing since %d", cases[i].looks,
                     (int)cases[i].apart_s, record.is_admin, (int)record.missing_since_s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(departures_need_two_listings_a_minute_apart),
        cmocka_unit_test(a_kept_admin_is_doubted_as_a_member_is),
        cmocka_unit_test(a_good_listing_changes_nothing_in_a_good_row),
    };
    return cmocka_run_group_tests_name("membership/observation", tests, NULL, NULL);
}
