/* main.cf as postconf prints it, master.cf as it is written. */
#include "../unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "tool/postfix_config.h"

static const char main_cf[] = "compatibility_level = 3.6\n"
                              "one = $two, ${three} and $(four)\n"
                              "two = ${three}\n"
                              "three = 3\n"
                              "# four = commented\n"
                              "self = $self\n"
                              "conditional = ${three?{yes}:{no}}\n"
                              "folded = a,\n"
                              "    b\n"
                              "\n"
                              "  # in between\n"
                              "    c\n"
                              "empty =\n"
                              "twice = first\n"
                              "twice = second\n"
                              "dollar = $$three$\n";

static const struct {
    const char *name;
    const char *wanted;
} values[] = {
    {"one", "3, 3 and "},
    {"two", "3"},
    {"self", "$self"},
    {"conditional", "${three?{yes}:{no}}"},
    {"folded", "a, b c"},
    {"empty", ""},
    {"twice", "second"},
    {"dollar", "$three$"},
    {"absent", ""},
    {"queue_directory", "/var/spool/postfix"},
    {"mail_owner", "postfix"},
};

static void values_are_expanded(void **state)
{
    CLEANUP(postfix_config_finish) struct postfix_config config = {0};
    (void)state;
    assert_int_equal(postfix_config_read_main(&config, main_cf), 11);
    for (size_t i = 0; i < ARRAY_LENGTH(values); i++) {
        char *got = postfix_config_get(&config, NULL, values[i].name);
        if (strcmp(got, values[i].wanted) != 0)
            fail_msg("%s: got \"%s\", wanted \"%s\"", values[i].name, got, values[i].wanted);
        free(got);
    }
    assert_true(postfix_config_is_set(&config, "empty"));
    assert_false(postfix_config_is_set(&config, "queue_directory"));
}

static const char master_cf[] =
    "# service type private unpriv chroot wakeup maxproc command\n"
    "smtp inet n - y - - smtpd\n"
    "submission inet n - n - - smtpd\n"
    "  -o syslog_name=submission -v\n"
    "# between\n"
    "  -o { lists = one, two }\n"
    "  -oglued=yes\n"
    "cleanup unix n - - - 0 cleanup\n"
    "short unix n - y\n"
    "filter unix - n n - - pipe flags=R user=x argv=/bin/x -o not=ours\n";

static const char *override_of(const struct postfix_service *service, const char *name)
{
    for (size_t i = 0; i < service->overrides.count; i++)
        if (strcmp(service->overrides.items[i].name, name) == 0)
            return service->overrides.items[i].value;
    return NULL;
}

static void services_are_read(void **state)
{
    CLEANUP(postfix_config_finish) struct postfix_config config = {0};
    (void)state;
    postfix_config_read_main(&config, "compatibility_level = 3.6\nglued = no\n");
    assert_int_equal(postfix_config_read_master(&config, master_cf), 4);
    const struct postfix_service *submission = &config.services[1];
    assert_string_equal(submission->name, "submission");
    assert_string_equal(override_of(submission, "syslog_name"), "submission");
    assert_string_equal(override_of(submission, "lists"), "one, two");
    char *glued = postfix_config_get(&config, submission, "glued");
    assert_string_equal(glued, "yes");
    free(glued);
    assert_true(postfix_config_has_service(&config, "smtpd", true));
    assert_true(postfix_config_has_service(&config, "smtpd", false));
    assert_false(postfix_config_has_service(&config, "cleanup", true));
    assert_false(postfix_config_has_service(&config, "qmgr", false));
}

/* COMPATIBILITY_README: "-" in the column chroot. */
static void chroot_depends_on_the_level(void **state)
{
    static const struct {
        const char *main_cf;
        bool is_chrooted;
    } levels[] = {{"x = y\n", true},
                  {"compatibility_level = 0\n", true},
                  {"compatibility_level = 2\n", false}};
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(levels); i++) {
        CLEANUP(postfix_config_finish) struct postfix_config config = {0};
        postfix_config_read_main(&config, levels[i].main_cf);
        postfix_config_read_master(&config, "cleanup unix n - - - 0 cleanup\n");
        assert_int_equal(config.services[0].is_chrooted, levels[i].is_chrooted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_expanded),
        cmocka_unit_test(services_are_read),
        cmocka_unit_test(chroot_depends_on_the_level),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
