/* portal/admin_rights: who is an admin of what, by the configuration and the cache as they are. */
#include "../house_cache.h"
#include "portal/admin_rights.h"

#define ACCOUNT "https://login.ubuntu.com/+id/AbC1234"

static char *in_portal_list[] = {(char *)"boss"};
static char *in_list[] = {(char *)"anna", (char *)"jdoe"};
static char team[] = "admins";

/* DOMAIN has a list, OTHER a team. */
static struct config_domain domains[] = {
    {.name = (char *)DOMAIN, .admins = {in_list, ARRAY_LENGTH(in_list)}},
    {.name = (char *)OTHER, .admin_team = team},
};
static struct config config = {
    .portal = {.admins = {in_portal_list, ARRAY_LENGTH(in_portal_list)}},
    .domains = domains,
    .domain_count = ARRAY_LENGTH(domains),
};

static void put_admin(struct changeset *changeset, const char *domain, const char *name)
{
    struct membership_record membership = {.is_admin = true, .extension = EXTENSION_APPEND};
    changeset_put_membership(changeset, domain, name, &membership);
}

static void put_login(struct changeset *changeset, const char *account, const char *name)
{
    struct login_record login = {.name = span_of(name)};
    changeset_put_login(changeset, account, &login);
}

static void put_banned(struct changeset *changeset, const char *name)
{
    struct person_record person = {.is_banned = true, .banned_s = 1};
    changeset_put_person(changeset, name, &person);
}

static void put_all(struct house_cache *cache, struct snapshot *snapshot,
                    struct changeset *changeset)
{
    (void)snapshot;
    changeset_begin_group(changeset, false);
    put_domain(changeset, DOMAIN);
    put_domain(changeset, OTHER);
    put_domain(changeset, "old.example");
    put_admin(changeset, OTHER, "ben");
    put_admin(changeset, DOMAIN, "ben"); /* of a list that names him no more */
    put_member(cache, changeset, OTHER, "anna", true);
    put_banned(changeset, "jdoe");
    put_person(cache, changeset, "anna", 5, ACCOUNT "0");
    put_login(changeset, ACCOUNT "0", "anna");
    put_login(changeset, ACCOUNT "1", "anna-by-another-name");
}

static const struct {
    const char *account, *name;
    bool is_in_portal_team;
    const char *wanted;
    const char *wanted_of_lists; /* without cache; NULL: of the portal */
} cases[] = {
    {ACCOUNT, "boss", false, "portal kubuntu.org old.example ubuntu.com ", NULL},
    {ACCOUNT, "anna", false, "", "ubuntu.com "}, /* whose name it was before */
    {ACCOUNT "0", "anna", false, "ubuntu.com ", "ubuntu.com "},
    {ACCOUNT "1", "anna", false, "", "ubuntu.com "},
    {ACCOUNT, "ben", false, "kubuntu.org ", ""},
    {ACCOUNT, "jdoe", false, "", "ubuntu.com "},
    {ACCOUNT, "kim", false, "", ""},
    {ACCOUNT, "", false, "", ""},
    {ACCOUNT, "", true, "", ""},
    {ACCOUNT, "kim", true, "", ""}, /* no team is configured */
};

/* "portal" and the domains. */
static struct buffer read_rights(struct snapshot *snapshot, const char *account, const char *name,
                                 bool is_in_portal_team)
{
    struct session session = {.is_admin = is_in_portal_team};
    struct admin_rights rights;
    struct error error;
    struct buffer text = {0};
    strcpy(session.account, account);
    strcpy(session.name, name);
    if (!admin_rights_read(&config, &session, snapshot, &rights, &error))
        fail_msg("%s", error.text);
    buffer_append_text(&text, rights.is_of_portal ? "portal " : "");
    for (size_t i = 0; i < rights.domain_count; i++)
        buffer_appendf(&text, "%s ", rights.domains[i]);
    assert_int_equal(admin_rights_are_some(&rights), text.length != 0);
    assert_int_equal(admin_rights_cover(&rights, span_of("")), rights.is_of_portal);
    assert_false(admin_rights_have(&rights, ""));
    assert_false(admin_rights_have(&rights, "ubuntu.co"));
    admin_rights_finish(&rights);
    return text;
}

static void rights_are_what_configuration_and_cache_say(void **state)
{
    struct house_cache *cache = *state;
    house_cache_change(cache, put_all);
    struct snapshot *snapshot = house_cache_look(cache);
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct buffer text =
            read_rights(snapshot, cases[i].account, cases[i].name, cases[i].is_in_portal_team);
        if (strcmp(buffer_text(&text), cases[i].wanted) != 0)
            fail_msg("%s: %s", cases[i].name, buffer_text(&text));
        buffer_finish(&text);
    }
    snapshot_end(snapshot);
}

static void without_cache_the_lists_remain(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        const char *wanted = cases[i].wanted_of_lists;
        struct buffer text =
            read_rights(NULL, cases[i].account, cases[i].name, cases[i].is_in_portal_team);
        if (strcmp(buffer_text(&text),
                   wanted != NULL ? wanted : "portal kubuntu.org ubuntu.com ") != 0)
            fail_msg("%s: %s", cases[i].name, buffer_text(&text));
        buffer_finish(&text);
    }
}

static void the_team_of_the_portal_counts_while_it_is_configured(void **state)
{
    struct house_cache *cache = *state;
    house_cache_change(cache, put_all);
    struct snapshot *snapshot = house_cache_look(cache);
    config.portal.admin_team = team;
    struct buffer with = read_rights(snapshot, ACCOUNT, "kim", true);
    struct buffer banned = read_rights(snapshot, ACCOUNT, "jdoe", true);
    struct buffer other = read_rights(snapshot, ACCOUNT, "kim", false);
    config.portal.admin_team = NULL;
    assert_string_equal(buffer_text(&with), "portal kubuntu.org old.example ubuntu.com ");
    assert_string_equal(buffer_text(&banned), "");
    assert_string_equal(buffer_text(&other), "");
    buffer_finish(&with);
    buffer_finish(&banned);
    buffer_finish(&other);
    snapshot_end(snapshot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rights_are_what_configuration_and_cache_say,
                                        house_cache_set_up, house_cache_tear_down),
        cmocka_unit_test(without_cache_the_lists_remain),
        cmocka_unit_test_setup_teardown(the_team_of_the_portal_counts_while_it_is_configured,
                                        house_cache_set_up, house_cache_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
