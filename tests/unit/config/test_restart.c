/* restart: each key that the table marks is noticed by its name, and no other. */
#include "config/restart.h"

#include "config/table.h"
#include "config_file.h"

/* One configuration; top, server and a tcp-table's map can be filled in. */
static struct config *config_of(const char *top, const char *server, const char *map)
{
    char text[2048];
    struct config *config = NULL;
    struct config_problems problems = {0};
    snprintf(text, sizeof(text),
             "alerts = \"a@b.c\"\n%s\nserver { %s\n tcp-table \"inet:127.0.0.1:1\" { map = %s } }\n"
             "domain \"x.org\" { team = t }\n",
             top, server, map);
    if (!read_bytes(text, strlen(text), &config, &problems))
        fail_msg("%s: %s", text, problems.lines[0]);
    return config;
}

static void assert_differs(const char *const a[3], const char *const b[3], const char *wanted)
{
    struct config *running = config_of(a[0], a[1], a[2]);
    struct config *next = config_of(b[0], b[1], b[2]);
    struct buffer names = {0};
    assert_int_equal(config_differs_by_restart(running, next, &names), wanted[0] != '\0');
    assert_string_equal(buffer_text(&names), wanted);
    buffer_finish(&names);
    config_destroy(running);
    config_destroy(next);
}

/* A value that is not the default. Caller frees. */
static char *other_value(const struct config_key *key)
{
    struct buffer value = {0};
    switch (key->type) {
    case CONFIG_PATH:
        buffer_append_text(&value, "/elsewhere");
        break;
    case CONFIG_LISTENER:
        buffer_append_text(&value, "unix:/elsewhere");
        break;
    case CONFIG_DURATION:
        config_append_duration(&value, key->max);
        break;
    case CONFIG_BYTES:
        config_append_bytes(&value, key->max);
        break;
    case CONFIG_NUMBER:
        buffer_appendf(&value, "%u", (unsigned)key->max);
        break;
    case CONFIG_BOOLEAN:
        buffer_append_text(&value, strcmp(key->fallback, "true") == 0 ? "false" : "true");
        break;
    default:
        buffer_append_text(&value, "other");
    }
    buffer_text(&value);
    return value.data;
}

static void each_marked_key_is_noticed_by_its_name(void **state)
{
    (void)state;
    static const char *const before[3] = {"", "", "alias"};
    for (size_t i = 0; i < config_key_count; i++) {
        const struct config_key *key = &config_keys[i];
        if (!key->needs_restart || key->section == SECTION_TCP_TABLE)
            continue;
        char *value = other_value(key);
        char setting[256], name[64];
        snprintf(setting, sizeof(setting), "%s = \"%s\"", key->name, value);
        const bool is_top = key->section == SECTION_TOP;
        if (!is_top && key->section != SECTION_SERVER)
            fail_msg("%s: not looked at by this test", key->name);
        snprintf(name, sizeof(name), "%s%s", is_top ? "" : "server ", key->name);
        const char *const after[3] = {is_top ? setting : "", is_top ? "" : setting, "alias"};
        assert_differs(before, after, name);
        assert_differs(after, before, name);
        assert_differs(after, after, "");
        free(value);
    }
}

static void listeners_are_compared_as_a_whole_and_in_any_order(void **state)
{
    (void)state;
    static const struct {
        const char *before[3], *after[3], *wanted;
    } cases[] = {
        {{"", "socketmap = { \"unix:/a\", \"inet:127.0.0.1:0\" }", "alias"},
         {"", "socketmap = { \"inet:127.0.0.1:0\", \"unix:/a\" }", "alias"},
         ""},
        {{"", "socketmap = { \"inet:127.0.0.1:0\", \"inet:127.0.0.1:0\", \"inet:[::1]:0\" }",
          "alias"},
         {"", "socketmap = { \"inet:127.0.0.1:0\", \"inet:[::1]:0\", \"inet:[::1]:0\" }", "alias"},
         "server socketmap"},
        {{"", "socketmap = \"unix:/a\"", "alias"},
         {"", "policy = \"unix:/a\"", "alias"},
         "server socketmap, server policy"},
        {{"", "", "alias"}, {"", "", "access"}, "server tcp-table"},
        {{"", "", "alias"},
         {"", "tcp-table \"inet:127.0.0.1:2\" { map = alias }", "alias"},
         "server tcp-table"},
        {{"", "socketmap = \"inet:[::1]:7\"", "alias"},
         {"cache = \"/a\"", "socketmap = \"inet:[0:0::1]:7\" user = \"u\"", "alias"},
         "cache, server user"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        assert_differs(cases[i].before, cases[i].after, cases[i].wanted);
}

static void what_a_running_server_can_take_over_is_not_named(void **state)
{
    (void)state;
    static const char *const before[3] = {"", "", "alias"};
    static const char *const after[3] = {"launchpad { page-size = 7 } domain \"y.org\" { team = u "
                                         "role \"abuse\" { targets = x@y.z } }",
                                         "recipient-delimiter = \"-\" allow-remote = true",
                                         "alias"};
    assert_differs(before, after, "");
}

/* A listener of lpaliasd that is not marked would be taken over and never be bound. */
static void each_listener_is_marked(void **state)
{
    (void)state;
    for (size_t i = 0; i < config_key_count; i++) {
        const struct config_key *key = &config_keys[i];
        bool listens = key->type == CONFIG_LISTENER || key->section == SECTION_TCP_TABLE;
        if (listens && strcmp(key->program, "lpaliasd") == 0 && !key->needs_restart)
            fail_msg("%s is not marked", key->name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_marked_key_is_noticed_by_its_name),
        cmocka_unit_test(listeners_are_compared_as_a_whole_and_in_any_order),
        cmocka_unit_test(what_a_running_server_can_take_over_is_not_named),
        cmocka_unit_test(each_listener_is_marked),
    };
    return cmocka_run_group_tests_name("config/restart", tests, NULL, NULL);
}
