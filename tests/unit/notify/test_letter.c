/* What people read: each kind has a text of its own, and each reason a sentence. */
#include <stdlib.h>
#include <string.h>

#include "../unit.h"
#include "membership/alarm.h"
#include "membership/notice.h"
#include "notify/letter.h"
#include "notify/reason.h"
#include "store/record.h"

static const char *const notices[] = {"admins@operators.example", "more@operators.example"};
static const struct notify_domain domains[] = {
    {.name = "ubuntu.com",
     .team = "ubuntumembers",
     .notices = notices,
     .notice_count = 2,
     .grace_s = 30 * 86400},
    {.name = "lubuntu.me", .team = "lubuntu-members", .rejects_in_grace = true},
};
static const struct notify_settings settings = {
    .domains = domains, .domain_count = 2, .alerts = "alerts@operators.example"};

static void ignore(void *context, const char *text)
{
    (void)context, (void)text;
}

static struct letter write_letter(enum notice_audience audience, const char *kind,
                                  const char *domain, const char *reason, const char *detail)
{
    const struct outbox_record fact = {
        .at_s = 1795614061,
        .audience = audience,
        .kind = span_of(kind),
        .domain = span_of(domain),
        .subject = span_of(audience == AUDIENCE_ALERTS ? "" : "jdoe"),
        .reason = span_of(reason),
        .detail = span_of(detail),
    };
    struct template_set *set = template_set_create(NULL, ignore, NULL);
    struct letter letter = {0};
    letter_write(set, &settings, &fact, "https://portal.example/confirm#s", &letter);
    template_set_destroy(set);
    return letter;
}

static void test_a_whole_letter(void **state)
{
    (void)state;
    struct letter letter =
        write_letter(AUDIENCE_PERSON, "leaving", "ubuntu.com", "coc-not-signed", "");
    assert_string_equal(buffer_text(&letter.subject),
                        "Your mail alias jdoe@ubuntu.com ends on 2026-12-25");
    assert_string_equal(buffer_text(&letter.body),
                        "Hello jdoe,\n"
                        "\n"
                        "your mail alias jdoe@ubuntu.com ends, since the Launchpad account jdoe\n"
                        "has not signed the Ubuntu Code of Conduct.\n"
                        "\n"
                        "Mail to it is still delivered until 2026-12-25. You cannot send mail as\n"
                        "jdoe@ubuntu.com meanwhile.\n"
                        "\n"
                        "Please read and sign it at https://launchpad.net/codeofconduct\n"
                        "\n"
                        "If you are back by 2026-12-25, nothing is lost. If you think that this\n"
                        "is wrong, please ask: admins@operators.example, more@operators.example\n");
    letter_finish(&letter);
}

static void test_parts(void **state)
{
    (void)state;
    static const struct {
        enum notice_audience audience;
        const char *kind, *domain, *reason, *detail, *subject, *body;
    } cases[] = {
        {AUDIENCE_PERSON, "leaving", "lubuntu.me", "not-member", "",
         "Your mail alias jdoe@lubuntu.me ends on 2026-11-25", "is refused from now on"},
        {AUDIENCE_PERSON, "name-refused", "ubuntu.com", "reserved", "",
         "No mail alias for jdoe at ubuntu.com", "the name jdoe is reserved there"},
        {AUDIENCE_ADMINS, "digest", "ubuntu.com", "", "2 leaving, 7 active",
         "ubuntu.com: many aliases have changed", "\n  2 leaving, 7 active\n"},
        {AUDIENCE_ALERTS, "alarm", "ubuntu.com", "source", "no answer",
         "lpalias: ubuntu.com could not be refreshed", "\n  no answer\n"},
        {AUDIENCE_ALERTS, "all-clear", "", "overdue", "it began", "lpalias: over: notices could",
         "\n  it began\n"},
        {AUDIENCE_PERSON, "login-refused", "", "coc-not-signed", "", "You have no mail alias yet",
         "https://launchpad.net/codeofconduct\n"},
        {AUDIENCE_PERSON, "proof-link", "", "", "", "Please confirm this address for jdoe",
         "\nhttps://portal.example/confirm#s\n"},
        {AUDIENCE_ALERTS, "login-banned", "", "banned", "https://login.example/+id/me",
         "has tried to log in", "https://login.example/+id/me\n"},
        {AUDIENCE_ADMINS, "of-tomorrow", "ubuntu.com", "odd", "x", "lpalias: of-tomorrow jdoe@",
         "what     of-tomorrow odd"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct letter letter = write_letter(cases[i].audience, cases[i].kind, cases[i].domain,
                                            cases[i].reason, cases[i].detail);
        if (strstr(buffer_text(&letter.subject), cases[i].subject) == NULL ||
            strstr(buffer_text(&letter.body), cases[i].body) == NULL)
            fail_msg("%s: \"%s\"\n%s", cases[i].kind, buffer_text(&letter.subject),
                     buffer_text(&letter.body));
        letter_finish(&letter);
    }
}

/* No kind of membership/notice.h may end in the text for all else. */
static void test_every_kind_has_its_text(void **state)
{
    (void)state;
    for (int kind = 0; kind < NOTICE_KIND_COUNT; kind++) {
        for (enum notice_audience audience = AUDIENCE_PERSON; audience <= AUDIENCE_ALERTS;
             audience++) {
            const char *word = notice_kind_word((enum notice_kind)kind);
            struct letter letter = write_letter(audience, word, "ubuntu.com", "", "");
            if (notice_kind_is_for((enum notice_kind)kind, audience) &&
                strstr(buffer_text(&letter.body), "there is no text here") != NULL)
                fail_msg("%s has no text for audience %d", word, audience);
            letter_finish(&letter);
        }
    }
}

static void test_every_reason_has_its_sentence(void **state)
{
    (void)state;
    static const char *const alarms[] = {ALARM_SOURCE, ALARM_STALE,   ALARM_HELD,
                                         ALARM_PROOF,  ALARM_CLOSED,  ALARM_FOREIGN,
                                         ALARM_LOOP,   ALARM_OVERDUE, ALARM_CACHE_FULL};
    for (size_t i = 0; i < sizeof(alarms) / sizeof(alarms[0]); i++) {
        assert_string_equal(reason_find(span_of(alarms[i]))->word, alarms[i]);
        assert_string_not_equal(reason_find(span_of(alarms[i]))->topic, "");
    }
    for (int reason = REASON_NOT_MEMBER; reason <= REASON_ANOTHER_PERSON; reason++) {
        const char *word = alias_reason_name((enum alias_reason)reason);
        if (reason != REASON_PAUSED && strcmp(reason_find(span_of(word))->word, word) != 0)
            fail_msg("%s has no sentence", word);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_whole_letter),
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_every_kind_has_its_text),
        cmocka_unit_test(test_every_reason_has_its_sentence),
    };
    return cmocka_run_group_tests_name("notify/letter", tests, NULL, NULL);
}
