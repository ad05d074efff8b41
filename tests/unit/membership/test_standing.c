/* What a member is told of each address: state, why, what to do; for people who are not known, too.
 */
#include "../action/enrol_world.h"
#include "membership/identity.h"
#include "membership/own_event.h"
#include "membership/standing.h"

#define ME   "https://login.example/+id/me"
#define HOME "jdoe@home.example"
#define SEEN LOGIN_MEMBERSHIP_YES

/* "ubuntu.com jdoe active live since 1 -> step" a line, then the person. */
static struct buffer read_standing(struct house_cache *cache,
                                   const struct login_sighting *sightings, size_t count)
{
    struct snapshot *snapshot = house_cache_look(cache);
    struct buffer text = {0}, name = {0};
    struct person_record person;
    struct standing standing;
    struct error error;
    enum store_result result = identity_of_login(snapshot, ME, &name, &person, &error);
    assert_int_not_equal(result, STORE_TROUBLE);
    if (!standing_read(&enrol_house, cache->ring, snapshot,
                       result == STORE_FOUND ? buffer_text(&name) : NULL, "jdoe", sightings, count,
                       &standing, &error))
        fail_msg("%s", error.text);
    for (size_t i = 0; i < standing.count; i++) {
        const struct standing_address *address = &standing.addresses[i];
        buffer_appendf(&text, "%s %s%s %s", address->domain, address->local,
                       address->is_former  ? " former"
                       : address->is_extra ? " extra"
                                           : "",
                       address->state != 0 ? alias_state_name(address->state) : "none");
        if (*address->reason != '\0')
            buffer_appendf(&text, " %s", address->reason);
        if (address->step != STANDING_NOTHING)
            buffer_appendf(&text, " -> %s", standing_step_word(address->step));
        if (address->is_live)
            buffer_appendf(&text, ", live since %d", (int)address->live_since_s);
        if (address->grace_end_s != 0)
            buffer_appendf(&text, ", until %d", (int)address->grace_end_s);
        if (address->barrier != BARRIER_NONE)
            buffer_appendf(&text, ", %s", barrier_word(address->barrier));
        if (!address->is_domain_open)
            buffer_append_text(&text, ", closed");
        buffer_append_char(&text, '\n');
    }
    if (standing.is_known)
        buffer_appendf(&text, "sends as %s%s%s\n", standing.login_name,
                       standing.is_banned ? ", banned" : "", standing.is_paused ? ", paused" : "");
    for (size_t i = 0; i < standing.targets.count; i++)
        buffer_appendf(&text, "to %s\n", standing.targets.entries[i].address);
    standing_finish(&standing);
    snapshot_end(snapshot);
    buffer_finish(&name);
    return text;
}

#define JDOE  "person jdoe 5 login=" ME " to=p+" HOME "\n"
#define BOTH  "domain " DOMAIN "\ndomain " OTHER "\n"
#define SENDS "sends as jdoe\nto " HOME "\n"

static const struct {
    const char *label, *rows;
    enum login_membership first, second; /* both 0: not asked */
    const char *wanted;
} cases[] = {
    {"nobody known, no word of Launchpad", BOTH, 0, 0,
     DOMAIN " jdoe none never-member -> join-team\n" OTHER
            " jdoe none never-member -> join-team\n"},
    {"an empty cache is as good", "", LOGIN_MEMBERSHIP_NO, SEEN,
     DOMAIN " jdoe none never-member -> join-team, domain-not-filled, closed\n" OTHER
            " jdoe none domain-frozen -> wait, domain-frozen, closed\n"},
    {"in a team whose domain waits", "domain " DOMAIN " held\ndomain " OTHER " unfilled\n", SEEN,
     SEEN,
     DOMAIN " jdoe none domain-held -> wait, domain-held\n" OTHER
            " jdoe none domain-not-filled -> wait, domain-not-filled\n"},
    {"another account's name shows nothing of it",
     BOTH "person jdoe 4 to=p+other@home.example\nmember " DOMAIN " jdoe 4 live\nalias " DOMAIN
          " jdoe active to=other@home.example\n",
     SEEN, LOGIN_MEMBERSHIP_NO,
     DOMAIN " jdoe none waits -> wait\n" OTHER " jdoe none never-member -> join-team\n"},
    {"a team that could not be asked", BOTH, LOGIN_MEMBERSHIP_UNKNOWN, LOGIN_MEMBERSHIP_NO,
     DOMAIN " jdoe none unknown -> wait\n" OTHER " jdoe none never-member -> join-team\n"},
    {"live, with a further one",
     BOTH JDOE "member " DOMAIN " jdoe 5 live extra=nick\nalias " DOMAIN " jdoe active to=" HOME
               "\nalias " DOMAIN " nick active owner=jdoe to=" HOME "\n",
     0, 0,
     DOMAIN " jdoe active, live since 1\n" DOMAIN " nick extra active, live since 1\n" OTHER
            " jdoe none never-member -> join-team\n" SENDS},
    {"live in a frozen domain, and in one that is not configured any more",
     "domain " OTHER " lost\ndomain former.example\n" JDOE "member " OTHER
     " jdoe 5 live\nalias " OTHER " jdoe active to=" HOME
     "\nmember former.example jdoe 5 live\nalias former.example jdoe active to=" HOME "\n",
     0, 0,
     DOMAIN " jdoe none never-member -> join-team, domain-not-filled, closed\n" OTHER
            " jdoe active, live since 1, domain-frozen\n"
            "former.example jdoe active, live since 1, domain-not-configured\n" SENDS},
    {"leaving",
     BOTH JDOE "member " DOMAIN " jdoe 5 absent live\nalias " DOMAIN " jdoe leaving to=" HOME "\n",
     0, 0,
     DOMAIN " jdoe leaving not-member -> join-team, live since 1, until 2592002\n" OTHER
            " jdoe none never-member -> join-team\n" SENDS},
    {"an address that is somebody else's",
     BOTH JDOE "member " DOMAIN " jdoe 5\nstatic " DOMAIN " jdoe\n", 0, 0,
     DOMAIN " jdoe none taken -> ask-admins\n" OTHER
            " jdoe none never-member -> join-team\n" SENDS},
    {"the names of before, along their chain, as long as they live",
     BOTH JDOE "person old 5 renamed=jdoe\nperson oldest 5 renamed=old\n"
               "member " DOMAIN " jdoe 5 live extra=nick\n"
               "member " DOMAIN " old 5 absent live\nmember " DOMAIN " oldest 5 absent live\n"
               "member " OTHER " old 5 live extra=also\nmember " OTHER " oldest 5 absent live\n"
               "alias " DOMAIN " jdoe active to=" HOME "\n"
               "alias " DOMAIN " nick active owner=jdoe to=" HOME "\n"
               "alias " DOMAIN " old leaving renamed to=" HOME "\n"
               "alias " DOMAIN " oldest leaving renamed to=" HOME "\n"
               "alias " OTHER " old active to=" HOME "\nalias " OTHER " oldest gone\n"
               "alias " OTHER " also active owner=old to=" HOME "\n",
     0, 0,
     DOMAIN " jdoe active, live since 1\n" DOMAIN " nick extra active, live since 1\n" DOMAIN
            " old former leaving renamed, live since 1, until 2592002\n" DOMAIN
            " oldest former leaving renamed, live since 1, until 2592002\n" OTHER
            " jdoe none never-member -> join-team\n" OTHER
            " old former active, live since 1\n" OTHER " also former active, live since 1\n" SENDS},
    {"names whose chain leads elsewhere, of another account, of another login, or used again",
     BOTH JDOE
     "person else 5 renamed=ann\nperson other 4 renamed=jdoe\n"
     "person logged 5 login=x renamed=jdoe\nperson plain 5\nperson reused 5 renamed=jdoe\n"
     "person owned 5 renamed=jdoe\nperson circle 5 renamed=round\n"
     "person round 5 renamed=circle\n"
     "member " DOMAIN " else 5 absent live\nalias " DOMAIN " else leaving renamed\n"
     "member " DOMAIN " other 4 absent live\nalias " DOMAIN " other leaving renamed\n"
     "member " DOMAIN " logged 5 absent live\nalias " DOMAIN " logged leaving renamed\n"
     "member " DOMAIN " plain 5 absent live\nalias " DOMAIN " plain leaving renamed\n"
     "member " DOMAIN " reused 6 live\nalias " DOMAIN " reused active to=" HOME "\n"
     "member " DOMAIN " owned 5 absent live\nalias " DOMAIN " owned active owner=ann\n"
     "member " DOMAIN " circle 5 absent live\nalias " DOMAIN " circle leaving renamed\n",
     0, 0,
     DOMAIN " jdoe none never-member -> join-team\n" OTHER
            " jdoe none never-member -> join-team\n" SENDS},
    {"a circle of names that she has gone round",
     BOTH JDOE "person old 5 renamed=jdoe\nperson oldest 5 renamed=old\n"
               "person jdoe 5 login=" ME " renamed=oldest to=p+" HOME "\n"
               "member " DOMAIN " old 5 absent live\nalias " DOMAIN " old leaving renamed\n",
     0, 0,
     DOMAIN " jdoe none never-member -> join-team\n" DOMAIN
            " old former leaving renamed, live since 1, until 2592002\n" OTHER
            " jdoe none never-member -> join-team\n" SENDS},
    {"a row of the account that had the name before",
     BOTH JDOE "member " DOMAIN " jdoe 4 live\nalias " DOMAIN " jdoe active to=x@y.example\n", 0, 0,
     DOMAIN " jdoe none never-member -> join-team\n" OTHER
            " jdoe none never-member -> join-team\n" SENDS},
};

static void test_standing(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        void *cache;
        const struct login_sighting sightings[] = {{DOMAIN, cases[i].first, 0},
                                                   {OTHER, cases[i].second, 0}};
        house_cache_set_up(&cache);
        enrol_set(cache, cases[i].rows);
        struct buffer text =
            read_standing(cache, sightings, cases[i].first == 0 && cases[i].second == 0 ? 0 : 2);
        if (strcmp(buffer_text(&text), cases[i].wanted) != 0)
            fail_msg("%s:\n%swanted:\n%s", cases[i].label, buffer_text(&text), cases[i].wanted);
        buffer_finish(&text);
        house_cache_tear_down(&cache);
    }
}

/* What rows of each reason lead to; every reason leads somewhere or to nothing on purpose. */
static void test_steps(void **state)
{
    static const struct {
        const char *row, *wanted;
    } rows[] = {
        {"pending", "pending"},
        {"refused", "refused"},
        {"paused", "paused"},
        {"gone", "gone"},
    };
    struct house_cache *cache = *state;
    enrol_set(cache, BOTH JDOE "member " DOMAIN " jdoe 5\n");
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        char line[64], wanted[64];
        snprintf(line, sizeof(line), "alias " DOMAIN " jdoe %s\n", rows[i].row);
        snprintf(wanted, sizeof(wanted), DOMAIN " jdoe %s\n", rows[i].wanted);
        enrol_set(cache, line);
        struct buffer text = read_standing(cache, NULL, 0);
        assert_memory_equal(buffer_text(&text), wanted, strlen(wanted));
        buffer_finish(&text);
    }
}

/* ---- history ---- */

static void put_event(struct changeset *changeset, const char *actor, const char *act,
                      const char *domain, const char *subject)
{
    const struct event_record event = {.at_s = 1,
                                       .actor = span_of(actor),
                                       .act = span_of(act),
                                       .domain = span_of(domain),
                                       .subject = span_of(subject),
                                       .detail = span_of("why")};
    changeset_event(changeset, &event);
}

static void put_events(struct house_cache *cache, struct snapshot *snapshot,
                       struct changeset *changeset)
{
    (void)cache, (void)snapshot;
    put_event(changeset, "operator:root", "target.set", "", "jdoe"); /* of the account before */
    put_event(changeset, "refresh", "person.another", "", "jdoe");
    put_event(changeset, "refresh", "alias.active", DOMAIN, "oldest");
    put_event(changeset, "refresh", "alias.active", DOMAIN, "old");
    put_event(changeset, "refresh", "alias.active", DOMAIN, "ann");
    put_event(changeset, "refresh", "alias.active", DOMAIN, "nick");
    put_event(changeset, "refresh", "alias.active", OTHER, "nick"); /* somebody else's there */
    put_event(changeset, "operator:root", "person.ban", "", "jdoe");
    put_event(changeset, "person", "person.pause", "", "jdoe");
    put_event(changeset, "operator:root", "domain.open", DOMAIN, "");
}

struct history {
    struct buffer text;
    uint64_t last;
    size_t stop_at, count;
};

static bool add_line(void *context, uint64_t sequence, const struct event_record *event)
{
    struct history *history = context;
    buffer_appendf(&history->text, "%.*s %.*s %.*s %.*s\n", SPAN(event->actor), SPAN(event->act),
                   SPAN(event->subject), SPAN(event->detail));
    history->last = sequence;
    return ++history->count != history->stop_at;
}

static uint64_t expect_history(struct house_cache *cache, const char *name, uint64_t before,
                               size_t limit, size_t stop_at, const char *wanted)
{
    struct history history = {.stop_at = stop_at};
    struct snapshot *snapshot = house_cache_look(cache);
    struct error error;
    if (!own_event_each(snapshot, name, before, limit, add_line, &history, &error))
        fail_msg("%s", error.text);
    snapshot_end(snapshot);
    assert_string_equal(buffer_text(&history.text), wanted);
    buffer_finish(&history.text);
    return history.last;
}

static void test_history(void **state)
{
    struct house_cache *cache = *state;
    enrol_set(cache,
              BOTH JDOE "person old 5 renamed=jdoe\nperson oldest 5 renamed=old\nperson else 4 "
                        "renamed=jdoe\nmember " DOMAIN " jdoe 5 extra=nick\nalias " DOMAIN
                        " nick active owner=jdoe to=" HOME "\nalias " OTHER
                        " nick active owner=ann to=" HOME "\n");
    house_cache_change(cache, put_events);
    uint64_t last = expect_history(cache, "jdoe", 0, 3, 0,
                                   "person person.pause jdoe why\n"
                                   "operator person.ban jdoe \n"
                                   "refresh alias.active nick why\n");
    last = expect_history(cache, "jdoe", last, 10, 0,
                          "refresh alias.active old why\nrefresh alias.active oldest why\n"
                          "refresh person.another jdoe why\n");
    expect_history(cache, "jdoe", last, 10, 0, "");
    expect_history(cache, "jdoe", 0, 10, 1, "person person.pause jdoe why\n");
    expect_history(cache, "nobody", 0, 10, 0, "");
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, house_cache_set_up, house_cache_tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_standing),
        CASE(test_steps),
        CASE(test_history),
    };
    return cmocka_run_group_tests_name("membership/standing", tests, NULL, NULL);
}
