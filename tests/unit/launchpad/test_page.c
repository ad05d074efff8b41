/* page: JSON of the web service as structs, and everything that is refused. */
#include <stdlib.h>
#include <string.h>

#include "../unit.h"
#include "launchpad/page.h"

#define ANN                                                                               \
    "{\"name\": \"ann-example\", \"is_team\": false, \"is_valid\": true, "                \
    "\"is_ubuntu_coc_signer\": true, \"date_created\": \"1970-01-01T00:00:01.5+00:00\", " \
    "\"id\": \"" PAGE_REDACTED "\", \"latitude\": null, \"karma\": 4.5}"
#define TEAM   "{\"name\": \"demo-subteam\", \"is_team\": true, \"is_valid\": \"" PAGE_REDACTED "\"}"
#define BEFORE "{\"total_size\": 5, \"start\": 3, \"entries\": ["
#define AFTER  "], \"resource_type_link\": \"x\"}"
#define WHOLE                                                                                \
    "{\"total_size\": 5, \"start\": 3, \"next_collection_link\": \"https://h/?a\\u0026b\", " \
    "\"prev_collection_link\": null, \"entries\": [" ANN ", " TEAM "]}"

static void a_page_is_read(void **state)
{
    (void)state;
    struct page page;
    struct error error;
    assert_true(page_read(span_of(WHOLE), NULL, &page, &error));
    assert_int_equal(page.total_size, 5);
    assert_int_equal(page.start, 3);
    assert_string_equal(page.next, "https://h/?a&b");
    assert_int_equal(page.entry_count, 2);
    assert_string_equal(page.entries[0].name, "ann-example");
    assert_int_equal(page.entries[0].date_created_us, 1500000);
    assert_true(page.entries[0].is_valid && page.entries[0].is_ubuntu_coc_signer);
    assert_false(page.entries[0].is_team);
    assert_string_equal(page.entries[1].name, "demo-subteam");
    assert_true(page.entries[1].is_team);
    page_finish(&page);
    assert_true(page_read(span_of(BEFORE AFTER), NULL, &page, &error));
    assert_null(page.next);
    assert_int_equal(page.entry_count, 0);
    page_finish(&page);
}

static void a_cut_page_is_never_read(void **state)
{
    (void)state;
    for (size_t length = 0; length < strlen(WHOLE); length++) {
        /* An exact copy, so that a sanitizer sees a read beyond the end. */
        char *cut = malloc(length + 1);
        memcpy(cut, WHOLE, length);
        cut = realloc(cut, length != 0 ? length : 1);
        struct page page;
        struct error error = {0};
        assert_false(page_read((struct span){cut, length}, NULL, &page, &error));
        assert_int_equal(error.kind, ERROR_INVALID);
        free(cut);
    }
}

static void a_page_of_another_form_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *body, *words;
    } cases[] = {
        {"", "empty"},
        {" ", "no JSON"},
        {"<!DOCTYPE html><html></html>", "no JSON at byte"},
        {"null", "no JSON"},
        {"[]", "is an array, not an object"},
        {"{}", "total_size is missing"},
        {BEFORE AFTER "}", "no JSON"},
        {BEFORE AFTER " oops", "no JSON"},
        {"{\"start\": 0, \"start\": 0}", "duplicate"},
        {"{\"total_size\": \"5\", \"start\": 0}", "total_size is a string, not a whole number"},
        {"{\"total_size\": 5.0, \"start\": 0}", "total_size is a fraction"},
        {"{\"total_size\": -1, \"start\": 0}", "total_size is negative"},
        {"{\"total_size\": 18446744073709551616, \"start\": 0}", "no JSON"},
        {"{\"total_size\": null, \"start\": 0}", "total_size is null"},
        {"{\"total_size\": \"" PAGE_REDACTED "\", \"start\": 0}", "total_size is redacted"},
        {"{\"total_size\": 1}", "start is missing"},
        {"{\"total_size\": 1, \"start\": true}", "start is true"},
        {"{\"total_size\": 1, \"start\": 0}", "entries is missing"},
        {"{\"total_size\": 1, \"start\": 0, \"entries\": {}}", "entries is an object"},
        {"{\"total_size\": 1, \"start\": 0, \"entries\": null}", "entries is null"},
        {"{\"total_size\": 1, \"start\": 0, \"entries\": [], \"next_collection_link\": null}",
         "next_collection_link is null"},
        {"{\"total_size\": 1, \"start\": 0, \"entries\": [], \"next_collection_link\": 75}",
         "next_collection_link is a number"},
        {BEFORE "null" AFTER, "entry 0: it is null"},
        {BEFORE ANN ", \"somebody\"" AFTER, "entry 1: it is a string"},
        {BEFORE "{\"a\\u0000b\": 1}" AFTER, "no JSON"},
        {BEFORE "\"\\ud800\"" AFTER, "no JSON"},
        {BEFORE "\"\xff\"" AFTER, "no JSON"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct page page;
        struct error error = {0};
        if (page_read(span_of(cases[i].body), NULL, &page, &error))
            fail_msg("accepted: %s", cases[i].body);
        assert_error(error, ERROR_INVALID, cases[i].words);
    }
}

/* A person with the value of one key replaced. */
static char *person_with(const char *key, const char *value)
{
    static const char *const fields[][2] = {
        {"name", "\"ann\""},
        {"is_team", "false"},
        {"is_valid", "true"},
        {"is_ubuntu_coc_signer", "true"},
        {"date_created", "\"2005-06-06T08:59:51Z\""},
        {"preferred_email_address_link", "null"},
    };
    struct buffer body = {0};
    buffer_append_text(&body, BEFORE "{\"karma\": 1");
    for (size_t i = 0; i < ARRAY_LENGTH(fields); i++) {
        const char *put = strcmp(fields[i][0], key) == 0 ? value : fields[i][1];
        if (put != NULL)
            buffer_appendf(&body, ", \"%s\": %s", fields[i][0], put);
    }
    buffer_append_text(&body, "}" AFTER);
    buffer_text(&body);
    return body.data;
}

static void every_field_of_a_person_is_needed(void **state)
{
    (void)state;
    static const char redacted[] = "\"" PAGE_REDACTED "\"";
    static const struct {
        const char *key, *value; /* NULL: absent */
        const char *words;       /* NULL: accepted */
    } cases[] = {
        {"", "", NULL},
        {"name", NULL, "entry 0: name is missing"},
        {"name", redacted, "name is redacted"},
        {"name", "42", "name is a number, not a string"},
        {"name", "null", "name is null"},
        {"name", "\"Ann\"", "no Launchpad name"},
        {"is_team", NULL, "is_team is missing"},
        {"is_team", redacted, "is_team is redacted"},
        {"is_team", "\"false\"", "is_team is a string"},
        {"is_team", "0", "is_team is a number"},
        {"is_valid", NULL, "is_valid is missing"},
        {"is_valid", redacted, "is_valid is redacted"},
        {"is_valid", "null", "is_valid is null"},
        {"is_valid", "false", NULL},
        {"is_ubuntu_coc_signer", NULL, "is_ubuntu_coc_signer is missing"},
        {"is_ubuntu_coc_signer", redacted, "is_ubuntu_coc_signer is redacted"},
        {"is_ubuntu_coc_signer", "1", "is_ubuntu_coc_signer is a number"},
        {"date_created", NULL, "date_created is missing"},
        {"date_created", redacted, "date_created is redacted"},
        {"date_created", "\"yesterday\"", "date_created is no date"},
        {"date_created", "1118048391", "date_created is a number"},
        {"date_created", "null", "date_created is null"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        char *body = person_with(cases[i].key, cases[i].value);
        struct page page;
        struct error error = {0};
        bool ok = page_read(span_of(body), NULL, &page, &error);
        assert_int_equal(ok, cases[i].words == NULL);
        if (ok)
            page_finish(&page);
        else
            assert_error(error, ERROR_INVALID, cases[i].words);
        free(body);
    }
}

#define EMAIL(address) "\"https://h/1.0/~ann/+email/" address "\""

static void a_preferred_address_is_read_when_logged_in(void **state)
{
    (void)state;
    static const struct {
        const char *value; /* NULL: absent */
        enum listing_preferred preferred;
        const char *address; /* of ADDRESS */
        const char *words;   /* NULL: accepted */
    } cases[] = {
        {"\"" PAGE_REDACTED "\"", LISTING_PREFERRED_UNKNOWN, NULL, NULL},
        {"null", LISTING_PREFERRED_NONE, NULL, NULL},
        {EMAIL("Ann+x@H.example"), LISTING_PREFERRED_ADDRESS, "Ann+x@H.example", NULL},
        {EMAIL("ann%40h.example"), LISTING_PREFERRED_ADDRESS, "ann@h.example", NULL},
        {EMAIL("o'ann@h.example"), LISTING_PREFERRED_UNKNOWN, NULL, NULL},
        {EMAIL("%C3%A9@h.example"), LISTING_PREFERRED_UNKNOWN, NULL, NULL},
        {EMAIL("ann@h.example@i.example"), LISTING_PREFERRED_UNKNOWN, NULL, NULL},
        {NULL, 0, NULL, "entry 0: preferred_email_address_link is missing"},
        {"42", 0, NULL, "preferred_email_address_link is a number, not a string"},
        {"[]", 0, NULL, "preferred_email_address_link is an array"},
        {"\"\"", 0, NULL, "preferred_email_address_link: is not a plain absolute URL"},
        {"\"https://h/1.0/~anna/+email/SECRET@h.example\"", 0, NULL, "address of this person"},
        {"\"https://i/1.0/~ann/+email/SECRET@h.example\"", 0, NULL, "another server"},
        {EMAIL("SECRET%0a@h.example"), 0, NULL, "preferred_email_address_link: holds no address"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        char *body = person_with("preferred_email_address_link", cases[i].value);
        struct page page;
        struct error error = {0};
        /* Whoever is not logged in does not look. */
        assert_true(page_read(span_of(body), NULL, &page, &error));
        assert_int_equal(page.entries[0].preferred, LISTING_PREFERRED_UNKNOWN);
        assert_null(page.entries[0].address);
        page_finish(&page);
        bool ok = page_read(span_of(body), "https://h/1.0", &page, &error);
        if (ok != (cases[i].words == NULL))
            fail_msg("%s: %s", cases[i].value, error.text);
        if (ok) {
            assert_int_equal(page.entries[0].preferred, cases[i].preferred);
            assert_string_equal(page.entries[0].name, "ann");
            if (cases[i].address != NULL)
                assert_string_equal(page.entries[0].address, cases[i].address);
            else
                assert_null(page.entries[0].address);
            page_finish(&page);
        } else {
            assert_error(error, ERROR_INVALID, cases[i].words);
            assert_null(strstr(error.text, "SECRET"));
        }
        free(body);
    }
}

#define SIXTY_FOUR "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void addresses_follow_launchpads_rule(void **state)
{
    (void)state;
    static const struct {
        const char *address;
        bool wanted;
    } cases[] = {
        {"a@b.example", true},
        {"A_b.c-d+e=f@B-c.9.Example", true},
        {"a..b@h.example", true},
        {SIXTY_FOUR "@h.example", true},
        {SIXTY_FOUR "a@h.example", false},
        {"a@" SIXTY_FOUR "." SIXTY_FOUR "." SIXTY_FOUR "." SIXTY_FOUR, false},
        {"", false},
        {"@h.example", false},
        {"a", false},
        {"a@", false},
        {"a@h..example", false},
        {"a@.example", false},
        {"a@h.example.", false},
        {"a@-h.example", false},
        {"a@h-.example", false},
        {"a@h_i.example", false},
        {"a@[192.0.2.1]", false},
        {"\"a\"@h.example", false},
        {"a@b@h.example", false},
        {"a%b@h.example", false},
        {"a@h.example\n", false},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        if (page_is_address(cases[i].address) != cases[i].wanted)
            fail_msg("%s", cases[i].address);
}

static void deep_nesting_is_refused(void **state)
{
    (void)state;
    struct buffer body = {0};
    buffer_append_text(&body, "{\"entries\":");
    for (int i = 0; i < 100000; i++)
        buffer_append_char(&body, '[');
    struct page page;
    struct error error = {0};
    assert_false(page_read((struct span){body.data, body.length}, NULL, &page, &error));
    assert_error(error, ERROR_INVALID, "depth");
    buffer_finish(&body);
}

static void a_team_is_read(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        const char *words; /* NULL: accepted */
    } cases[] = {
        {"{\"name\": \"a\", \"is_team\": true, \"date_created\": \"1970-01-01T00:00:00Z\"}", NULL},
        {"{\"name\": \"a\", \"is_team\": false, \"date_created\": \"1970-01-01T00:00:00Z\"}", NULL},
        {"{\"name\": \"a\", \"is_team\": true}", "date_created is missing"},
        {"{\"name\": \"a\", \"is_team\": true, \"date_created\": \"" PAGE_REDACTED "\"}",
         "date_created is redacted"},
        {"{\"name\": \"a\", \"date_created\": \"1970-01-01T00:00:00Z\"}", "is_team is missing"},
        {"{\"is_team\": true, \"date_created\": \"1970-01-01T00:00:00Z\"}", "name is missing"},
        {"[]", "is an array"},
        {"", "empty"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct page_team team;
        struct error error = {0};
        bool ok = page_read_team(span_of(cases[i].body), &team, &error);
        assert_int_equal(ok, cases[i].words == NULL);
        if (ok)
            page_team_finish(&team);
        else
            assert_error(error, ERROR_INVALID, cases[i].words);
    }
}

static void the_person_behind_a_login_is_read(void **state)
{
    (void)state;
    struct page_entry person = {0};
    struct error error;
    bool is_there = false;
    assert_true(page_read_person(span_of(ANN), &person, &is_there, &error));
    assert_true(is_there && person.is_valid && person.is_ubuntu_coc_signer);
    assert_string_equal(person.name, "ann-example");
    assert_int_equal(person.date_created_us, 1500000);
    free(person.name);
    assert_true(page_read_person(span_of(" null\n"), &person, &is_there, &error));
    assert_false(is_there);
}

/* Nobody is there only by the very word for it. */
static void what_is_no_person_is_refused(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "",
        "nul",
        "null null",
        "[]",
        "{}",
        "\"null\"",
        "false",
        "0",
        "[null]",
        TEAM,
        WHOLE,
        ANN "x",
        "null," ANN,
        "{\"name\": \"Ann\", \"is_team\": false, \"is_valid\": true, "
        "\"is_ubuntu_coc_signer\": true, \"date_created\": \"1970-01-01T00:00:01.5+00:00\"}",
        "{\"name\": \"ann\", \"is_team\": false, \"is_valid\": \"" PAGE_REDACTED "\", "
        "\"is_ubuntu_coc_signer\": true, \"date_created\": \"1970-01-01T00:00:01.5+00:00\"}",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(bodies); i++) {
        struct page_entry person;
        struct error error = {0};
        bool is_there;
        if (page_read_person(span_of(bodies[i]), &person, &is_there, &error))
            fail_msg("case %zu is a person", i);
        assert_int_equal(error.kind, ERROR_INVALID);
    }
}

static void the_date_of_a_team_is_read_where_it_can_be_seen(void **state)
{
    (void)state;
    static const char body[] =
        BEFORE TEAM ", {\"name\": \"seen\", \"is_team\": true, \"date_created\": "
                    "\"1970-01-01T00:00:02+00:00\"}" AFTER;
    struct page page;
    struct error error;
    assert_true(page_read(span_of(body), NULL, &page, &error));
    assert_int_equal(page.entries[0].date_created_us, 0);
    assert_int_equal(page.entries[1].date_created_us, 2000000);
    page_finish(&page);
}

static void names_follow_launchpads_rule(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool wanted;
    } cases[] = {
        {"a", true},         {"0", true},    {"zed+a.b-9", true}, {"bogdan.", true}, {"a..b", true},
        {"", false},         {"A", false},   {"aB", false},       {"a_b", false},    {"-a", false},
        {".a", false},       {"+a", false},  {"a\n", false},      {"a b", false},    {"a/b", false},
        {"\xc3\xa9", false}, {"a@b", false}, {"~a", false},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        assert_int_equal(page_is_name(cases[i].name), cases[i].wanted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_is_read),
        cmocka_unit_test(a_cut_page_is_never_read),
        cmocka_unit_test(a_page_of_another_form_is_refused),
        cmocka_unit_test(every_field_of_a_person_is_needed),
        cmocka_unit_test(a_preferred_address_is_read_when_logged_in),
        cmocka_unit_test(addresses_follow_launchpads_rule),
        cmocka_unit_test(deep_nesting_is_refused),
        cmocka_unit_test(a_team_is_read),
        cmocka_unit_test(the_person_behind_a_login_is_read),
        cmocka_unit_test(what_is_no_person_is_refused),
        cmocka_unit_test(the_date_of_a_team_is_read_where_it_can_be_seen),
        cmocka_unit_test(names_follow_launchpads_rule),
    };
    return cmocka_run_group_tests_name("launchpad/page", tests, NULL, NULL);
}
