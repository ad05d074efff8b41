/* virtual_text: the forms of virtual(5), and any way to cut them short. */
#include "../unit.h"
#include "rows.h"
#include "tool/virtual_text.h"

static const struct rows_case cases[] = {
    {"nothing", "", ""},
    {"one row", "a@x.org b@y.org\n", "1:a@x.org=b@y.org"},
    {"no newline at the end", "a@x.org b@y.org", "1:a@x.org=b@y.org"},
    {"tab and CRLF", "a@x.org\tb@y.org\r\nc@x.org d@y.org\r\n",
     "1:a@x.org=b@y.org 2:c@x.org=d@y.org"},
    {"commas, blanks, both", "a@x.org b@y.org,c@y.org d@y.org , e@y.org,\n",
     "1:a@x.org=b@y.org|c@y.org|d@y.org|e@y.org"},
    {"comments and empty lines", "# first\n\n   \n  # indented\na@x.org b@y.org\n# last",
     "5:a@x.org=b@y.org"},
    {"a # inside is no comment", "a#b@x.org c@y.org #d@y.org\n", "1:a#b@x.org=c@y.org|#d@y.org"},
    {"continuation", "a@x.org\n  b@y.org,\n\tc@y.org\nd@x.org e@y.org\n",
     "1:a@x.org=b@y.org|c@y.org 4:d@x.org=e@y.org"},
    {"a comment does not end a logical line", "a@x.org b@y.org\n# note\n\n  c@y.org\n",
     "1:a@x.org=b@y.org|c@y.org"},
    {"continuation of nothing", "  a@x.org b@y.org\nc@x.org d@y.org\n",
     "2:c@x.org=d@y.org !1:it continues a line, but there is none before it"},
    {"quoted address", "\"john doe\"@x.org b@y.org\n", "1:\"john doe\"@x.org=b@y.org"},
    {"quoted target", "a@x.org \"b, c\"@y.org, \"d\\\" e\"@y.org\n",
     "1:a@x.org=\"b, c\"@y.org|\"d\\\" e\"@y.org"},
    {"domain line", "x.org anything\na@x.org b@y.org\ny.org\n", "2:a@x.org=b@y.org 2 domain lines"},
    {"a name with a dot is no domain", "john.doe b@y.org\n", "!1:the address has no domain"},
    {"a name without domain", "root b@y.org\n", "!1:the address has no domain"},
    {"no target", "a@x.org\nb@x.org ,\n", "!1:there is no target !2:there is no target"},
    {"catch-all", "@x.org b@y.org\n", "1:@x.org=b@y.org"},
    {"a quote that is never closed", "\"a@x.org b@y.org\nc@x.org d@y.org\n",
     "2:c@x.org=d@y.org !1:there is no target"},
    {"a backslash at the end", "\"a\\", "!1:the address has no domain"},
};

static void forms_of_the_manual_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        rows_check(&cases[i], virtual_text_read);
}

static void any_beginning_is_read_without_harm(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        rows_cut_everywhere(cases[i].text, virtual_text_read);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms_of_the_manual_are_read),
        cmocka_unit_test(any_beginning_is_read_without_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
