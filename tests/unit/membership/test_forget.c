/* What is left of a person in undo, notices, logins and events, beside a neighbour who stays. */
#include "cache_world.h"
#include "membership/forget.h"

static const struct house house = {.recipient_delimiter = "+"};

static void put_undo(struct changeset *changeset, uint64_t number, uint8_t table, struct span key,
                     const char *owner)
{
    struct buffer value = {0};
    const struct alias_record alias = {.kind = ALIAS_EXTRA,
                                       .state = ALIAS_ACTIVE,
                                       .extension = EXTENSION_APPEND,
                                       .owner = span_of(owner),
                                       .sealed_targets = span_of("sealed")};
    const struct person_record person = {.sealed_targets = span_of("sealed")};
    const struct membership_record membership = {.extension = EXTENSION_APPEND};
    if (table == UNDO_ALIAS)
        alias_record_encode(&value, &alias);
    else if (table == UNDO_PERSON)
        person_record_encode(&value, &person);
    else
        membership_record_encode(&value, &membership);
    const struct undo_record undo = {
        .table = table, .key = key, .value = {value.data, value.length}};
    changeset_put_undo(changeset, 7, number, &undo);
    buffer_finish(&value);
}

static void put_notice(struct changeset *changeset, enum notice_audience audience,
                       const char *subject)
{
    const struct outbox_record notice = {
        .audience = audience,
        .kind = span_of("leaving"),
        .domain = span_of("ubuntu.com"),
        .subject = span_of(subject),
        .sealed_recipients = span_of(audience == AUDIENCE_PERSON ? "sealed" : ""),
    };
    changeset_notice(changeset, &notice);
}

static void put_event(struct changeset *changeset, const char *act, const char *domain,
                      const char *subject, const char *detail)
{
    const struct event_record event = {
        .actor = span_of("operator:test"),
        .act = span_of(act),
        .domain = span_of(domain),
        .subject = span_of(subject),
        .detail = span_of(detail),
    };
    changeset_event(changeset, &event);
}

#define PAIR(second) ((struct span){"ubuntu.com\0" second, sizeof("ubuntu.com\0" second) - 1})

static bool plan_all(const struct planning *planning, void *context, struct error *error)
{
    struct changeset *changeset = planning->changeset;
    const struct sent_record sent = {.first_s = 1, .last_s = 1};
    (void)context, (void)error;
    const struct alias_record extra = {.kind = ALIAS_EXTRA,
                                       .state = ALIAS_PENDING,
                                       .extension = EXTENSION_APPEND,
                                       .owner = span_of("jdoe")};
    changeset_put_alias(changeset, "ubuntu.com", "j", &extra);
    put_undo(changeset, 1, UNDO_PERSON, span_of("jdoe"), "");
    put_undo(changeset, 2, UNDO_PERSON, span_of("jdoe2"), "");
    put_undo(changeset, 3, UNDO_ALIAS, PAIR("jdoe"), "jdoe");
    put_undo(changeset, 4, UNDO_ALIAS, PAIR("j"), "jdoe");
    put_undo(changeset, 5, UNDO_ALIAS, PAIR("older"), "jdoe");
    put_undo(changeset, 6, UNDO_ALIAS, PAIR("kim"), "kim");
    put_undo(changeset, 7, UNDO_MEMBERSHIP, PAIR("jdoe"), "");
    put_undo(changeset, 8, UNDO_MEMBERSHIP, PAIR("kim"), "");
    put_notice(changeset, AUDIENCE_PERSON, "jdoe");
    put_notice(changeset, AUDIENCE_ADMINS, "jdoe");
    put_notice(changeset, AUDIENCE_PERSON, "kim");
    put_event(changeset, "person.ban", "", "jdoe", "sold it");
    put_event(changeset, "alias.leaving", "ubuntu.com", "jdoe", "not-member");
    put_event(changeset, "alias.add", "ubuntu.com", "j", "for jdoe");
    put_event(changeset, "alias.add", "kubuntu.org", "j", "for kim");
    put_event(changeset, "person.renamed", "", "other", "was jdoe");
    put_event(changeset, "person.ban", "", "jdoe2", "like jdoe2");
    for (size_t i = 0; i < 2; i++) {
        const struct login_record login = {.name = span_of(i == 0 ? "jdoe" : "kim")};
        changeset_put_login(changeset, i == 0 ? "https://login/1" : "https://login/2", &login);
        changeset_put_sent(changeset, "ubuntu.com", i == 0 ? "jdoe" : "kim", "leaving:", &sent);
    }
    return true;
}

static bool plan_forgetting(const struct planning *planning, void *context, struct error *error)
{
    const char *const names[] = {"jdoe", "somebody"};
    return forget_traces(planning, names, ARRAY_LENGTH(names), *(enum forget_what *)context, error);
}

/* ---- the cache as text, one row a line ---- */

static bool show_undo(void *context, uint64_t generation, uint64_t number,
                      const struct undo_record *record)
{
    (void)record;
    buffer_appendf(context, "undo %d.%d\n", (int)generation, (int)number);
    return true;
}

static bool show_notice(void *context, uint64_t sequence, const struct outbox_record *record)
{
    (void)sequence;
    buffer_appendf(context, "notice %d %.*s\n", (int)record->audience, (int)record->subject.length,
                   record->subject.data);
    return true;
}

static bool show_login(void *context, const char *identifier, const struct login_record *record)
{
    (void)record;
    buffer_appendf(context, "login %s\n", identifier);
    return true;
}

static bool show_sent(void *context, const char *domain, const char *name, const char *word,
                      const struct sent_record *record)
{
    (void)record, (void)word;
    buffer_appendf(context, "sent %s %s\n", domain, name);
    return true;
}

static bool show_event(void *context, uint64_t sequence, const struct event_record *record)
{
    (void)sequence;
    buffer_appendf(context, "event %.*s %.*s: %.*s\n", (int)record->act.length, record->act.data,
                   (int)record->subject.length, record->subject.data, (int)record->detail.length,
                   record->detail.data);
    return true;
}

static void check_after(enum forget_what what, const char *wanted)
{
    struct cache_world world = {0};
    struct snapshot *snapshot;
    struct error error = {0};
    struct buffer text = {0};
    cache_world_make(&world, &house);
    cache_world_change(&world, plan_all, NULL);
    cache_world_change(&world, plan_forgetting, &what);
    assert_true(snapshot_begin(world.store, &snapshot, &error));
    if (!snapshot_each_undo(snapshot, 0, show_undo, &text, &error) ||
        !snapshot_each_notice(snapshot, show_notice, &text, &error) ||
        !snapshot_each_login(snapshot, show_login, &text, &error) ||
        !snapshot_each_sent(snapshot, NULL, show_sent, &text, &error) ||
        !snapshot_each_event(snapshot, show_event, &text, &error))
        fail_msg("%s", error.text);
    snapshot_end(snapshot);
    assert_string_equal(buffer_text(&text), wanted);
    buffer_finish(&text);
    assert_int_equal(cache_world_remove(&world), 0);
}

static void an_erased_person_is_named_nowhere(void **state)
{
    (void)state;
    check_after(FORGET_PERSON, "undo 7.2\n"
                               "undo 7.6\n"
                               "undo 7.8\n"
                               "notice 1 kim\n"
                               "login https://login/2\n"
                               "sent ubuntu.com kim\n"
                               "event person.ban (erased): \n"
                               "event alias.leaving (erased): \n"
                               "event alias.add (erased): \n"
                               "event alias.add j: for kim\n"
                               "event person.renamed other: \n"
                               "event person.ban jdoe2: like jdoe2\n");
}

static void who_is_gone_leaves_no_target_and_stays_in_the_audit_log(void **state)
{
    (void)state;
    check_after(FORGET_TARGETS, "undo 7.2\n"
                                "undo 7.6\n"
                                "undo 7.8\n"
                                "notice 2 jdoe\n"
                                "notice 1 kim\n"
                                "login https://login/1\n"
                                "login https://login/2\n"
                                "sent ubuntu.com jdoe\n"
                                "sent ubuntu.com kim\n"
                                "event person.ban jdoe: \n"
                                "event alias.leaving jdoe: not-member\n"
                                "event alias.add j: for jdoe\n"
                                "event alias.add j: for kim\n"
                                "event person.renamed other: was jdoe\n"
                                "event person.ban jdoe2: like jdoe2\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_erased_person_is_named_nowhere),
        cmocka_unit_test(who_is_gone_leaves_no_target_and_stays_in_the_audit_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
