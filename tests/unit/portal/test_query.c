/* portal/query: what is taken for the fields of a search. */
#include <stdlib.h>
#include <string.h>

#include "../unit.h"
#include "base/buffer.h"
#include "portal/query.h"

/* "a=1 b=2" of the fields that were given; NULL: refused. */
static const struct {
    const char *query, *wanted;
} cases[] = {
    {"", ""},
    {"a=1", "a=1 "},
    {"b=2&a=1", "a=1 b=2 "},
    {"a=", ""},
    {"a=&a=1", "a=1 "},
    {"a=x%20y+z", "a=x y z "},
    {"a=%40%c3%BC", "a=@\xc3\xbc "},
    {"a=1=2", "a=1=2 "},
    {"a=1&", "a=1 "},
    {"a=12345678", "a=12345678 "},
    {"a=123456789", NULL}, /* longer than it may be */
    {"a=%31%32%33%34%35%36%37%38", "a=12345678 "},
    {"a", NULL},
    {"=1", NULL},
    {"c=1", NULL},
    {"A=1", NULL},
    {"%61=1", NULL},
    {"a=1&a=2", NULL},
    {"a=1&&b=2", NULL},
    {"a=%", NULL},
    {"a=%4", NULL},
    {"a=%4g", NULL},
    {"a=%00", NULL},
    {"a=%0a", NULL},
    {"a=%7f", NULL},
    {"a=%ff", NULL},
    {"a=\xc3", NULL},
};

static void only_known_fields_with_fit_values_are_taken(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct query_field fields[] = {{"a", 8, NULL}, {"b", 8, NULL}};
        struct buffer found = {0};
        bool is_read = query_read(cases[i].query, fields, ARRAY_LENGTH(fields));
        for (size_t field = 0; field < ARRAY_LENGTH(fields); field++)
            if (fields[field].value != NULL)
                buffer_appendf(&found, "%s=%s ", fields[field].name, fields[field].value);
        if (is_read != (cases[i].wanted != NULL) ||
            (is_read && strcmp(buffer_text(&found), cases[i].wanted) != 0))
            fail_msg("\"%s\": %s \"%s\"", cases[i].query, is_read ? "taken" : "refused",
                     buffer_text(&found));
        buffer_finish(&found);
        query_finish(fields, ARRAY_LENGTH(fields));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_known_fields_with_fit_values_are_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
