/* portal/route: from method and path to a row, whatever tricks the path plays. */
#include <string.h>
#include <strings.h>

#include "../unit.h"
#include "base/buffer.h"
#include "portal/route.h"
#include "portal/site_file.h"

static void handle(struct call *call)
{
    (void)call;
}

static const struct route routes[] = {
    {"GET", "/", .handle = handle},
    {"GET", "/api/things", .handle = handle},
    {"POST", "/api/things", .handle = handle},
    {"GET", "/api/things/{thing}", .handle = handle},
    {"DELETE", "/api/things/{thing}/parts/{part}", .handle = handle},
};

/* "GET /api/things/{thing} [x]", "allowed: GET POST" or "absent". Caller finishes. */
static struct buffer found(const char *method, const char *path)
{
    struct route_match match;
    struct buffer text = {0};
    route_find(routes, ARRAY_LENGTH(routes), method, path, &match);
    if (match.route != NULL) {
        buffer_appendf(&text, "%s %s", match.route->method, match.route->path);
        for (size_t i = 0; i < ROUTE_PARAMETERS_MAX && match.parameters[i] != NULL; i++)
            buffer_appendf(&text, " [%s]", match.parameters[i]);
    } else if (match.allowed[0] != NULL) {
        buffer_append_text(&text, "allowed:");
        for (size_t i = 0; match.allowed[i] != NULL; i++)
            buffer_appendf(&text, " %s", match.allowed[i]);
    } else {
        buffer_append_text(&text, "absent");
    }
    route_match_finish(&match);
    return text;
}

static const struct {
    const char *method, *path, *wanted;
} cases[] = {
    {"GET", "/", "GET /"},
    {"HEAD", "/", "GET /"},
    {"POST", "/", "allowed: GET"},
    {"OPTIONS", "/api/things", "allowed: GET POST"},
    {"get", "/", "allowed: GET"},
    {"POST", "/api/things", "POST /api/things"},
    {"GET", "/api/things/", "absent"},
    {"GET", "/api/things/x", "GET /api/things/{thing} [x]"},
    {"GET", "/api/things/jdoe@ubuntu.com", "GET /api/things/{thing} [jdoe@ubuntu.com]"},
    {"GET", "/api/things/jdoe%40ubuntu.com", "GET /api/things/{thing} [jdoe@ubuntu.com]"},
    {"GET", "/api/things/a+b%2Bc%25", "GET /api/things/{thing} [a+b+c%]"},
    {"GET", "/api/things/%c3%bc", "GET /api/things/{thing} [\xc3\xbc]"},
    {"DELETE", "/api/things/a/parts/b", "DELETE /api/things/{thing}/parts/{part} [a] [b]"},
    {"DELETE", "/api/things/a/parts/", "absent"},
    {"DELETE", "/api/things//parts/b", "absent"},
    {"GET", "", "absent"},
    {"GET", "//", "absent"},
    {"GET", "//api/things", "absent"},
    {"GET", "/api//things", "absent"},
    {"GET", "/api/./things", "absent"},
    {"GET", "/x/../api/things", "absent"},
    {"GET", "/api/things/.", "absent"},
    {"GET", "/api/things/..", "absent"},
    {"GET", "/api/things/%2e%2e", "absent"},
    {"GET", "/api/things/.%2E", "absent"},
    {"GET", "/api/things/%2f", "absent"},
    {"GET", "/api/things/a%2Fb", "absent"},
    {"GET", "/api/things/a%5cb", "absent"},
    {"GET", "/api/things/a%00", "absent"},
    {"GET", "/api/things/%0a", "absent"},
    {"GET", "/api/things/%7f", "absent"},
    {"GET", "/api/things/%", "absent"},
    {"GET", "/api/things/%4", "absent"},
    {"GET", "/api/things/%zz", "absent"},
    {"GET", "/api/things/%ff", "absent"},
    {"GET", "/api/things/%c0%ae", "absent"}, /* an overlong "." */
    {"GET", "/api/%74hings", "absent"},      /* one way to write a path of ours */
    {"GET", "/API/things", "absent"},
    {"GET", "/api/things#x", "absent"},
    {"GET", "http://evil.example/api/things", "absent"},
    {"CONNECT", "evil.example:443", "absent"},
    {"OPTIONS", "*", "absent"},
};

static void paths_lead_where_the_table_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct buffer text = found(cases[i].method, cases[i].path);
        if (strcmp(buffer_text(&text), cases[i].wanted) != 0)
            fail_msg("%s %s: %s", cases[i].method, cases[i].path, buffer_text(&text));
        buffer_finish(&text);
    }
}

static void a_parameter_has_a_limit(void **state)
{
    (void)state;
    char path[2000] = "/api/things/";
    size_t length = strlen(path);
    memset(path + length, 'x', ROUTE_PARAMETER_MAX_BYTES);
    struct buffer text = found("GET", path);
    assert_int_equal(strncmp(buffer_text(&text), "GET", 3), 0);
    buffer_finish(&text);
    path[length + ROUTE_PARAMETER_MAX_BYTES] = 'x';
    text = found("GET", path);
    assert_string_equal(buffer_text(&text), "absent");
    buffer_finish(&text);
}

/* What must hold of the portal's own table, whoever adds a row. */
static void the_portal_s_rows_are_sound(void **state)
{
    (void)state;
    for (size_t i = 0; i < portal_route_count; i++) {
        const struct route *route = &portal_routes[i];
        size_t parameters = 0;
        assert_non_null(route->handle);
        for (const char *at = route->path; (at = strchr(at, '{')) != NULL; at++) {
            parameters++;
            assert_int_equal(at[-1], '/');
        }
        assert_true(parameters <= ROUTE_PARAMETERS_MAX);
        assert_int_equal(route->path[0], '/');
        /* A GET needs no token, and what the provider posts is a login, which has limits. */
        if (route->is_posted_by_provider) {
            assert_string_equal(route->method, "POST");
            assert_int_equal(route->rate, ROUTE_RATE_LOGIN);
        }
        /* Files of the site come after the table: a row would hide one. */
        assert_null(site_file_find(route->path));
        for (size_t other = 0; other < i; other++)
            assert_false(strcmp(portal_routes[other].method, route->method) == 0 &&
                         strcmp(portal_routes[other].path, route->path) == 0);
    }
}

static void the_site_has_its_files(void **state)
{
    (void)state;
    const struct site_file *page = site_file_find("/");
    assert_non_null(page);
    assert_string_equal(page->content_type, "text/html; charset=utf-8");
    assert_int_equal(strncasecmp(page->bytes, "<!DOCTYPE html>", 15), 0);
    assert_int_equal(strlen(page->bytes), page->length);
    assert_non_null(site_file_find("/static/site.css"));
    assert_null(site_file_find("/index.html"));
    assert_null(site_file_find("/static/"));
    assert_null(site_file_find("/static/../"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_lead_where_the_table_says),
        cmocka_unit_test(a_parameter_has_a_limit),
        cmocka_unit_test(the_portal_s_rows_are_sound),
        cmocka_unit_test(the_site_has_its_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
