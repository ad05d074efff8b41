/* What comes of a login, case by case: what it gives, and what a single look must not do. */
#include "action/login.h"
#include "action/refresh.h"
#include "enrol_world.h"

#define ME     "https://login.example/+id/me"
#define SHE    "https://login.example/+id/she"
#define NOW_S  1000
#define HOME   "jdoe@home.example"
#define BOTH   "domain " DOMAIN "\ndomain " OTHER "\n"
#define D_LIVE "member " DOMAIN " jdoe 5 live\nalias " DOMAIN " jdoe active to=" HOME "\n"

/* Of one login; zeros are a person "jdoe" of date 5, valid and signed, who is in no team. */
struct look {
    enum login_answer answer; /* 0: LOGIN_ANSWER_ACCOUNT, see answer_of */
    const char *name, *identifier;
    int date;
    bool is_invalid, is_unsigned;
    enum login_membership first, second; /* of DOMAIN, OTHER */
    int team_date;                       /* of both */
    const char *address;
    bool is_unverified;
};

#define SILENT     ((enum login_answer)100)
#define NO_ACCOUNT ((enum login_answer)101)
#define YES        LOGIN_MEMBERSHIP_YES
#define NO         LOGIN_MEMBERSHIP_NO

static enum login_answer answer_of(const struct look *look)
{
    return look->answer == SILENT       ? LOGIN_ANSWER_NONE
           : look->answer == NO_ACCOUNT ? LOGIN_ANSWER_NO_ACCOUNT
                                        : LOGIN_ANSWER_ACCOUNT;
}

static struct login_request log_in(struct house_cache *cache, const struct look *look,
                                   uint64_t asked_generation, int64_t now_s)
{
    const struct action action = enrol_action(cache, now_s);
    const struct login_sighting sightings[] = {
        {DOMAIN, look->first, look->team_date},
        {OTHER, look->second, look->team_date},
        {"unknown.example", LOGIN_MEMBERSHIP_YES, 0},
    };
    struct login_request request = {
        .identifier = look->identifier != NULL ? look->identifier : ME,
        .answer = answer_of(look),
        .name = look->name != NULL ? look->name : "jdoe",
        .date_created_us = look->date != 0 ? look->date : 5,
        .is_valid = !look->is_invalid,
        .is_ubuntu_coc_signer = !look->is_unsigned,
        .sightings = sightings,
        /* In a team of no domain of ours is in none. */
        .sighting_count = look->first == LOGIN_MEMBERSHIP_YES ? 3 : 2,
        .address = look->address,
        .is_address_verified = !look->is_unverified,
        .asked_s = now_s,
        .asked_generation = asked_generation,
    };
    struct store_update_result result;
    struct error error;
    if (!action_login(&action, &request, &result, &error))
        fail_msg("%s", error.text);
    return request;
}

static const struct {
    const char *label;
    const char *before;
    struct look look;
    enum login_outcome outcome;
    const char *after;
} cases[] = {
    /* ---- what it gives ---- */
    {"a member of two teams, with an address",
     BOTH,
     {.first = YES, .second = YES, .address = "jd@Home.EXAMPLE"},
     LOGIN_MEMBER,
     "person jdoe 5 login=" ME " to=p+jd@home.example\n"
     "login " ME " jdoe\n"
     "member " OTHER " jdoe 5 live\n"
     "member " DOMAIN " jdoe 5 live\n"
     "alias " OTHER " jdoe active to=jd@home.example\n"
     "alias " DOMAIN " jdoe active to=jd@home.example\n"
     "tell admins active " OTHER " jdoe\n"
     "tell admins active " DOMAIN " jdoe\n"
     "event target.add jdoe\n"
     "event person.login jdoe\n"
     "event alias.active " OTHER " jdoe\n"
     "event alias.active " DOMAIN " jdoe\n"},
    {"without an address it waits for one",
     BOTH,
     {.first = YES, .second = NO},
     LOGIN_MEMBER,
     "person jdoe 5 login=" ME "\nlogin " ME " jdoe\nmember " DOMAIN " jdoe 5\n"
     "alias " DOMAIN " jdoe pending no-target\n"
     "event person.login jdoe\nevent alias.pending " DOMAIN " jdoe\n"},
    {"an address that Ubuntu One has not proven is none",
     BOTH,
     {.first = YES, .address = HOME, .is_unverified = true},
     LOGIN_MEMBER,
     "person jdoe 5 login=" ME "\nlogin " ME " jdoe\nmember " DOMAIN " jdoe 5\n"
     "alias " DOMAIN " jdoe pending no-target\n"
     "event person.login jdoe\nevent alias.pending " DOMAIN " jdoe\n"},
    {"an address in a domain of ours is none",
     BOTH,
     {.first = YES, .address = "jdoe@" OTHER},
     LOGIN_MEMBER,
     "person jdoe 5 login=" ME "\nlogin " ME " jdoe\nmember " DOMAIN " jdoe 5\n"
     "alias " DOMAIN " jdoe pending no-target\n"
     "event person.login jdoe\nevent alias.pending " DOMAIN " jdoe\n"},
    {"nor is one in a domain that the cache still serves",
     BOTH "domain former.example\n",
     {.first = YES, .address = "jdoe@former.example"},
     LOGIN_MEMBER,
     "person jdoe 5 login=" ME "\nlogin " ME " jdoe\nmember " DOMAIN " jdoe 5\n"
     "alias " DOMAIN " jdoe pending no-target\n"
     "event person.login jdoe\nevent alias.pending " DOMAIN " jdoe\n"},
    {"who has a target keeps it",
     BOTH "person jdoe 5 to=l+" HOME "\n",
     {.first = YES, .address = "jd@else.example"},
     LOGIN_MEMBER,
     "person jdoe 5 login=" ME " to=l+" HOME "\nlogin " ME " jdoe\n"
     "member " DOMAIN " jdoe 5 live\nalias " DOMAIN " jdoe active to=" HOME "\n"
     "tell admins active " DOMAIN " jdoe\n"
     "event person.login jdoe\nevent alias.active " DOMAIN " jdoe\n"},
    {"a reserved name is refused by the same rules",
     BOTH,
     {.name = "press", .first = YES},
     LOGIN_MEMBER,
     "person press 5 login=" ME "\nlogin " ME " press\nmember " DOMAIN " press 5\n"
     "alias " DOMAIN " press refused reserved\n"
     "tell admins name-refused " DOMAIN " press reserved\n"
     "event person.login press\nevent alias.refused " DOMAIN " press\n"},
    {"who comes back during grace is live again",
     BOTH "person jdoe 5 to=o+" HOME "\nmember " DOMAIN " jdoe 5 absent live\n"
          "alias " DOMAIN " jdoe leaving to=" HOME "\n",
     {.first = YES},
     LOGIN_MEMBER,
     "person jdoe 5 login=" ME " to=o+" HOME "\nlogin " ME " jdoe\n"
     "member " DOMAIN " jdoe 5 live\nalias " DOMAIN " jdoe active to=" HOME "\n"
     "tell admins active " DOMAIN " jdoe\n"
     "event person.login jdoe\nevent alias.active " DOMAIN " jdoe\n"},
    {"a doubt that the look contradicts is over",
     BOTH "person jdoe 5 login=" ME " to=o+" HOME "\nmember " DOMAIN " jdoe 5 live doubted\n"
          "alias " DOMAIN " jdoe active to=" HOME "\n",
     {.first = YES},
     LOGIN_MEMBER,
     "person jdoe 5 login=" ME " to=o+" HOME "\nlogin " ME " jdoe\n"
     "member " DOMAIN " jdoe 5 live\nalias " DOMAIN " jdoe active to=" HOME "\n"},
    {"a paused person stays so",
     BOTH "person jdoe 5 paused to=o+" HOME "\n",
     {.first = YES},
     LOGIN_MEMBER,
     "person jdoe 5 login=" ME " paused to=o+" HOME "\nlogin " ME " jdoe\n"
     "member " DOMAIN " jdoe 5\nalias " DOMAIN " jdoe paused paused\n"
     "event person.login jdoe\nevent alias.paused " DOMAIN " jdoe\n"},
    /* ---- who gets nothing ---- */
    {"in no team and unknown: nothing is kept",
     BOTH,
     {.first = NO, .second = NO, .address = HOME},
     LOGIN_OF_NO_TEAM,
     ""},
    {"in no team and known: only the pin",
     BOTH "person jdoe 5\n",
     {.first = NO, .second = NO, .address = HOME},
     LOGIN_OF_NO_TEAM,
     "person jdoe 5 login=" ME "\nlogin " ME " jdoe\nevent person.login jdoe\n"},
    {"some team could not be asked",
     BOTH,
     {.first = NO, .second = LOGIN_MEMBERSHIP_UNKNOWN},
     LOGIN_CANNOT_TELL,
     ""},
    {"Launchpad could not be asked",
     BOTH "person jdoe 5 login=" ME " to=o+" HOME "\n" D_LIVE,
     {.answer = SILENT},
     LOGIN_CANNOT_TELL,
     "person jdoe 5 login=" ME " to=o+" HOME "\nlogin " ME " jdoe\n" D_LIVE},
    {"no account on Launchpad",
     BOTH "person jdoe 5 login=" ME " to=o+" HOME "\n" D_LIVE,
     {.answer = NO_ACCOUNT},
     LOGIN_NO_ACCOUNT,
     "person jdoe 5 login=" ME " to=o+" HOME "\nlogin " ME " jdoe\n" D_LIVE},
    {"not valid, in a team",
     BOTH,
     {.is_invalid = true, .first = YES, .address = HOME},
     LOGIN_NOT_VALID,
     "person jdoe 5 login=" ME "\nlogin " ME " jdoe\nmember " DOMAIN " jdoe 5 invalid\n"
     "alias " DOMAIN " jdoe refused not-valid\n"
     "tell person login-refused jdoe not-valid -> " HOME "\n"
     "tell admins refused " DOMAIN " jdoe not-valid\n"
     "event person.login jdoe\nevent alias.refused " DOMAIN " jdoe\n"
     "event person.login-refused jdoe\n"},
    {"not signed, in no team: told, and nothing else is kept",
     BOTH,
     {.is_unsigned = true, .address = HOME},
     LOGIN_COC_NOT_SIGNED,
     "tell person login-refused jdoe coc-not-signed -> " HOME "\n"
     "event person.login-refused jdoe\n"},
    {"refused without an address that mail can go to",
     BOTH,
     {.is_unsigned = true, .address = "jdoe@" DOMAIN},
     LOGIN_COC_NOT_SIGNED,
     "event person.login-refused jdoe\n"},
    {"banned before any listing has brought the account",
     BOTH "person jdoe 0 banned\n",
     {.first = YES, .address = HOME},
     LOGIN_BANNED,
     "person jdoe 0 banned\ntell alerts login-banned jdoe banned\n"
     "event person.login-refused jdoe\n"},
    {"banned: the login is known from now on",
     BOTH "person jdoe 5 banned\n",
     {.first = YES, .address = HOME},
     LOGIN_BANNED,
     "person jdoe 5 login=" ME " banned\nlogin " ME " jdoe\n"
     "tell alerts login-banned jdoe banned\n"
     "event person.login jdoe\nevent person.login-refused jdoe\n"},
    {"a ban needs no word of Launchpad's",
     BOTH "person jdoe 5 login=" ME " banned\n",
     {.answer = SILENT},
     LOGIN_BANNED,
     "person jdoe 5 login=" ME " banned\nlogin " ME " jdoe\n"
     "tell alerts login-banned jdoe banned\nevent person.login-refused jdoe\n"},
    {"a ban goes with the login into another account",
     BOTH "person jdoe 5 login=" ME " banned\n",
     {.name = "fresh", .date = 6, .first = YES},
     LOGIN_BANNED,
     "person jdoe 5 login=" ME " banned\nlogin " ME " jdoe\n"
     "tell alerts login-banned fresh banned\nevent person.login-refused fresh\n"},
    {"and with the account under another name, though no login was known",
     BOTH "person jdoe 5 banned\n",
     {.name = "fresh", .first = YES},
     LOGIN_BANNED,
     "person jdoe 5 banned\ntell alerts login-banned fresh banned\n"
     "event person.login-refused fresh\n"},
    {"a ban of the name's former account is none of this one",
     BOTH "person jdoe 4 banned renamed=other\n",
     {.first = YES},
     LOGIN_MEMBER,
     "person jdoe 5 login=" ME "\nlogin " ME " jdoe\nmember " DOMAIN " jdoe 5\n"
     "alias " DOMAIN " jdoe pending no-target\n"
     "event person.another jdoe\nevent person.login jdoe\nevent alias.pending " DOMAIN " jdoe\n"},
    /* ---- names ---- */
    {"a renamed person takes along what is known",
     BOTH "person old 5 login=" ME " to=p+" HOME "\nmember " DOMAIN " old 5 live extra=nick\n"
          "alias " DOMAIN " old active to=" HOME "\nalias " DOMAIN " nick active owner=old to=" HOME
          "\nmember " OTHER " old 5 live\nalias " OTHER " old active to=" HOME "\n",
     {.first = YES, .second = NO, .address = "new@home.example"},
     LOGIN_MEMBER,
     "person jdoe 5 login=" ME " to=p+" HOME "\n"
     "person old 5 renamed=jdoe to=p+" HOME "\n"
     "login " ME " jdoe\n"
     "member " OTHER " old 5 live\n"
     "member " DOMAIN " jdoe 5 live extra=nick\n"
     "member " DOMAIN " old 5 absent live\n"
     "alias " OTHER " old active to=" HOME "\n"
     "alias " DOMAIN " jdoe active to=" HOME "\n"
     "alias " DOMAIN " nick active owner=jdoe to=" HOME "\n"
     "alias " DOMAIN " old leaving renamed to=" HOME "\n"
     "tell person renamed " DOMAIN " jdoe -> " HOME "\n"
     "tell admins renamed " DOMAIN " jdoe\n"
     "event person.renamed jdoe\n"
     "event alias.active " DOMAIN " jdoe\n"
     "event alias.leaving " DOMAIN " old\n"},
    {"also when in no team now",
     BOTH "person old 5 login=" ME " to=p+" HOME "\n",
     {.first = NO},
     LOGIN_CANNOT_TELL,
     "person jdoe 5 login=" ME " to=p+" HOME "\nperson old 5 renamed=jdoe to=p+" HOME "\n"
     "login " ME " jdoe\nevent person.renamed jdoe\n"},
    {"a merged account takes nothing along, and its login moves",
     BOTH "person old 4 login=" ME " to=p+" HOME "\nperson jdoe 5\n",
     {.first = YES},
     LOGIN_MEMBER,
     "person jdoe 5 login=" ME "\nperson old 4 to=p+" HOME "\nlogin " ME " jdoe\n"
     "member " DOMAIN " jdoe 5\nalias " DOMAIN " jdoe pending no-target\n"
     "event person.login jdoe\nevent alias.pending " DOMAIN " jdoe\n"},
    {"the account under another name without proof waits for the listings",
     BOTH "person old 5 to=o+" HOME "\nmember " DOMAIN " old 5 live\n",
     {.first = YES, .address = HOME},
     LOGIN_WAITS,
     "person old 5 to=o+" HOME "\nmember " DOMAIN " old 5 live\n"},
    {"a name that another account still has here waits for the listings",
     BOTH "person jdoe 4 login=" SHE " to=p+" HOME "\nmember " DOMAIN " jdoe 4 live\n"
          "alias " DOMAIN " jdoe active to=" HOME "\n",
     {.first = YES, .address = "jd@else.example"},
     LOGIN_WAITS,
     "person jdoe 4 login=" SHE " to=p+" HOME "\nlogin " SHE " jdoe\n"
     "member " DOMAIN " jdoe 4 live\nalias " DOMAIN " jdoe active to=" HOME "\n"},
    {"one that has gone on leaves nothing to the next",
     BOTH "person jdoe 4 renamed=other to=p+" HOME "\nmember " DOMAIN " jdoe 4 absent live\n"
          "alias " DOMAIN " jdoe leaving to=" HOME "\n",
     {.first = YES},
     LOGIN_MEMBER,
     "person jdoe 5 login=" ME "\nlogin " ME " jdoe\nmember " DOMAIN " jdoe 5\n"
     "alias " DOMAIN " jdoe pending no-target\n"
     "tell admins another-person " DOMAIN " jdoe\n"
     "event person.another jdoe\nevent person.login jdoe\nevent alias.pending " DOMAIN " jdoe\n"},
    {"another login of the same account gets nothing of the former one's",
     BOTH "person jdoe 5 login=" SHE " paused to=p+" HOME "\n"
          "member " DOMAIN " jdoe 5 live extra=nick\nmember " OTHER " jdoe 5 live\n"
          "alias " DOMAIN " jdoe active to=" HOME "\nalias " DOMAIN
          " nick active owner=jdoe to=" HOME "\nalias " OTHER " jdoe active to=" HOME "\n",
     {.first = YES, .second = NO, .address = "jd@else.example"},
     LOGIN_MEMBER,
     "person jdoe 5 login=" ME " to=p+jd@else.example\nlogin " ME " jdoe\n"
     "member " OTHER " jdoe 5 live\nmember " DOMAIN " jdoe 5 live\n"
     "alias " OTHER " jdoe active to=jd@else.example\n"
     "alias " DOMAIN " jdoe active to=jd@else.example\n"
     "alias " DOMAIN " nick gone another-person owner=jdoe\n"
     "tell admins another-person " OTHER " jdoe\n"
     "tell admins another-person " DOMAIN " jdoe\n"
     "event target.add jdoe\nevent person.another jdoe\nevent person.login jdoe\n"
     "event alias.gone " DOMAIN " nick\n"},
    /* ---- what a single look must not do ---- */
    {"it proves no departure",
     BOTH "person jdoe 5 login=" ME " to=o+" HOME "\n" D_LIVE,
     {.first = NO, .second = NO},
     LOGIN_OF_NO_TEAM,
     "person jdoe 5 login=" ME " to=o+" HOME "\nlogin " ME " jdoe\n" D_LIVE},
    {"nor does it count as one of two",
     BOTH "person jdoe 5 login=" ME " to=o+" HOME "\nmember " DOMAIN " jdoe 5 live doubted\n"
          "alias " DOMAIN " jdoe active to=" HOME "\n",
     {.is_invalid = true, .is_unsigned = true},
     LOGIN_NOT_VALID,
     "person jdoe 5 login=" ME " to=o+" HOME "\nlogin " ME " jdoe\n"
     "member " DOMAIN " jdoe 5 live missing doubted\nalias " DOMAIN " jdoe active to=" HOME "\n"
     "event person.login-refused jdoe\n"},
    {"a flag that is lost does not take a live alias",
     BOTH "person jdoe 5 login=" ME " to=o+" HOME "\n" D_LIVE,
     {.is_invalid = true, .first = YES},
     LOGIN_NOT_VALID,
     "person jdoe 5 login=" ME " to=o+" HOME "\nlogin " ME " jdoe\n" D_LIVE
     "event person.login-refused jdoe\n"},
    {"nor end the doubt about the flag, though being seen ends the one about membership",
     BOTH "person jdoe 5 login=" ME " to=o+" HOME "\nmember " DOMAIN " jdoe 5 live doubted\n"
          "alias " DOMAIN " jdoe active to=" HOME "\n",
     {.is_invalid = true, .first = YES},
     LOGIN_NOT_VALID,
     "person jdoe 5 login=" ME " to=o+" HOME "\nlogin " ME " jdoe\n"
     "member " DOMAIN " jdoe 5 live doubted\nalias " DOMAIN " jdoe active to=" HOME "\n"
     "event person.login-refused jdoe\n"},
    {"a domain that is not proven any more is not filled",
     "domain " OTHER " lost\n",
     {.second = YES},
     LOGIN_MEMBER,
     "person jdoe 5 login=" ME "\nlogin " ME " jdoe\nevent person.login jdoe\n"},
    {"one that never was is not either",
     "domain " OTHER " unproven\n",
     {.second = YES},
     LOGIN_MEMBER,
     "person jdoe 5 login=" ME "\nlogin " ME " jdoe\nevent person.login jdoe\n"},
    {"one that is held by a roll-back is not",
     "domain " DOMAIN " held\n",
     {.first = YES},
     LOGIN_MEMBER,
     "person jdoe 5 login=" ME "\nlogin " ME " jdoe\nevent person.login jdoe\n"},
    {"one that no listing has filled yet is not",
     "domain " DOMAIN " unfilled\n",
     {.first = YES},
     LOGIN_MEMBER,
     "person jdoe 5 login=" ME "\nlogin " ME " jdoe\nevent person.login jdoe\n"},
    {"one of another team by the configuration is not",
     "domain " DOMAIN " team=former\n",
     {.first = YES},
     LOGIN_MEMBER,
     "person jdoe 5 login=" ME "\nlogin " ME " jdoe\nevent person.login jdoe\n"},
    {"a team that was made anew under its name is another one",
     "domain " DOMAIN "\n",
     {.first = YES, .team_date = 8},
     LOGIN_MEMBER,
     "person jdoe 5 login=" ME "\nlogin " ME " jdoe\nevent person.login jdoe\n"},
    {"one that is held in whole by a plan is not",
     "domain " DOMAIN "\nplan " DOMAIN " all\n",
     {.first = YES},
     LOGIN_MEMBER,
     "person jdoe 5 login=" ME "\nlogin " ME " jdoe\nevent person.login jdoe\n"},
    {"what an operator said no to does not come in by a login",
     "domain " DOMAIN "\nplan " DOMAIN " discarded jdoe\n",
     {.first = YES},
     LOGIN_MEMBER,
     "person jdoe 5 login=" ME "\nlogin " ME " jdoe\nevent person.login jdoe\n"},
    {"and that is of that name only",
     "domain " DOMAIN "\nplan " DOMAIN " discarded another\n",
     {.first = YES, .team_date = 7},
     LOGIN_MEMBER,
     "person jdoe 5 login=" ME "\nlogin " ME " jdoe\nmember " DOMAIN " jdoe 5\n"
     "alias " DOMAIN " jdoe pending no-target\n"
     "event person.login jdoe\nevent alias.pending " DOMAIN " jdoe\n"},
    {"an address that is another's stays so",
     "domain " DOMAIN "\nstatic " DOMAIN " jdoe\n",
     {.first = YES, .address = HOME},
     LOGIN_MEMBER,
     "person jdoe 5 login=" ME " to=p+" HOME "\nlogin " ME " jdoe\nmember " DOMAIN " jdoe 5\n"
     "event target.add jdoe\nevent person.login jdoe\n"},
};

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        void *cache;
        house_cache_set_up(&cache);
        uint64_t generation = enrol_set(cache, cases[i].before);
        struct login_request request = log_in(cache, &cases[i].look, generation, NOW_S);
        if (request.outcome != cases[i].outcome)
            fail_msg("%s: %s", cases[i].label, login_outcome_word(request.outcome));
        enrol_expect(cache, cases[i].label, cases[i].after);
        house_cache_tear_down(&cache);
    }
}

/* The second login in a row changes nothing, whatever the first did. */
static void test_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        void *cache;
        house_cache_set_up(&cache);
        enrol_set(cache, cases[i].before);
        log_in(cache, &cases[i].look, UINT64_MAX, NOW_S);
        struct buffer first = enrol_read(cache);
        struct login_request request = log_in(cache, &cases[i].look, UINT64_MAX, NOW_S + 1);
        assert_int_equal(request.outcome, cases[i].outcome);
        enrol_expect(cache, cases[i].label, buffer_text(&first));
        buffer_finish(&first);
        house_cache_tear_down(&cache);
    }
}

/* The memory of 30 days, and that it is one of the reason. */
static void test_told_once(void **state)
{
    struct house_cache *cache = *state;
    const struct look banned = {.name = "bad"};
    const struct look invalid = {.is_invalid = true, .address = HOME};
    const struct look not_signed = {.is_unsigned = true, .address = HOME};
    const int64_t later_s = NOW_S + 30 * 86400;
    enrol_set(cache, BOTH "person bad 5 login=" SHE " banned\n");
    const struct look *const looks[] = {&banned, &invalid, &not_signed};
    for (size_t i = 0; i < ARRAY_LENGTH(looks); i++) {
        struct look look = *looks[i];
        look.identifier = look.name != NULL ? SHE : ME;
        look.date = look.name != NULL ? 5 : 6;
        log_in(cache, &look, UINT64_MAX, NOW_S);
        log_in(cache, &look, UINT64_MAX, later_s - 1);
        log_in(cache, &look, UINT64_MAX, later_s);
    }
    enrol_expect(cache, "told once",
                 "person bad 5 login=" SHE " banned\nlogin " SHE " bad\n"
                 "tell alerts login-banned bad banned\ntell alerts login-banned bad banned\n"
                 "tell person login-refused jdoe not-valid -> " HOME "\n"
                 "tell person login-refused jdoe not-valid -> " HOME "\n"
                 "tell person login-refused jdoe coc-not-signed -> " HOME "\n"
                 "tell person login-refused jdoe coc-not-signed -> " HOME "\n"
                 "event person.login-refused bad\nevent person.login-refused bad\n"
                 "event person.login-refused jdoe\nevent person.login-refused jdoe\n"
                 "event person.login-refused jdoe\nevent person.login-refused jdoe\n");
}

/* Rows that were changed since Launchpad was asked are left alone. */
static void test_newer_rows(void **state)
{
    struct house_cache *cache = *state;
    const struct look look = {.first = YES};
    const char *after = "person jdoe 5 login=" ME " to=o+" HOME "\nlogin " ME " jdoe\n"
                        "member " DOMAIN " jdoe 5 absent live\n"
                        "alias " DOMAIN " jdoe leaving not-member to=" HOME "\n";
    uint64_t asked = enrol_set(cache, BOTH "person jdoe 5 login=" ME " to=o+" HOME "\n");
    enrol_set(cache, "member " DOMAIN " jdoe 5 absent live\n"
                     "alias " DOMAIN " jdoe leaving to=" HOME "\n");
    assert_int_equal(log_in(cache, &look, asked, NOW_S).outcome, LOGIN_MEMBER);
    enrol_expect(cache, "left alone", after);
}

/* A rename that the rows were changed under since waits, as it does in a refresh. */
static void test_newer_person(void **state)
{
    struct house_cache *cache = *state;
    const struct look look = {.first = YES};
    uint64_t asked = enrol_set(cache, BOTH);
    enrol_set(cache, "person old 5 login=" ME " to=o+" HOME "\n");
    assert_int_equal(log_in(cache, &look, asked, NOW_S).outcome, LOGIN_WAITS);
    enrol_expect(cache, "waits", "person old 5 login=" ME " to=o+" HOME "\nlogin " ME " old\n");
}

static struct refresh_domain refresh(struct house_cache *cache, struct listing *listing,
                                     uint64_t fetch_generation, int64_t now_s)
{
    const struct action action = enrol_action(cache, now_s);
    struct refresh_domain domain = {.domain = DOMAIN, .team = "ubuntumembers", .listing = listing};
    struct refresh_request request = {&domain, 1, fetch_generation};
    struct store_update_result result;
    struct error error;
    listing->fetch_began_s = now_s;
    listing->team_date_created_us = 7;
    if (!action_refresh(&action, &request, false, &result, &error))
        fail_msg("%s", error.text);
    return domain;
}

/* A refresh whose fetch began before the login knows less; two later listings know more. */
static void test_refresh_around(void **state)
{
    struct house_cache *cache = *state;
    struct listing_person others[] = {{.name = "ann", .date_created_us = 9, .is_valid = true}};
    struct listing without = {.people = others, .person_count = 1, .total_size = 1};
    const struct look look = {.first = YES, .address = HOME};
    uint64_t before = enrol_set(cache, BOTH "member " DOMAIN " ann 9\nperson ann 9\n");
    log_in(cache, &look, before, NOW_S);
    assert_int_equal(refresh(cache, &without, before, NOW_S + 1).left_alone, 1);
    assert_int_equal(state_of(cache, DOMAIN, "jdoe"), ALIAS_ACTIVE);
    refresh(cache, &without, UINT64_MAX, NOW_S + 100);
    log_in(cache, &(struct look){.first = NO, .is_invalid = true}, UINT64_MAX, NOW_S + 101);
    assert_int_equal(state_of(cache, DOMAIN, "jdoe"), ALIAS_ACTIVE);
    refresh(cache, &without, UINT64_MAX, NOW_S + 200);
    assert_int_equal(state_of(cache, DOMAIN, "jdoe"), ALIAS_LEAVING);
}

/* The late rename of a domain that the login did not reach is the next refresh's. */
static void test_refresh_after_rename(void **state)
{
    struct house_cache *cache = *state;
    struct listing_person people[] = {
        {.name = "jdoe", .date_created_us = 5, .is_valid = true, .is_ubuntu_coc_signer = true}};
    struct listing with = {.people = people, .person_count = 1, .total_size = 1};
    const struct look look = {.first = LOGIN_MEMBERSHIP_UNKNOWN};
    enrol_set(cache, BOTH "person old 5 login=" ME " to=p+" HOME "\nmember " DOMAIN
                          " old 5 live\nalias " DOMAIN " old active to=" HOME "\n");
    log_in(cache, &look, UINT64_MAX, NOW_S);
    assert_int_equal(state_of(cache, DOMAIN, "jdoe"), 0);
    assert_int_equal(state_of(cache, DOMAIN, "old"), ALIAS_ACTIVE);
    assert_int_equal(refresh(cache, &with, UINT64_MAX, NOW_S + 1).renamed, 1);
    assert_int_equal(state_of(cache, DOMAIN, "jdoe"), ALIAS_ACTIVE);
    assert_int_equal(state_of(cache, DOMAIN, "old"), ALIAS_LEAVING);
}

static void test_no_login(void **state)
{
    struct house_cache *cache = *state;
    const struct action action = enrol_action(cache, NOW_S);
    char overlong[LOGIN_IDENTIFIER_MAX_BYTES + 2];
    memset(overlong, 'x', sizeof(overlong) - 1);
    overlong[sizeof(overlong) - 1] = '\0';
    const struct login_request requests[] = {
        {.identifier = "", .answer = LOGIN_ANSWER_NONE},
        {.identifier = overlong, .answer = LOGIN_ANSWER_NONE},
        {.identifier = ME, .answer = LOGIN_ANSWER_ACCOUNT, .name = "", .date_created_us = 5},
        {.identifier = ME, .answer = LOGIN_ANSWER_ACCOUNT, .name = overlong, .date_created_us = 5},
        {.identifier = ME, .answer = LOGIN_ANSWER_ACCOUNT, .name = "jdoe"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(requests); i++) {
        struct login_request request = requests[i];
        struct store_update_result result;
        struct error error;
        assert_false(action_login(&action, &request, &result, &error));
        assert_int_equal(error.kind, ERROR_INVALID);
    }
    enrol_expect(cache, "nothing", "");
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, house_cache_set_up, house_cache_tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),    cmocka_unit_test(test_again), CASE(test_told_once),
        CASE(test_newer_rows),           CASE(test_newer_person),      CASE(test_refresh_around),
        CASE(test_refresh_after_rename), CASE(test_no_login),
    };
    return cmocka_run_group_tests_name("action/login", tests, NULL, NULL);
}
