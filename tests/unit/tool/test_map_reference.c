/* Tables as main.cf names them, and which listener they lead to. */
#include "../unit.h"

#include <string.h>

#include "base/buffer.h"
#include "tool/map_reference.h"

static const struct {
    const char *text;
    const char *wanted; /* type, path or host and port, map; "" for what is no table */
} parsed[] = {
    {"permit_mynetworks", ""},
    {":name", ""},
    {"hash:/etc/virtual", "hash"},
    {"proxy:hash:/etc/virtual", "proxy hash"},
    {"socketmap:unix:lpalias/lookup:alias", "socketmap lpalias/lookup map=alias"},
    {"proxy:socketmap:unix:/run/l:alias", "proxy socketmap /run/l map=alias"},
    {"socketmap:inet:127.0.0.1:10041:alias", "socketmap 127.0.0.1 10041 map=alias"},
    {"socketmap:inet:[::1]:10041:alias", "socketmap ::1 10041 map=alias"},
    {"socketmap:inet:host:smtp:alias", "socketmap host 0 map=alias"},
    {"socketmap:unix", "socketmap"},
    {"socketmap:unix:lookup", "socketmap"},
    {"tcp:localhost:10042", "tcp localhost 10042"},
    {"tcp:10042", "tcp"},
    {"tcp:", "tcp"},
};

static void tables_are_parsed(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(parsed); i++) {
        CLEANUP(map_reference_finish) struct map_reference got;
        CLEANUP(buffer_finish) struct buffer text = {0};
        if (map_reference_parse(parsed[i].text, &got))
            buffer_appendf(&text, "%s%s", got.is_proxied ? "proxy " : "", got.type);
        if (got.unix_path != NULL)
            buffer_appendf(&text, " %s", got.unix_path);
        if (got.host != NULL)
            buffer_appendf(&text, " %s %u", got.host, got.port);
        if (got.map != NULL)
            buffer_appendf(&text, " map=%s", got.map);
        if (strcmp(buffer_text(&text), parsed[i].wanted) != 0)
            fail_msg("%s: got \"%s\", wanted \"%s\"", parsed[i].text, buffer_text(&text),
                     parsed[i].wanted);
    }
}

static char spool_path[] = "/spool/lpalias/lookup", run_path[] = "/run/lookup";
static char ipv4[] = "127.0.0.1", ipv6[] = "::1", any[] = "0.0.0.0", other[] = "192.0.2.1";

static const struct {
    const char *text;
    struct config_listener listener;
    bool leads_to;
} led[] = {
    {"socketmap:unix:lpalias/lookup:alias", {.unix_path = spool_path}, true},
    {"socketmap:unix:/lpalias/lookup:alias", {.unix_path = spool_path}, true},
    {"socketmap:unix:/spool/lpalias/lookup:alias", {.unix_path = spool_path}, true},
    {"socketmap:unix:lookup:alias", {.unix_path = spool_path}, false},
    {"socketmap:unix:run/lookup:alias", {.unix_path = run_path}, false},
    {"socketmap:unix:/run/lookup:alias", {.unix_path = run_path}, true},
    {"socketmap:unix:lpalias/lookup:alias", {.inet_address = ipv4, .inet_port = 1}, false},
    {"socketmap:inet:127.0.0.1:1:alias", {.inet_address = ipv4, .inet_port = 1}, true},
    {"socketmap:inet:127.0.0.1:2:alias", {.inet_address = ipv4, .inet_port = 1}, false},
    {"socketmap:inet:[::1]:1:alias", {.inet_address = ipv6, .inet_port = 1}, true},
    {"tcp:localhost:1", {.inet_address = ipv6, .inet_port = 1}, true},
    {"tcp:localhost:1", {.inet_address = other, .inet_port = 1}, false},
    {"tcp:192.0.2.7:1", {.inet_address = any, .inet_port = 1}, true},
    {"tcp:127.0.0.1:1", {.unix_path = spool_path}, false},
    {"hash:/spool/lpalias/lookup", {.unix_path = spool_path}, false},
};

static void references_lead_to_listeners(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(led); i++) {
        CLEANUP(map_reference_finish) struct map_reference reference;
        assert_true(map_reference_parse(led[i].text, &reference));
        if (map_reference_leads_to(&reference, &led[i].listener, "/spool") != led[i].leads_to)
            fail_msg("%zu: %s", i, led[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_are_parsed),
        cmocka_unit_test(references_lead_to_listeners),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
