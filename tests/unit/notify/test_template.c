/* Texts of notices: what is one, what is not, and what becomes of placeholders. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../unit.h"
#include "base/file.h"
#include "notify/builtin.h"
#include "notify/template.h"

static void test_texts(void **state)
{
    (void)state;
    static const struct {
        const char *text, *problem; /* NULL: fine */
    } cases[] = {
        {"Subject: a\n\nb\n", NULL},
        {"Subject: a\r\n\r\nb\r\n", NULL},
        {"Subject: {name} of {grace-end}\n\n{{no placeholder} {detail}\n", NULL},
        {"", "line 1: wanted \"Subject: ...\""},
        {"a\n\nb\n", "line 1: wanted \"Subject: ...\""},
        {"Subject: a", "line 1: wanted \"Subject: ...\""},
        {"Subject:  \n\nb\n", "line 1: the subject is empty"},
        {"Subject: a\nb\n", "line 2: wanted an empty line"},
        {"Subject: a\n\n", "no text behind the subject"},
        {"Subject: a\n\n{target}\n", "line 3: unknown placeholder {target}"},
        {"Subject: a\n\nx\n{}\n", "line 4: unknown placeholder {}"},
        {"Subject: a\n\n{name\n}\n", "line 3: \"{\" without \"}\""},
        {"Subject: a\n\n{na{me}\n", "line 3: \"{\" without \"}\""},
        {"Subject: a\n\n{", "line 3: \"{\" without \"}\""},
        {"Subject: a\n\n\xff\n", "is not UTF-8"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct template template = {0};
        struct error error = {0};
        bool is_fine = template_parse(cases[i].text, &template, &error);
        assert_int_equal(is_fine, cases[i].problem == NULL);
        if (cases[i].problem != NULL)
            assert_error(error, ERROR_INVALID, cases[i].problem);
        template_finish(&template);
    }
}

static void test_filling(void **state)
{
    (void)state;
    static const struct {
        const char *text, *wanted;
    } cases[] = {
        {"plain", "plain"},
        {"{name}", "jdoe"},
        {"{name}{domain}", "jdoeubuntu.com"},
        {"{{name} {", "{name} {"},
        {"{nothing} {name", "{nothing} {name"},
        {"<{team}>", "<>"},
        /* A value is no template, and no second line. */
        {"{detail}", "{name}  Bcc: x "},
    };
    struct template_values values = {0};
    buffer_append_text(&values.texts[VALUE_NAME], "jdoe");
    buffer_append_text(&values.texts[VALUE_DOMAIN], "ubuntu.com");
    buffer_append_text(&values.texts[VALUE_DETAIL], "{name}\r\nBcc: x\x7f");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buffer out = {0};
        template_fill(cases[i].text, &values, &out);
        assert_string_equal(buffer_text(&out), cases[i].wanted);
        buffer_finish(&out);
    }
    template_values_finish(&values);
}

/* ---- a directory of an operator's texts ---- */

static void complain(void *context, const char *text)
{
    buffer_appendf(context, "%s\n", text);
}

static void write_file(const char *directory, const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", directory, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void test_directory(void **state)
{
    (void)state;
    char directory[] = "/tmp/lpalias-unit-XXXXXX";
    assert_non_null(mkdtemp(directory));
    write_file(directory, "active.admins.txt", "Subject: ours\n\n{name}\n");
    write_file(directory, "leaving.person.txt", "Subject: {oops}\n\n{name}\n");
    write_file(directory, "leavin.person.txt", "Subject: x\n\n{name}\n");
    write_file(directory, "notes", "no text at all");
    struct buffer problems = {0};
    struct template_set *set = template_set_create(directory, complain, &problems);
    assert_string_equal(template_set_find(set, span_of("active"), "admins")->subject, "ours");
    assert_non_null(strstr(template_set_find(set, span_of("leaving"), "person")->subject, "ends"));
    const char *text = buffer_text(&problems);
    assert_non_null(strstr(text, "/leaving.person.txt: line 1: unknown placeholder {oops}\n"));
    assert_non_null(strstr(text, "/leavin.person.txt: there is no text of that name\n"));
    assert_null(strstr(text, "notes"));
    template_set_destroy(set);
    buffer_finish(&problems);
    static const char *const files[] = {"active.admins.txt", "leaving.person.txt",
                                        "leavin.person.txt", "notes"};
    for (size_t i = 0; i < 4; i++) {
        char path[128];
        snprintf(path, sizeof(path), "%s/%s", directory, files[i]);
        unlink(path);
    }
    rmdir(directory);
}

static void test_a_directory_that_is_not_there(void **state)
{
    (void)state;
    struct buffer problems = {0};
    struct template_set *set = template_set_create("/nonexistent/texts", complain, &problems);
    assert_non_null(strstr(buffer_text(&problems), "cannot read /nonexistent/texts"));
    assert_non_null(template_set_find(set, span_of("active"), "admins"));
    template_set_destroy(set);
    buffer_finish(&problems);
}

static void test_builtin_texts(void **state)
{
    (void)state;
    assert_true(builtin_text_count > 15);
    for (size_t i = 0; i < builtin_text_count; i++) {
        struct template template;
        struct error error = {0};
        if (!template_parse(builtin_texts[i].text, &template, &error))
            fail_msg("%s: %s", builtin_texts[i].name, error.text);
        template_finish(&template);
    }
}

/* docs/notices.md names each file, and each placeholder that a text may use. */
static void test_the_document_is_complete(void **state)
{
    (void)state;
    char *document;
    size_t length;
    struct error error = {0};
    if (!file_read(NOTICES_DOCUMENT, 1 << 20, &document, &length, &error))
        fail_msg("%s", error.text);
    for (size_t i = 0; i < builtin_text_count; i++) {
        struct buffer name = {0};
        buffer_appendf(&name, "`%s.txt`", builtin_texts[i].name);
        if (strstr(document, buffer_text(&name)) == NULL)
            fail_msg("%s is not there", buffer_text(&name));
        buffer_finish(&name);
    }
    size_t count = 0;
    for (const char *at = document; (at = strstr(at, "\n| `{")) != NULL; count++) {
        const char *end = strchr(at, '}');
        struct buffer text = {0};
        struct template template;
        at += strlen("\n| `");
        buffer_appendf(&text, "Subject: x\n\n%.*s\n", (int)(end + 1 - at), at);
        if (!template_parse(buffer_text(&text), &template, &error))
            fail_msg("%s", error.text);
        template_finish(&template);
        buffer_finish(&text);
    }
    assert_int_equal(count, VALUE_COUNT);
    free(document);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),         cmocka_unit_test(test_filling),
        cmocka_unit_test(test_directory),     cmocka_unit_test(test_a_directory_that_is_not_there),
        cmocka_unit_test(test_builtin_texts), cmocka_unit_test(test_the_document_is_complete),
    };
    return cmocka_run_group_tests_name("notify/template", tests, NULL, NULL);
}
