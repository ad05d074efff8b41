/* The shipped list: in order, without roles, and as docs/reserved-names.md says. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit.h"
#include "address/address.h"
#include "address/reserved.h"
#include "address/role.h"
#include "base/error.h"
#include "base/file.h"

static void names_are_sorted_legal_and_no_roles(void **state)
{
    (void)state;
    for (size_t i = 0; i < address_reserved_name_count; i++) {
        const char *name = address_reserved_names[i];
        if (i != 0 && strcmp(address_reserved_names[i - 1], name) >= 0)
            fail_msg("%s is out of order", name);
        if (!address_is_legal_local(name, strlen(name)) || address_is_role(name, strlen(name)))
            fail_msg("%s is a role, or no local part", name);
        assert_true(address_is_reserved(name, strlen(name)));
    }
    assert_false(address_is_reserved("jdoe", 4));
    assert_false(address_is_reserved("", 0));
    assert_false(address_is_reserved("rootx", 5));
    assert_false(address_is_reserved("roo", 3));
}

/* Each row of the table is "| `name` | why |", in the order of the list, and gives a reason. */
static void the_document_lists_each_with_a_reason(void **state)
{
    (void)state;
    char *text, *rest = NULL;
    size_t length, found = 0;
    struct error error = {0};
    if (!file_read(RESERVED_NAMES_DOCUMENT, 1 << 20, &text, &length, &error))
        fail_msg("%s", error.text);
    for (char *line = strtok_r(text, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        char name[64], reason[256] = "";
        if (sscanf(line, "| `%63[^`]` | %255[^|]|", name, reason) < 1)
            continue;
        assert_true(found < address_reserved_name_count);
        assert_string_equal(name, address_reserved_names[found++]);
        assert_true(strlen(reason) > 5);
    }
    free(text);
    assert_int_equal(found, address_reserved_name_count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_sorted_legal_and_no_roles),
        cmocka_unit_test(the_document_lists_each_with_a_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
