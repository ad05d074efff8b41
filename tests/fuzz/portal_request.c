/*
 * What a client of the portal chooses. Input, by lines: method and target ("GET /path?query"),
 * Cookie header, Content-Type; the rest is the body. A path that is ours stays it when its
 * parameters are encoded again; a session is opened only if it can be sealed again to the same; a
 * body is an object or refused.
 */
#include "fuzz.h"

#include "base/text.h"
#include "portal/cookie.h"
#include "portal/json_body.h"
#include "portal/query.h"
#include "portal/route.h"
#include "portal/session.h"

#define NOW_S 1768212000 /* the corpus has sessions of that second */

static const unsigned char key[STATE_KEY_BYTES];
static const struct session_limits limits = {3600, 43200};

/* Takes the text up to the next line break off the rest. Caller frees. */
static char *take_line(struct span *rest)
{
    const char *end = rest->length != 0 ? memchr(rest->data, '\n', rest->length) : NULL;
    size_t length = end != NULL ? (size_t)(end - rest->data) : rest->length;
    size_t taken = length + (end != NULL ? 1 : 0);
    char *line = strndup(rest->length != 0 ? rest->data : "", length);
    REQUIRE(line != NULL);
    *rest = (struct span){rest->data + taken, rest->length - taken};
    return line;
}

/* The path of that route with these parameters, every byte of them encoded. */
static void append_path(const struct route_match *match, struct buffer *out)
{
    size_t next = 0;
    for (const char *at = match->route->path; *at != '\0'; at++) {
        if (*at != '{') {
            buffer_append_char(out, *at);
            continue;
        }
        for (const char *byte = match->parameters[next++]; *byte != '\0'; byte++)
            buffer_appendf(out, "%%%02x", (unsigned char)*byte);
        at += strcspn(at, "}");
    }
}

static void check_found(const char *method, const struct route_match *match)
{
    struct route_match again;
    CLEANUP(buffer_finish) struct buffer path = {0};
    REQUIRE(strcmp(match->route->method, strcmp(method, "HEAD") == 0 ? "GET" : method) == 0);
    append_path(match, &path);
    route_find(portal_routes, portal_route_count, method, buffer_text(&path), &again);
    REQUIRE(again.route == match->route);
    for (size_t i = 0; i < ROUTE_PARAMETERS_MAX; i++) {
        const char *parameter = match->parameters[i];
        REQUIRE((parameter == NULL) == (again.parameters[i] == NULL));
        if (parameter == NULL)
            continue;
        REQUIRE(strcmp(parameter, again.parameters[i]) == 0);
        REQUIRE(*parameter != '\0' && strlen(parameter) <= ROUTE_PARAMETER_MAX_BYTES);
        REQUIRE(strpbrk(parameter, "/\\\r\n") == NULL && strcmp(parameter, "..") != 0);
        REQUIRE(text_is_utf8(parameter, strlen(parameter)));
    }
    route_match_finish(&again);
}

static void check_route(const char *method, const char *path)
{
    struct route_match match;
    route_find(portal_routes, portal_route_count, method, path, &match);
    REQUIRE(match.route == NULL || match.allowed[0] != NULL);
    if (match.route != NULL)
        check_found(method, &match);
    else
        for (size_t i = 0; i < ROUTE_PARAMETERS_MAX; i++)
            REQUIRE(match.parameters[i] == NULL);
    route_match_finish(&match);
}

static void check_query(const char *query)
{
    struct query_field fields[] = {{"next", 100, NULL}, {"search", 30, NULL}};
    bool is_read = query_read(query, fields, ARRAY_LENGTH(fields));
    for (size_t i = 0; is_read && i < ARRAY_LENGTH(fields); i++)
        if (fields[i].value != NULL) {
            size_t length = strlen(fields[i].value);
            REQUIRE(length != 0 && length <= fields[i].max_bytes);
            REQUIRE(text_is_utf8(fields[i].value, length));
        }
    query_finish(fields, ARRAY_LENGTH(fields));
}

static void check_target(const char *target)
{
    size_t method_length = strcspn(target, " ");
    const char *url = target + method_length + (target[method_length] != '\0');
    size_t path_length = strcspn(url, "?");
    char *method = strndup(target, method_length);
    char *path = strndup(url, path_length);
    REQUIRE(method != NULL && path != NULL);
    check_route(method, path);
    check_query(url[path_length] != '\0' ? url + path_length + 1 : "");
    free(method);
    free(path);
}

static void check_session(const char *sealed)
{
    struct session session, again;
    CLEANUP(buffer_finish) struct buffer resealed = {0};
    if (!session_open(sealed, key, COOKIE_SESSION, &limits, NOW_S, &session))
        return;
    REQUIRE(session.begun_s <= NOW_S && session.used_s <= NOW_S);
    session_seal(&session, key, COOKIE_SESSION, &resealed);
    REQUIRE(session_open(buffer_text(&resealed), key, COOKIE_SESSION, &limits, NOW_S, &again));
    REQUIRE(memcmp(session.id, again.id, SESSION_ID_BYTES) == 0);
    REQUIRE(strcmp(session.account, again.account) == 0 && strcmp(session.name, again.name) == 0);
    REQUIRE(session.is_admin == again.is_admin && session.epoch == again.epoch);
    /* For the login's cookie it is worth nothing. */
    REQUIRE(!session_open(sealed, key, COOKIE_LOGIN, &limits, NOW_S, &again));
}

static void check_cookies(const char *header)
{
    CLEANUP(buffer_finish) struct buffer value = {0};
    if (!cookie_find(header, COOKIE_SESSION, &value)) {
        REQUIRE(value.length == 0);
        return;
    }
    REQUIRE(strchr(buffer_text(&value), ';') == NULL);
    check_session(buffer_text(&value));
}

static void check_body(const char *content_type, struct span body)
{
    enum refusal refusal;
    json_t *object = json_body_parse(content_type, body, &refusal);
    REQUIRE(object == NULL || json_is_object(object));
    REQUIRE(object != NULL || refusal == REFUSAL_MEDIA_TYPE || refusal == REFUSAL_BAD_REQUEST);
    json_decref(object);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct span rest = {(const char *)bytes, size};
    char *target = take_line(&rest);
    char *cookies = take_line(&rest);
    char *content_type = take_line(&rest);
    check_target(target);
    check_cookies(cookies);
    check_body(content_type, rest);
    free(target);
    free(cookies);
    free(content_type);
    return 0;
}
