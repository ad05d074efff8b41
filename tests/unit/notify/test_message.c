/* Mail as bytes: headers, folding, encodings, and texts that want to be more than text. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "../unit.h"
#include "base/compiler.h"
#include "notify/message.h"
#include "store/record.h"

static const unsigned char id[OUTBOX_ID_BYTES] = {0, 1, 2, 3, 0xff};

static struct buffer write_message(const char *subject, const char *body)
{
    const struct message message = {
        .id = id,
        .from = "alerts@operators.example",
        .to = "jdoe@target.example",
        .subject = subject,
        .body = body,
        .date_s = 1795614061,
    };
    struct buffer out = {0};
    message_write(&message, &out);
    return out;
}

static void test_whole_message(void **state)
{
    (void)state;
    struct buffer out = write_message("jdoe@ubuntu.com is live", "One.\n\n.\nTwo.\n");
    assert_string_equal(buffer_text(&out),
                        "Date: Wed, 25 Nov 2026 13:41:01 +0000\r\n"
                        "From: lpalias <alerts@operators.example>\r\n"
                        "To: jdoe@target.example\r\n"
                        "Subject: jdoe@ubuntu.com is live\r\n"
                        "Message-ID: <00010203ff0000000000000000000000@operators.example>\r\n"
                        "Auto-Submitted: auto-generated\r\n"
                        "MIME-Version: 1.0\r\n"
                        "Content-Type: text/plain; charset=UTF-8\r\n"
                        "Content-Transfer-Encoding: 7bit\r\n"
                        "\r\n"
                        "One.\r\n\r\n.\r\nTwo.\r\n");
    buffer_finish(&out);
}

/* What stands between "Subject: " and the next header. */
static void test_subjects(void **state)
{
    (void)state;
    static const struct {
        const char *subject, *wanted;
    } cases[] = {
        {"plain", "plain"},
        {"Zo\xc3\xab", "=?UTF-8?Q?Zo=C3=AB?="},
        {"a b_c=d?e", "a b_c=d?e"},
        {"=?UTF-8?Q?fake?=", "=?UTF-8?Q?=3D=3FUTF-8=3FQ=3Ffake=3F=3D?="},
        {"x\r\nBcc: all@example.org", "=?UTF-8?Q?x__Bcc=3A_all=40example=2Eorg?="},
        {"x\nBcc: a", "=?UTF-8?Q?x_Bcc=3A_a?="},
        {"x\rBcc: a", "=?UTF-8?Q?x_Bcc=3A_a?="},
        {"tab\there", "=?UTF-8?Q?tab_here?="},
        {"\xff\xfe bad", "=?UTF-8?Q?=3F=3F_bad?="},
        {"", ""},
        {"one that is so long that it does not fit into one line of a mail, and is folded there",
         "one that is so long that it does not fit into one line of a mail,\r\n"
         " and is folded there"},
        /* Folded between characters and never inside of one. */
        {"\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac",
         "=?UTF-8?Q?=E2=82=AC=E2=82=AC=E2=82=AC=E2=82=AC=E2=82=AC=E2=82=AC?=\r\n"
         " =?UTF-8?Q?=E2=82=AC?="},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct buffer out = write_message(cases[i].subject, "x\n");
        const char *from = strstr(buffer_text(&out), "\r\nSubject: ") + strlen("\r\nSubject: ");
        const char *to = strstr(from, "\r\nMessage-ID: ");
        if (strlen(cases[i].wanted) != (size_t)(to - from) ||
            strncmp(from, cases[i].wanted, strlen(cases[i].wanted)) != 0)
            fail_msg("\"%s\" gave \"%.*s\"", cases[i].subject, (int)(to - from), from);
        buffer_finish(&out);
    }
}

static void test_bodies(void **state)
{
    (void)state;
    static const struct {
        const char *body, *encoding, *wanted;
    } cases[] = {
        {"plain\n", "7bit", "plain\r\n"},
        {"no end", "7bit", "no end\r\n"},
        {"", "7bit", "\r\n"},
        {"Zo\xc3\xab = 1\n", "quoted-printable", "Zo=C3=AB =3D 1\r\n"},
        {"blank \xc3\xab \nnext\n", "quoted-printable", "blank =C3=AB=20\r\nnext\r\n"},
        {"bell\a and \r return\n", "quoted-printable", "bell=3F and =3F return\r\n"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct buffer out = write_message("s", cases[i].body);
        const char *encoding = strstr(buffer_text(&out), "Encoding: ") + strlen("Encoding: ");
        const char *body = strstr(encoding, "\r\n\r\n") + 4;
        assert_memory_equal(encoding, cases[i].encoding, strlen(cases[i].encoding));
        assert_string_equal(body, cases[i].wanted);
        buffer_finish(&out);
    }
}

/* RFC 5322 2.1.1, whatever comes in. */
static void test_no_line_is_too_long(void **state)
{
    (void)state;
    static const char *const pieces[] = {"x", "\xc3\xab", "\xff", " ", "x ", "\a", "="};
    for (size_t i = 0; i < ARRAY_LENGTH(pieces); i++) {
        struct buffer text = {0};
        while (text.length < 5000)
            buffer_append_text(&text, pieces[i]);
        struct buffer out = write_message(buffer_text(&text), buffer_text(&text));
        const char *line = buffer_text(&out);
        while (*line != '\0') {
            const char *end = strstr(line, "\r\n");
            assert_non_null(end);
            assert_null(memchr(line, '\n', (size_t)(end - line)));
            assert_null(memchr(line, '\r', (size_t)(end - line)));
            assert_in_range(end - line, 0, 998);
            line = end + 2;
        }
        buffer_finish(&out);
        buffer_finish(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_message),
        cmocka_unit_test(test_subjects),
        cmocka_unit_test(test_bodies),
        cmocka_unit_test(test_no_line_is_too_long),
    };
    return cmocka_run_group_tests_name("notify/message", tests, NULL, NULL);
}
