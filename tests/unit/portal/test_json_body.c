/* portal/json_body: what is taken for a request of a page of ours. */
#include <string.h>

#include "../unit.h"
#include "portal/json_body.h"

#define JSON "application/json"

static const struct {
    const char *content_type, *body;
    enum refusal refusal; /* REFUSAL_COUNT: none */
} cases[] = {
    {JSON, "{}", REFUSAL_COUNT},
    {JSON, " {\"a\": [1, \"\\u00fc\"]} ", REFUSAL_COUNT},
    {JSON "; charset=utf-8", "{}", REFUSAL_COUNT},
    {"Application/JSON", "{}", REFUSAL_COUNT},
    {NULL, "{}", REFUSAL_MEDIA_TYPE},
    {"", "{}", REFUSAL_MEDIA_TYPE},
    {"text/plain", "{}", REFUSAL_MEDIA_TYPE},
    {"application/jsonx", "{}", REFUSAL_MEDIA_TYPE},
    {"application/x-www-form-urlencoded", "{}", REFUSAL_MEDIA_TYPE},
    {"text/plain; " JSON, "{}", REFUSAL_MEDIA_TYPE},
    {JSON, "", REFUSAL_BAD_REQUEST},
    {JSON, "[]", REFUSAL_BAD_REQUEST},
    {JSON, "1", REFUSAL_BAD_REQUEST},
    {JSON, "{", REFUSAL_BAD_REQUEST},
    {JSON, "{} {}", REFUSAL_BAD_REQUEST},
    {JSON, "{\"a\": 1, \"a\": 2}", REFUSAL_BAD_REQUEST},
    {JSON, "{\"a\": \"\xff\"}", REFUSAL_BAD_REQUEST},
    {JSON, "{\"a\": \"\\u0000\"}", REFUSAL_BAD_REQUEST},
};

static void only_an_object_of_json_is_taken(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        enum refusal refusal = REFUSAL_COUNT;
        json_t *object = json_body_parse(cases[i].content_type, span_of(cases[i].body), &refusal);
        if ((object != NULL) != (cases[i].refusal == REFUSAL_COUNT) ||
            (object == NULL && refusal != cases[i].refusal))
            fail_msg("%s: %s", cases[i].content_type, cases[i].body);
        json_decref(object);
    }
}

static void depth_has_a_limit(void **state)
{
    (void)state;
    static char body[60000];
    enum refusal refusal;
    memset(body, '[', sizeof(body));
    memcpy(body, "{\"a\":", 5);
    assert_null(json_body_parse(JSON, (struct span){body, sizeof(body)}, &refusal));
    assert_int_equal(refusal, REFUSAL_BAD_REQUEST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_an_object_of_json_is_taken),
        cmocka_unit_test(depth_has_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
