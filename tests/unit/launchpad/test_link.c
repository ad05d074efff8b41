/* link: URLs that we build, and which links of a page are followed. */
#include <stdio.h>
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

static void a_login_is_asked_for_where_it_is_known(void **state)
{
    (void)state;
    static const struct {
        const char *api, *identifier, *wanted;
    } cases[] = {
        {"https://h/1.0", "https://l/+id/aB_-9", "https%3A%2F%2Fl%2F%2Bid%2FaB_-9"},
        {"https://h/devel", "a&b=c#d?e", "a%26b%3Dc%23d%3Fe"},
        {"https://h/beta", "\xc3\xa9 \n%", "%C3%A9%20%0A%25"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        char wanted[200];
        char *url = link_to_login(cases[i].api, cases[i].identifier);
        snprintf(wanted, sizeof(wanted),
                 "https://h/devel/people?ws.op=getByOpenIDIdentifier&identifier=%s",
                 cases[i].wanted);
        assert_string_equal(url, wanted);
        free(url);
    }
    char *url = link_to_super_teams("https://h/1.0", "a+b");
    assert_string_equal(url, "https://h/1.0/~a+b/super_teams");
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

static void only_the_address_of_that_person_is_read(void **state)
{
    (void)state;
    static const char api[] = "https://api.launchpad.net/1.0";
    static const struct {
        const char *link;
        const char *wanted;  /* NULL: refused */
        const char *problem; /* of refused */
    } cases[] = {
        {"https://api.launchpad.net/1.0/~a+b/+email/x@h.example", "x@h.example", NULL},
        {"HTTPS://API.launchpad.net:443/1.0/~a%2Bb/%2bemail/x%40h.example", "x@h.example", NULL},
        {"https://api.launchpad.net/1.0/~a+b/+email/x+y=z@h.example", "x+y=z@h.example", NULL},
        {"https://api.launchpad.net/1.0/~a+b/+email/x%2by%25@h.example", "x+y%@h.example", NULL},
        {"https://api.launchpad.net/1.0/~a+b/+email/%C3%A9@h.example", "\xc3\xa9@h.example", NULL},
        {"https://api.launchpad.net/1.0/~a+b/+email/SECRET@h%0a.example", NULL, "holds no address"},
        {"https://api.launchpad.net/1.0/~a+b/+email/SECRET%00@h.example", NULL, "holds no address"},
        {"https://api.launchpad.net/1.0/~a+b/+email/SECRET%20@h.example", NULL, "holds no address"},
        {"https://api.launchpad.net/1.0/~a+b/+email/SECRET%7F@h.example", NULL, "holds no address"},
        {"https://api.launchpad.net/1.0/~a+b/+email/SECRET%4@h.example", NULL, "holds no address"},
        {"https://api.launchpad.net/1.0/~a+b/+email/SECRET@h.example%", NULL, "holds no address"},
        {"https://api.launchpad.net/1.0/~a+b/+email/SECRET@h.example%4", NULL, "holds no address"},
        {"https://api.launchpad.net/1.0/~a+b/+email/SECRET@h.example/x", NULL, "holds no address"},
        {"https://api.launchpad.net/1.0/~a+b/+email/", NULL, "holds no address"},
        {"https://api.launchpad.net/1.0/~a+b/+email", NULL, "of an address of this person"},
        {"https://api.launchpad.net/1.0/~a+b", NULL, "of an address of this person"},
        {"https://api.launchpad.net/1.0/~a+bc/+email/SECRET@h", NULL, "of this person"},
        {"https://api.launchpad.net/1.0/~a/+email/SECRET@h.example", NULL, "of this person"},
        {"https://api.launchpad.net/1.0/~a+b%2F+email/SECRET@h.example", NULL, "of this person"},
        {"https://api.launchpad.net/devel/~a+b/+email/SECRET@h.example", NULL, "of this person"},
        {"https://api.launchpad.net/1.0/~a+b/+email/SECRET@h.example?x", NULL, "not a plain"},
        {"https://api.launchpad.net/1.0/~a+b/+email/SECRET@h.example#x", NULL, "not a plain"},
        {"https://x@api.launchpad.net/1.0/~a+b/+email/SECRET@h.example", NULL, "not a plain"},
        {"http://api.launchpad.net/1.0/~a+b/+email/SECRET@h.example", NULL, "another server"},
        {"https://launchpad.net/1.0/~a+b/+email/SECRET@h.example", NULL, "another server"},
        {"https://api.launchpad.net:8443/1.0/~a+b/+email/SECRET@h", NULL, "another server"},
        {"SECRET@h.example", NULL, "not a plain"},
        {"", NULL, "not a plain"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct buffer address = {0};
        struct error error = {0};
        bool is_read = link_read_email(api, "a+b", cases[i].link, &address, &error);
        if (is_read != (cases[i].wanted != NULL))
            fail_msg("%s", cases[i].link);
        if (is_read) {
            assert_string_equal(buffer_text(&address), cases[i].wanted);
        } else {
            assert_error(error, ERROR_INVALID, cases[i].problem);
            assert_null(strstr(error.text, "SECRET"));
            assert_int_equal(address.length, 0);
        }
        buffer_finish(&address);
    }
}

static void origin_and_host_are_parts_of_a_plain_url(void **state)
{
    (void)state;
    static const struct {
        const char *url, *origin, *host;
    } cases[] = {
        {"https://h.example/1.0", "https://h.example", "h.example"},
        {"http://[::1]:80/1.0?x", "http://[::1]:80", "[::1]"},
        {"http://h:80", "http://h:80", "h"},
        {"http://u@h/1.0", "", ""},
        {"h/1.0", "", ""},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct span origin = link_origin(cases[i].url), host = link_host(cases[i].url);
        assert_int_equal(origin.length, strlen(cases[i].origin));
        assert_memory_equal(origin.data, cases[i].origin, origin.length);
        assert_int_equal(host.length, strlen(cases[i].host));
        assert_memory_equal(host.data, cases[i].host, host.length);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(team_names_are_encoded_where_a_path_needs_it),
        cmocka_unit_test(a_login_is_asked_for_where_it_is_known),
        cmocka_unit_test(only_links_into_the_same_collection_are_followed),
        cmocka_unit_test(hosts_may_be_addresses_with_ports),
        cmocka_unit_test(only_the_address_of_that_person_is_read),
        cmocka_unit_test(origin_and_host_are_parts_of_a_plain_url),
    };
    return cmocka_run_group_tests_name("launchpad/link", tests, NULL, NULL);
}
