/* What every unit test includes: cmocka and the headers it wants before itself. */
#ifndef LPALIAS_TESTS_UNIT_H
#define LPALIAS_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* assert that a struct error was set with that kind and that its text contains words. */
#define assert_error(error, wanted_kind, words)                                \
    do {                                                                       \
        assert_int_equal((error).kind, (wanted_kind));                         \
        if (strstr((error).text, (words)) == NULL)                             \
            fail_msg("error text \"%s\" lacks \"%s\"", (error).text, (words)); \
    } while (0)

#endif
