/* The table of keys: each row is checked, printed and documented. */
#include "config/table.h"

#include "base/file.h"
#include "config_file.h"

/* A value that each key refuses, and words of the reason. */
static const struct {
    enum config_section_id section;
    const char *key, *value, *words;
} wrong_values[] = {
    {SECTION_TOP, "cache", "var/lib", "is not an absolute path"},
    {SECTION_TOP, "key-file", "keys", "is not an absolute path"},
    {SECTION_TOP, "alerts", "root", "is not a mail address"},
    {SECTION_TOP, "cache-limit", "17T", "is out of its limits"},
    {SECTION_LAUNCHPAD, "api", "https://api.launchpad.net/", "does not end in a version"},
    {SECTION_LAUNCHPAD, "credentials", "~/x", "is not an absolute path"},
    {SECTION_LAUNCHPAD, "page-size", "0", "is out of its limits"},
    {SECTION_LAUNCHPAD, "concurrency", "17", "is out of its limits"},
    {SECTION_LAUNCHPAD, "retries", "-1", "is not a number"},
    {SECTION_LAUNCHPAD, "retry-delay", "0", "is out of its limits"},
    {SECTION_LAUNCHPAD, "request-timeout", "99ms", "is out of its limits"},
    {SECTION_LAUNCHPAD, "total-timeout", "ten minutes", "is not a duration"},
    {SECTION_LAUNCHPAD, "response-limit", "16MB", "is not a size"},
    {SECTION_REFRESH, "max-removals", "10", "is not such a share"},
    {SECTION_REFRESH, "max-additions", "100001%", "is not such a share"},
    {SECTION_REFRESH, "stale-after", "1s", "is out of its limits"},
    {SECTION_NOTIFY, "smtp", "127.0.0.1:25", "is not a mail server"},
    {SECTION_NOTIFY, "starttls", "yes", "is none of never, may and must"},
    {SECTION_NOTIFY, "ca-file", "ca.pem", "is not an absolute path"},
    {SECTION_NOTIFY, "user", "", "is empty"},
    {SECTION_NOTIFY, "password-file", "password", "is not an absolute path"},
    {SECTION_NOTIFY, "from", "root", "is not a mail address"},
    {SECTION_NOTIFY, "null-sender", "yes", "is neither true nor false"},
    {SECTION_NOTIFY, "templates", "templates", "is not an absolute path"},
    {SECTION_NOTIFY, "timeout", "99ms", "is out of its limits"},
    {SECTION_DNS, "servers", "localhost", "is not a DNS server"},
    {SECTION_DNS, "trust-anchors", "root.key", "is not an absolute path"},
    {SECTION_DNS, "timeout", "10", "has no unit"},
    {SECTION_SERVER, "socketmap", "localhost:1", "is not a listener"},
    {SECTION_SERVER, "policy", "unix:policy", "has a relative path"},
    {SECTION_SERVER, "metrics", "127.0.0.1:10044", "is not a listener"},
    {SECTION_SERVER, "recipient-delimiter", "@", "cannot delimit an extension"},
    {SECTION_SERVER, "sandbox", "off", "is neither true nor false"},
    {SECTION_SERVER, "allow-remote", "yes", "is neither true nor false"},
    {SECTION_SERVER, "user", "a-name-that-is-longer-than-32-bytes", "is too long"},
    {SECTION_SERVER, "log-level", "notice", "is none of error, warning, info and debug"},
    {SECTION_SERVER, "log-addresses", "yes", "is neither true nor false"},
    {SECTION_SERVER, "connection-limit", "1k", "is not a number"},
    {SECTION_SERVER, "idle-limit", "999ms", "is out of its limits"},
    {SECTION_SERVER, "stall-limit", "999ms", "is out of its limits"},
    {SECTION_TCP_TABLE, "map", "aliases", "is not a map"},
    {SECTION_PORTAL, "listen", "localhost:10045", "is not a listener"},
    {SECTION_PORTAL, "url", "http://alias.example.org", "is not encrypted"},
    {SECTION_PORTAL, "openid-endpoint", "login.ubuntu.com", "does not begin with https://"},
    {SECTION_PORTAL, "openid-identifiers", "https://login.ubuntu.com", "has no plain path"},
    {SECTION_PORTAL, "launchpad-web", "https://launchpad.net/~x", "has a path"},
    {SECTION_PORTAL, "trusted-proxy", "proxy.example.org", "is not a numeric address"},
    {SECTION_PORTAL, "admins", "~jdoe", "is not a team name"},
    {SECTION_PORTAL, "admin-team", "~admins", "is not a team name"},
    {SECTION_PORTAL, "state", "state", "is not an absolute path"},
    {SECTION_PORTAL, "session-idle", "1", "has no unit"},
    {SECTION_PORTAL, "session-limit", "31d", "is out of its limits"},
    {SECTION_PORTAL, "connection-limit", "0", "is out of its limits"},
    {SECTION_PORTAL, "request-timeout", "99ms", "is out of its limits"},
    {SECTION_PORTAL, "user", "", "is empty"},
    {SECTION_PORTAL, "sandbox", "off", "is neither true nor false"},
    {SECTION_DOMAIN, "team", "~ubuntumembers", "is not a team name"},
    {SECTION_DOMAIN, "proof", "", "is empty"},
    {SECTION_DOMAIN, "catch-all", "nobody", "is not a mail address"},
    {SECTION_DOMAIN, "grace", "a month", "is not a duration"},
    {SECTION_DOMAIN, "during-grace", "bounce", "is neither deliver nor reject"},
    {SECTION_DOMAIN, "reserved", "Root", "is not in lower case"},
    {SECTION_DOMAIN, "admins", "~jdoe", "is not a team name"},
    {SECTION_DOMAIN, "admin-team", "~admins", "is not a team name"},
    {SECTION_DOMAIN, "notices", "root", "is not a mail address"},
    {SECTION_ROLE, "targets", "root", "is not a mail address"},
};

#define BASE "alerts = \"a@b.c\" domain \"x.org\" { team = t }\n"

/* A file that is fine but for the %s. */
static const char *const files[SECTION_COUNT] = {
    [SECTION_TOP] = "domain \"x.org\" { team = t }\n%s\n",
    [SECTION_LAUNCHPAD] = BASE "launchpad { %s }\n",
    [SECTION_REFRESH] = BASE "refresh { %s }\n",
    [SECTION_NOTIFY] = BASE "notify { %s }\n",
    [SECTION_DNS] = BASE "dns { %s }\n",
    [SECTION_SERVER] = BASE "server { %s }\n",
    [SECTION_TCP_TABLE] = BASE "server { tcp-table \"inet:127.0.0.1:1\" { %s } }\n",
    [SECTION_PORTAL] = BASE "portal { %s }\n",
    [SECTION_DOMAIN] = "alerts = \"a@b.c\" domain \"x.org\" {\n%s }\n",
    [SECTION_ROLE] = "alerts = \"a@b.c\" domain \"x.org\" { team = t\nrole \"abuse\" { %s } }\n",
};

static size_t find_wrong_value(const struct config_key *key)
{
    for (size_t i = 0; i < ARRAY_LENGTH(wrong_values); i++)
        if (wrong_values[i].section == key->section && strcmp(wrong_values[i].key, key->name) == 0)
            return i;
    fail_msg("no wrong value is given for %s", key->name);
    return 0;
}

static void each_key_refuses_a_wrong_value(void **state)
{
    (void)state;
    assert_int_equal(ARRAY_LENGTH(wrong_values), config_key_count);
    for (size_t i = 0; i < config_key_count; i++) {
        size_t at = find_wrong_value(&config_keys[i]);
        char setting[256], text[512], wanted[256];
        snprintf(setting, sizeof(setting), "%s = \"%s\"", wrong_values[at].key,
                 wrong_values[at].value);
        snprintf(text, sizeof(text), files[config_keys[i].section], setting);
        if (config_keys[i].type == CONFIG_ADDRESS) /* never shown */
            snprintf(wanted, sizeof(wanted), "FILE:2: %s %s", wrong_values[at].key,
                     wrong_values[at].words);
        else
            snprintf(wanted, sizeof(wanted), "FILE:2: %s \"%s\" ", wrong_values[at].key,
                     wrong_values[at].value);
        char *problems = problems_of(text);
        if (strstr(problems, wanted) == NULL || strstr(problems, wrong_values[at].words) == NULL)
            fail_msg("%s: got %s", setting, problems);
        free(problems);
    }
}

static void each_key_is_fully_described(void **state)
{
    (void)state;
    for (size_t i = 0; i < config_key_count; i++) {
        const struct config_key *key = &config_keys[i];
        assert_ptr_equal(config_find_key(key->section, key->name), key);
        assert_true(strcmp(key->program, "all") == 0 || strncmp(key->program, "lpalias", 7) == 0);
        assert_int_equal(key->help[strlen(key->help) - 1], '.');
        assert_false(key->required && key->fallback != NULL);
    }
}

static void each_key_is_printed(void **state)
{
    (void)state;
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    config_print_keys(out);
    fclose(out);
    for (size_t i = 0; i < config_key_count; i++) {
        assert_non_null(strstr(text, config_keys[i].name));
        assert_non_null(strstr(text, config_keys[i].help));
    }
    assert_non_null(strstr(text, "\nlaunchpad { ... }\n"));
    assert_non_null(strstr(text,
                           "    page-size\n        number from 1 to 300; default \"300\"; used "
                           "by lpalias\n"));
    free(text);
}

/* The text under the heading of that section, up to the next heading. Caller frees. */
static char *document_part(const char *document, enum config_section_id id)
{
    const char *section = config_sections[id].name;
    char heading[64] = "\n## Outside all sections\n";
    if (id != SECTION_TOP)
        snprintf(heading, sizeof(heading), "\n## `%s`", section);
    const char *start = strstr(document, heading);
    if (start == NULL)
        fail_msg("no heading for section %s", section);
    char *part = memory_copy_text(start);
    char *end = strstr(part + 1, "\n## ");
    if (end != NULL)
        *end = '\0';
    return part;
}

/* One table row: key, type, default, help sentence. */
static void each_key_is_documented(void **state)
{
    (void)state;
    char *document = NULL;
    size_t length = 0;
    struct error error = {0};
    if (!file_read(CONFIGURATION_DOCUMENT, 1 << 20, &document, &length, &error))
        fail_msg("%s", error.text);
    for (size_t i = 0; i < config_key_count; i++) {
        const struct config_key *key = &config_keys[i];
        char *part = document_part(document, key->section);
        struct buffer row = {0};
        buffer_appendf(&row, "\n| `%s` | ", key->name);
        config_append_type(&row, key);
        if (key->required)
            buffer_append_text(&row, " | required | ");
        else if (key->fallback == NULL)
            buffer_append_text(&row, " | none | ");
        else
            buffer_appendf(&row, " | `%s` | ", key->fallback);
        buffer_appendf(&row, "%s%s | %s |\n", key->program,
                       key->needs_restart ? ", needs restart" : "", key->help);
        if (strstr(part, buffer_text(&row)) == NULL)
            fail_msg("docs/configuration.md lacks under %s: %s", config_sections[key->section].name,
                     buffer_text(&row));
        buffer_finish(&row);
        free(part);
    }
    free(document);
}

static void quantities_are_written_in_their_largest_unit(void **state)
{
    (void)state;
    struct buffer out = {0};
    config_append_duration(&out, 0);
    buffer_append_char(&out, ' ');
    config_append_duration(&out, 1500);
    buffer_append_char(&out, ' ');
    config_append_duration(&out, 86400000);
    buffer_append_char(&out, ' ');
    config_append_bytes(&out, 1536);
    buffer_append_char(&out, ' ');
    config_append_bytes(&out, 16ULL << 40);
    assert_string_equal(buffer_text(&out), "0ms 1500ms 1d 1536b 16T");
    buffer_finish(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_key_refuses_a_wrong_value),
        cmocka_unit_test(each_key_is_fully_described),
        cmocka_unit_test(each_key_is_printed),
        cmocka_unit_test(each_key_is_documented),
        cmocka_unit_test(quantities_are_written_in_their_largest_unit),
    };
    return cmocka_run_group_tests_name("config/table", tests, NULL, NULL);
}
