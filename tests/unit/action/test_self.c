/* What persons may do to their own, and not to what is another's; all after a login. */
#include "action/self.h"
#include "enrol_world.h"

#define ME    "https://login.example/+id/me"
#define NOW_S 1000
#define HOME  "jdoe@home.example"
#define LINK  "https://portal.example/confirm#secret"
#define ROWS                                                                                     \
    "domain " DOMAIN "\ndomain former.example\n"                                                 \
    "person jdoe 5 login=" ME " to=p+" HOME "\nperson ann 6 to=o+ann@home.example\n"             \
    "member " DOMAIN " jdoe 5 live extra=nick\nmember " DOMAIN " ann 6 live\n"                   \
    "alias " DOMAIN " jdoe active to=" HOME "\nalias " DOMAIN " nick active owner=jdoe to=" HOME \
    "\nalias " DOMAIN " ann active to=ann@home.example\n"                                        \
    "static " DOMAIN " press\n"
/* As enrol_read has it, but for the lines of jdoe. */
#define ANN_PERSON "person ann 6 to=o+ann@home.example\n"
#define ANN_MEMBER "member " DOMAIN " ann 6 live\n"
#define ANN_ALIAS  "alias " DOMAIN " ann active to=ann@home.example\n"
#define LOGIN      "login " ME " jdoe\n"
#define UNCHANGED                                                                             \
    ANN_PERSON "person jdoe 5 login=" ME " to=p+" HOME "\n" LOGIN ANN_MEMBER "member " DOMAIN \
               " jdoe 5 live extra=nick\n" ANN_ALIAS "alias " DOMAIN " jdoe active to=" HOME  \
               "\nalias " DOMAIN " nick active owner=jdoe to=" HOME "\n"

enum act { ASK, ADD, DROP, PAUSE, RESUME, EXTENSION, ERASE };

struct step {
    enum act act;
    const char *text; /* address or local part */
    const char *identifier;
};

static bool take(struct house_cache *cache, const struct step *step, struct error *error)
{
    const struct action action = enrol_action(cache, NOW_S);
    const char *identifier = step->identifier != NULL ? step->identifier : ME;
    struct store_update_result result;
    switch (step->act) {
    case ASK:
        return action_self_ask_proof(&action, identifier, step->text, LINK, &result, error);
    case ADD:
        return action_self_add_target(&action, identifier, step->text, &result, error);
    case DROP:
        return action_self_drop_target(&action, identifier, step->text, &result, error);
    case PAUSE:
    case RESUME:
        return action_self_pause(&action, identifier, step->act == PAUSE, &result, error);
    case EXTENSION:
        return action_self_set_extension(&action, identifier, DOMAIN, step->text, EXTENSION_DROP,
                                         &result, error);
    case ERASE:
        return action_self_erase(&action, identifier, &result, error);
    }
    return false;
}

static void test_done(void **state)
{
    static const struct {
        const char *label;
        struct step step;
        const char *after;
    } cases[] = {
        {"a proof is asked for: nothing but a mail",
         {ASK, "New@Else.EXAMPLE"},
         UNCHANGED "tell person proof-link jdoe -> New@else.example\n " LINK
                   "\nevent target.ask jdoe\n"},
        {"a second address",
         {ADD, "New@Else.EXAMPLE"},
         ANN_PERSON "person jdoe 5 login=" ME " to=p+" HOME
                    " to=p+New@else.example\n" LOGIN ANN_MEMBER "member " DOMAIN
                    " jdoe 5 live extra=nick\n" ANN_ALIAS "alias " DOMAIN " jdoe active to=" HOME
                    "\nNew@else.example\nalias " DOMAIN " nick active owner=jdoe to=" HOME
                    "\nNew@else.example\n"
                    "event target.add jdoe\n"},
        {"one that is there already", {ADD, HOME}, UNCHANGED},
        {"the last one goes",
         {DROP, HOME},
         ANN_PERSON "person jdoe 5 login=" ME "\n" LOGIN ANN_MEMBER "member " DOMAIN
                    " jdoe 5 live extra=nick\n" ANN_ALIAS "alias " DOMAIN
                    " jdoe pending no-target\nalias " DOMAIN " nick pending no-target owner=jdoe\n"
                    "event target.drop jdoe\nevent alias.pending " DOMAIN
                    " nick\nevent alias.pending " DOMAIN " jdoe\n"},
        {"a pause",
         {PAUSE},
         ANN_PERSON "person jdoe 5 login=" ME " paused to=p+" HOME "\n" LOGIN ANN_MEMBER
                    "member " DOMAIN " jdoe 5 live extra=nick\n" ANN_ALIAS "alias " DOMAIN
                    " jdoe paused paused\nalias " DOMAIN " nick paused paused owner=jdoe\n"
                    "event person.pause jdoe\nevent alias.paused " DOMAIN
                    " nick\nevent alias.paused " DOMAIN " jdoe\n"},
        {"not paused anyway", {RESUME}, UNCHANGED},
        {"the extension of the own alias",
         {EXTENSION, "jdoe"},
         ANN_PERSON "person jdoe 5 login=" ME " to=p+" HOME "\n" LOGIN ANN_MEMBER "member " DOMAIN
                    " jdoe 5 live extra=nick\n" ANN_ALIAS "alias " DOMAIN
                    " jdoe active drop to=" HOME "\nalias " DOMAIN
                    " nick active owner=jdoe to=" HOME "\nevent alias.extension " DOMAIN " jdoe\n"},
        {"and of a further one",
         {EXTENSION, "nick"},
         ANN_PERSON "person jdoe 5 login=" ME " to=p+" HOME "\n" LOGIN ANN_MEMBER "member " DOMAIN
                    " jdoe 5 live extra=nick\n" ANN_ALIAS "alias " DOMAIN " jdoe active to=" HOME
                    "\nalias " DOMAIN " nick active drop owner=jdoe to=" HOME
                    "\nevent alias.extension " DOMAIN " nick\n"},
        {"all is erased, and the login with it",
         {ERASE},
         ANN_PERSON "person jdoe 5\n" ANN_MEMBER "member " DOMAIN " jdoe 5\n" ANN_ALIAS
                    "alias " DOMAIN " jdoe pending no-target\nalias " DOMAIN
                    " nick gone removed owner=\n"
                    "event alias.pending " DOMAIN " (erased)\nevent person.erase (erased)\n"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        void *cache;
        struct error error = {0};
        house_cache_set_up(&cache);
        enrol_set(cache, ROWS);
        if (!take(cache, &cases[i].step, &error))
            fail_msg("%s: %s", cases[i].label, error.text);
        enrol_expect(cache, cases[i].label, cases[i].after);
        house_cache_tear_down(&cache);
    }
}

static void test_refused(void **state)
{
    static const struct {
        const char *label;
        struct step step;
    } cases[] = {
        {"another's alias", {EXTENSION, "ann"}},
        {"the operator's alias", {EXTENSION, "press"}},
        {"no alias", {EXTENSION, "nobody"}},
        {"an address of ours", {ADD, "jdoe@" DOMAIN}},
        {"an address of ours, asked for", {ASK, "x@" DOMAIN}},
        {"one that is served", {ADD, "x@former.example"}},
        {"no address", {ADD, "no address"}},
        {"two", {ADD, "a@b.example\nc@d.example"}},
        {"in use already", {ASK, HOME}},
        {"none of one's own", {DROP, "ann@home.example"}},
        {"a login that nobody has", {PAUSE, NULL, "https://login.example/+id/x"}},
        {"erasing by it", {ERASE, NULL, "https://login.example/+id/x"}},
    };
    struct house_cache *cache = *state;
    enrol_set(cache, ROWS);
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct error error = {0};
        if (take(cache, &cases[i].step, &error) || error.kind != ERROR_INVALID)
            fail_msg("%s: %s", cases[i].label, error.text);
        if (cases[i].step.text != NULL && strstr(error.text, cases[i].step.text) != NULL)
            fail_msg("%s: shown: %s", cases[i].label, error.text);
        enrol_expect(cache, cases[i].label, UNCHANGED);
    }
}

static void test_five_at_most(void **state)
{
    struct house_cache *cache = *state;
    struct error error = {0};
    enrol_set(cache, ROWS);
    for (int i = 2; i <= 6; i++) {
        char address[32];
        snprintf(address, sizeof(address), "a%d@home.example", i);
        const struct step ask = {ASK, address}, add = {ADD, address};
        assert_int_equal(take(cache, &ask, &error), i <= 5);
        assert_int_equal(take(cache, &add, &error), i <= 5);
    }
    const struct step drop = {DROP, HOME}, add = {ADD, "a6@home.example"};
    assert_true(take(cache, &drop, &error) && take(cache, &add, &error));
}

/* A banned account can do nothing but be forgotten, and the ban is not. */
static void test_banned(void **state)
{
    struct house_cache *cache = *state;
    struct error error = {0};
    enrol_set(cache, "person jdoe 5 login=" ME " banned to=p+" HOME "\n");
    const struct step refused[] = {{ADD, "x@y.example"}, {PAUSE}, {DROP, HOME}};
    for (size_t i = 0; i < ARRAY_LENGTH(refused); i++)
        assert_false(take(cache, &refused[i], &error));
    if (!take(cache, &(struct step){ERASE}, &error))
        fail_msg("%s", error.text);
    enrol_expect(cache, "banned", "person jdoe 5 banned\nevent person.erase (erased)\n");
}

/* The name has come to another account meanwhile: the login is nobody's. */
static void test_name_of_another(void **state)
{
    struct house_cache *cache = *state;
    struct error error = {0};
    enrol_set(cache, ROWS);
    enrol_set(cache, "person jdoe 9 to=o+other@home.example\n");
    assert_false(take(cache, &(struct step){ADD, "thief@home.example"}, &error));
    assert_int_equal(error.kind, ERROR_INVALID);
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, house_cache_set_up, house_cache_tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_done), CASE(test_refused),         CASE(test_five_at_most),
        CASE(test_banned),           CASE(test_name_of_another),
    };
    return cmocka_run_group_tests_name("action/self", tests, NULL, NULL);
}
