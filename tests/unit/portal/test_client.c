/* portal/client: whom limits count for, whatever a client claims. */
#include <string.h>

#include "../unit.h"
#include "portal/client.h"

static char *proxies[] = {"10.0.0.2", "2001:db8::2"};
static const struct config_list trusted = {proxies, 2};

static const struct {
    const char *peer, *forwarded_for, *wanted;
} cases[] = {
    {"192.0.2.1", NULL, "192.0.2.1"},
    {"192.0.2.1", "198.51.100.9", "192.0.2.1"}, /* no proxy of ours */
    {"127.0.0.1", "198.51.100.9", "198.51.100.9"},
    {"::1", "198.51.100.9", "198.51.100.9"},
    {"", "198.51.100.9", "198.51.100.9"},
    {"", NULL, "local"},
    {"127.0.0.1", NULL, "127.0.0.1"},
    {"127.0.0.1", "", "127.0.0.1"},
    {"10.0.0.2", "198.51.100.9", "198.51.100.9"},
    {"10.0.0.3", "198.51.100.9", "10.0.0.3"},
    {"127.0.0.1", "203.0.113.5, 198.51.100.9", "198.51.100.9"}, /* the left one is a claim */
    {"127.0.0.1", "203.0.113.5, 198.51.100.9, 10.0.0.2", "198.51.100.9"},
    {"127.0.0.1", "203.0.113.5,10.0.0.2 , 127.0.0.1", "203.0.113.5"},
    {"127.0.0.1", "10.0.0.2", "10.0.0.2"},
    {"127.0.0.1", "unknown", "127.0.0.1"},
    {"127.0.0.1", "198.51.100.9, unknown", "127.0.0.1"},
    {"127.0.0.1", "198.51.100.9:1234", "127.0.0.1"},
    {"127.0.0.1", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"},
    {"127.0.0.1", "2001:DB8:1:2::9", "2001:db8:1:2::"},
    {"2001:db8::2", "198.51.100.9", "198.51.100.9"},
    {"2001:db8:5::1", NULL, "2001:db8:5::"},
    {"127.0.0.1", "::ffff:198.51.100.9", "198.51.100.9"},
    {"127.0.0.1", ",,,", "127.0.0.1"},
};

static void clients_are_told_apart(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct buffer address = {0};
        client_append_address(&address, cases[i].peer, cases[i].forwarded_for, &trusted);
        if (strcmp(buffer_text(&address), cases[i].wanted) != 0)
            fail_msg("%s, %s: %s", cases[i].peer, cases[i].forwarded_for, buffer_text(&address));
        buffer_finish(&address);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(clients_are_told_apart)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
