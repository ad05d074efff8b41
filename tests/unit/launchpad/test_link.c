/* link: URLs that we build, and which links of a page are followed. */
#include <stdlib.h>
#include <string.h>

#include "../unit.h"
#include "launchpad/link.h"

#define COLLECTION "https://api.launchpad.net/1.0/~demo+members/participants"

static void team_names_are_encoded_where_a_path_needs_it(void **state)
{
    (void)state;
    static const struct {
        const char *team, *wanted;
    } cases[] = {
        {"kubuntu-members", "http://h/1.0/~kubuntu-members/participants"},
        {"a+b.c", "http://h/1.0/~a+b.c/participants"},
        {"a/b?c#d e%\n", "http://h/1.0/~a%2Fb%3Fc%23d%20e%25%0A/participants"},
        {"\xc3\xa9@:", "http://h/1.0/~%C3%A9%40%3A/participants"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        char *url = link_to_participants("http://h/1.0", cases[i].team);
        assert_string_equal(url, cases[i].wanted);
        free(url);
    }
    char *url = link_to_team("http://[::1]:80/1.0", "x");
    assert_string_equal(url, "http://[::1]:80/1.0/~x");
    free(url);
}

static void only_links_into_the_same_collection_are_followed(void **state)
{
    (void)state;
    static const struct {
        const char *link;
        const char *problem; /* NULL: good */
    } cases[] = {
        {COLLECTION "?ws.size=3&memo=3&ws.start=3", NULL},
        {COLLECTION "?", NULL},
        {"HTTPS://API.Launchpad.net:443/1.0/~demo+members/participants?memo=3", NULL},
        {"https://api.launchpad.net/1.0/%7Edemo%2Bmembers/participants?memo=3", NULL},
        {"https://api.launchpad.net/1.0/%7edemo%2bmembers/participants?memo=3", NULL},
        {COLLECTION, "no query"},
        {COLLECTION "/?memo=3", "another path"},
        {COLLECTION "x?memo=3", "another path"},
        {"https://api.launchpad.net/1.0/~demo+member/participants?memo=3", "another path"},
        {"https://api.launchpad.net/1.0/~demo+members/members?memo=3", "another path"},
        {"https://api.launchpad.net/devel/~demo+members/participants?memo=3", "another path"},
        {"https://api.launchpad.net/1.0/../1.0/~demo+members/participants?a", "another path"},
        {"https://api.launchpad.net/1.0%2F~demo+members/participants?memo=3", "another path"},
        {"https://api.launchpad.net?memo=3", "another path"},
        {"http://api.launchpad.net/1.0/~demo+members/participants?memo=3", "another scheme"},
        {"https://launchpad.net/1.0/~demo+members/participants?memo=3", "another host"},
        {"https://api.launchpad.net.evil/1.0/~demo+members/participants?m", "another host"},
        {"https://api.launchpad.net:8443/1.0/~demo+members/participants?m", "another port"},
        {"https://api.launchpad.net:80/1.0/~demo+members/participants?m", "another port"},
        {"https://api.launchpad.net@evil/1.0/~demo+members/participants?m", "not a plain"},
        {"https://u:p@api.launchpad.net/1.0/~demo+members/participants?m", "not a plain"},
        {"//api.launchpad.net/1.0/~demo+members/participants?memo=3", "not a plain"},
        {"/1.0/~demo+members/participants?memo=3", "not a plain"},
        {"?memo=3", "not a plain"},
        {"file:///etc/passwd", "another scheme"},
        {"", "not a plain"},
        {COLLECTION "?memo=3#fragment", "not a plain"},
        {COLLECTION "?memo=3 4", "not a plain"},
        {COLLECTION "?memo=3\r\nX: y", "not a plain"},
        {COLLECTION "?memo=\xc3\xa9", "not a plain"},
        {"https:\\\\api.launchpad.net/1.0/~demo+members/participants?m", "not a plain"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct error error = {0};
        bool ok = link_check(COLLECTION, cases[i].link, &error);
        if (ok != (cases[i].problem == NULL))
            fail_msg("%s: %s", cases[i].link, error.text);
        if (!ok)
            assert_error(error, ERROR_INVALID, cases[i].problem);
    }
}

static void hosts_may_be_addresses_with_ports(void **state)
{
    (void)state;
    static const struct {
        const char *collection, *link;
        bool wanted;
    } cases[] = {
        {"http://[::1]:81/1.0/~a/p", "http://[::1]:81/1.0/~a/p?m", true},
        {"http://[::1]:81/1.0/~a/p", "http://[::1]/1.0/~a/p?m", false},
        {"http://[::1]/1.0/~a/p", "http://[::1]:80/1.0/~a/p?m", true},
        {"http://[::1]/1.0/~a/p", "http://[::2]/1.0/~a/p?m", false},
        {"http://127.0.0.1:81/1.0/~a/p", "http://127.0.0.1:81/1.0/~a/p?m", true},
        {"http://127.0.0.1:81/1.0/~a/p", "http://127.0.0.1:811/1.0/~a/p?m", false},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        assert_int_equal(link_check(cases[i].collection, cases[i].link, NULL), cases[i].wanted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(team_names_are_encoded_where_a_path_needs_it),
        cmocka_unit_test(only_links_into_the_same_collection_are_followed),
        cmocka_unit_test(hosts_may_be_addresses_with_ports),
    };
    return cmocka_run_group_tests_name("launchpad/link", tests, NULL, NULL);
}
