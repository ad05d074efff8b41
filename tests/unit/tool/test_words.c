/* Lists as Postfix writes them. */
#include "../unit.h"

#include <string.h>

#include "base/buffer.h"
#include "tool/words.h"

static const struct {
    const char *text;
    const char *wanted; /* words between bars */
} cases[] = {
    {"", ""},
    {" ,\t\r\n", ""},
    {"one", "one"},
    {"one, two\n\tthree", "one|two|three"},
    {",one,,two,", "one|two"},
    {"hash:/etc/virtual socketmap:unix:lpalias/lookup:alias",
     "hash:/etc/virtual|socketmap:unix:lpalias/lookup:alias"},
    {"inline:{a=b, c=d} next", "inline:{a=b, c=d}|next"},
    {"{ check_client_access hash:/x, reject } permit", "check_client_access|hash:/x|reject|permit"},
    {"pipemap:{{one, two}} x", "pipemap:{{one, two}}|x"},
    {"open:{never closed", "open:{never closed"},
    {"}}one}two", "one|two"},
};

static void lists_are_split(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        CLEANUP(words_finish) struct words words = {0};
        CLEANUP(buffer_finish) struct buffer got = {0};
        words_split(&words, cases[i].text);
        for (size_t word = 0; word < words.count; word++)
            buffer_appendf(&got, "%s%s", word == 0 ? "" : "|", words.items[word]);
        if (strcmp(buffer_text(&got), cases[i].wanted) != 0)
            fail_msg("\"%s\": got %s, wanted %s", cases[i].text, buffer_text(&got),
                     cases[i].wanted);
    }
}

static void words_are_found_in_any_case(void **state)
{
    CLEANUP(words_finish) struct words words = {0};
    (void)state;
    words_split(&words, "ubuntu.com, Ubuntu.NET");
    assert_int_equal(words_find(&words, "ubuntu.net"), 1);
    assert_int_equal(words_find(&words, "ubuntu"), words.count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_are_split),
        cmocka_unit_test(words_are_found_in_any_case),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
