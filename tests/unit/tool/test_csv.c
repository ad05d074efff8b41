/* csv: RFC 4180 with and without its details, and any way to cut it short. */
#include "../unit.h"
#include "rows.h"
#include "tool/csv.h"

static const struct rows_case cases[] = {
    {"nothing", "", ""},
    {"one row", "a@x.org,b@y.org\n", "1:a@x.org=b@y.org"},
    {"no newline at the end", "a@x.org,b@y.org", "1:a@x.org=b@y.org"},
    {"CRLF", "a@x.org,b@y.org\r\nc@x.org,d@y.org\r\n", "1:a@x.org=b@y.org 2:c@x.org=d@y.org"},
    {"heading", "address,target\na@x.org,b@y.org\n", "2:a@x.org=b@y.org"},
    {"heading in capitals, byte order mark",
     "\xef\xbb\xbf\"Address\",Targets\r\na@x.org,b@y.org\r\n", "2:a@x.org=b@y.org"},
    {"heading with blanks", "\t ADDRESS ,target\na@x.org,b@y.org\n", "2:a@x.org=b@y.org"},
    {"heading of one field", "address\na@x.org,b@y.org\n", "2:a@x.org=b@y.org"},
    {"heading of many fields", "Address,Target,Targets,,note\na@x.org,b@y.org\n",
     "2:a@x.org=b@y.org"},
    {"heading that says which fields hold targets",
     "address,kind,Targets,note\na@x.org,static,b@y.org c@y.org,d@y.org\n",
     "2:a@x.org=b@y.org|c@y.org"},
    {"fields behind the heading's last", "address,target\na@x.org,b@y.org,c@y.org\n",
     "2:a@x.org=b@y.org|c@y.org"},
    {"fields behind the heading's last that is none",
     "address,target,note\na@x.org,b@y.org,c@y.org,d@y.org\n", "2:a@x.org=b@y.org"},
    {"heading of an export: no target is no fault",
     "address,state,targets\na@x.org,gone,\nb@x.org,active,c@y.org\n", "3:b@x.org=c@y.org"},
    {"heading of an export: no address", "address,state,targets\n,active,c@y.org\n",
     "!2:there is no address"},
    {"heading without states: no target is a fault", "address,kind,targets\na@x.org,static,\n",
     "!2:there is no target"},
    {"heading, blanks outside of its quotes",
     " \"address\" , \"target\" \r\n \"a@x.org\"\t, \"b@y.org\" \r\n", "2:a@x.org=b@y.org"},
    {"heading behind empty lines", "\xef\xbb\xbf\n \r\naddress,target\na@x.org,b@y.org\n",
     "4:a@x.org=b@y.org"},
    {"heading with a quote inside", "address,the \"real\" target\na@x.org,b@y.org\n",
     "2:a@x.org=b@y.org"},
    {"heading that is never closed", "address,\"target\na@x.org,b@y.org\n",
     "!1:a quote is never closed; nothing behind it was read"},
    {"byte order mark without a heading",
     "\xef\xbb\xbf"
     "a@x.org,b@y.org\n",
     "1:a@x.org=b@y.org"},
    {"a heading stands first only", "a@x.org,b@y.org\naddress,c@y.org\n",
     "1:a@x.org=b@y.org 2:address=c@y.org"},
    {"many fields", "a@x.org,b@y.org,c@y.org,,d@y.org\n", "1:a@x.org=b@y.org|c@y.org|d@y.org"},
    {"many in a field", "a@x.org,\"b@y.org, c@y.org;d@y.org e@y.org\"\n",
     "1:a@x.org=b@y.org|c@y.org|d@y.org|e@y.org"},
    {"blanks around", " a@x.org , b@y.org \n", "1:a@x.org=b@y.org"},
    {"quotes in quotes", "\"\"\"john doe\"\"@x.org\",\"\"\"b, c\"\"@y.org\"\n",
     "1:\"john doe\"@x.org=\"b, c\"@y.org"},
    {"a field over two lines", "a@x.org,\"b@y.org\nc@y.org\"\nd@x.org,e@y.org\n",
     "1:a@x.org=b@y.org|c@y.org 3:d@x.org=e@y.org"},
    {"empty lines", "\n\r\na@x.org,b@y.org\n\n", "3:a@x.org=b@y.org"},
    {"no target", "a@x.org\nb@x.org,\nc@x.org, ;\n",
     "!1:there is no target !2:there is no target !3:there is no target"},
    {"no address", ",b@y.org\n", "!1:there is no address"},
    {"behind a closing quote", "\"john doe\"@x.org,b@y.org\nc@x.org,d@y.org\n",
     "2:c@x.org=d@y.org !1:something stands behind a closing quote"},
    {"a quote inside", "a@x.org,b\"@y.org\n",
     "!1:a quote stands inside a field, which then must be quoted as a whole"},
    {"a quote that is never closed", "a@x.org,\"b@y.org\nc@x.org,d@y.org\n",
     "!1:a quote is never closed; nothing behind it was read"},
    {"a carriage return alone", "a@x.org,b@y.org\r", "1:a@x.org=b@y.org"},
};

static void rows_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        rows_check(&cases[i], csv_read);
}

static void any_beginning_is_read_without_harm(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        rows_cut_everywhere(cases[i].text, csv_read);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_read),
        cmocka_unit_test(any_beginning_is_read_without_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
