#include "portal/answer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#define HEADERS_MAX 24

struct headers {
    struct http_header rows[HEADERS_MAX];
    size_t count;
};

static const struct {
    unsigned status;
    const char *code;
    const char *message;
} refusals[REFUSAL_COUNT] = {
    [REFUSAL_BAD_REQUEST] = {400, "bad-request", "This request cannot be understood."},
    [REFUSAL_NOT_LOGGED_IN] = {401, "not-logged-in", "Please log in."},
    [REFUSAL_NOT_ADMIN] = {403, "not-allowed", "Only administrators can do this."},
    [REFUSAL_FORGED] = {403, "csrf",
                        "This did not come from a page of this site. Reload the page and try "
                        "again."},
    [REFUSAL_NOT_FOUND] = {404, "not-found", "There is nothing here."},
    [REFUSAL_METHOD] = {405, "method-not-allowed", "This cannot be done here."},
    [REFUSAL_MISDIRECTED] = {421, "misdirected", "This site has another name."},
    [REFUSAL_MEDIA_TYPE] = {415, "media-type", "Only JSON can be read here."},
    [REFUSAL_TOO_OFTEN] = {429, "too-often", "That was too often. Please wait a moment."},
    [REFUSAL_OUTDATED] = {409, "outdated",
                          "Somebody else changed this meanwhile. Reload the page."},
    [REFUSAL_FROZEN] = {409, "frozen", "The domain is frozen until its TXT record has been seen."},
    [REFUSAL_NOT_KNOWN] = {409, "not-known", "Nothing is known here of this account."},
    [REFUSAL_BANNED] = {409, "banned", "This account is banned."},
    [REFUSAL_TARGET_INVALID] = {400, "target-invalid", "That is not a mail address."},
    [REFUSAL_TARGET_OURS] = {409, "target-ours", "That address is one of ours."},
    [REFUSAL_TARGET_TOO_MANY] = {409, "target-too-many", "There are too many addresses."},
    [REFUSAL_TARGET_KNOWN] = {409, "target-known", "That address is there already."},
    [REFUSAL_LINK_INVALID] = {404, "link-invalid", "This link is not valid (any more)."},
    [REFUSAL_NAME_MISMATCH] = {400, "name-mismatch", "That is not your Launchpad name."},
    [REFUSAL_INTERNAL] = {500, "internal", "Something went wrong here."},
    [REFUSAL_UNAVAILABLE] = {503, "cannot-tell",
                             "This cannot be done right now. Please try later."},
};

static void add(struct headers *headers, const char *name, const char *value)
{
    if (headers->count == HEADERS_MAX)
        abort(); /* the lists below are longer than the array */
    headers->rows[headers->count++] = (struct http_header){name, value};
}

static void finish(struct call *call, unsigned status, struct headers *headers, struct span body)
{
    struct http_answer answer;
    for (size_t i = 0; i < call->portal->security_header_count; i++)
        add(headers, call->portal->security_headers[i].name,
            call->portal->security_headers[i].value);
    for (size_t i = 0; i < call->cookie_count; i++)
        add(headers, "Set-Cookie", buffer_text(&call->cookies[i]));
    answer = (struct http_answer){status, headers->rows, headers->count, body};
    http_request_answer(call->request, &answer);
    call_free(call);
}

static void finish_json(struct call *call, unsigned status, struct headers *headers, json_t *body)
{
    char *text = json_dumps(body, JSON_COMPACT);
    json_decref(body);
    if (text == NULL)
        abort(); /* not made of UTF-8, or no memory */
    add(headers, "Content-Type", "application/json");
    add(headers, "Cache-Control", "no-store");
    finish(call, status, headers, span_of(text));
    free(text);
}

void answer_json(struct call *call, unsigned status, json_t *body)
{
    struct headers headers = {0};
    finish_json(call, status, &headers, body);
}

void answer_json_text(struct call *call, struct span text)
{
    struct headers headers = {0};
    add(&headers, "Content-Type", "application/json");
    add(&headers, "Cache-Control", "no-store");
    finish(call, 200, &headers, text);
}

void answer_trouble(struct call *call, const struct error *error)
{
    log_error("%s", error->text);
    answer_refusal(call, REFUSAL_UNAVAILABLE, 0);
}

void answer_nothing(struct call *call)
{
    struct headers headers = {0};
    add(&headers, "Cache-Control", "no-store");
    finish(call, 204, &headers, span_of(""));
}

void answer_redirect(struct call *call, const char *location)
{
    struct headers headers = {0};
    add(&headers, "Location", location);
    add(&headers, "Cache-Control", "no-store");
    finish(call, 303, &headers, span_of(""));
}

static void refuse_by_page(struct call *call, unsigned status, const char *message,
                           struct headers *headers)
{
    struct buffer body = {0};
    buffer_appendf(
        &body,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<title>%u</title>\n<link rel=\"stylesheet\" href=\"/static/site.css\">\n"
        "<link rel=\"icon\" href=\"/static/icon.svg\" type=\"image/svg+xml\">\n"
        "<main>\n<h1>%s</h1>\n<p><a href=\"/\">Back to the first page</a></p>\n</main>\n",
        status, message);
    add(headers, "Content-Type", "text/html; charset=utf-8");
    add(headers, "Cache-Control", "no-store");
    finish(call, status, headers, (struct span){body.data, body.length});
    buffer_finish(&body);
}

/* Asked by a script and not by a browser that wants a page. */
static bool is_by_script(const struct call *call)
{
    const char *path = http_request_path(call->request);
    const struct route *route = call->match.route;
    return strncmp(path, "/api/", 5) == 0 || strcmp(path, "/status.json") == 0 ||
           (route != NULL && strcmp(route->method, "GET") != 0 && !route->is_posted_by_provider);
}

static const char *allowed_methods(const struct call *call, char *text, size_t size)
{
    size_t length = 0;
    text[0] = '\0';
    for (size_t i = 0; call->match.allowed[i] != NULL && length < size; i++) {
        bool is_get = strcmp(call->match.allowed[i], "GET") == 0;
        length += (size_t)snprintf(text + length, size - length, "%s%s%s", i == 0 ? "" : ", ",
                                   call->match.allowed[i], is_get ? ", HEAD" : "");
    }
    return text;
}

void answer_refusal(struct call *call, enum refusal refusal, int64_t wait_s)
{
    struct headers headers = {0};
    char wait[24], allowed[120];
    unsigned status = refusals[refusal].status;
    const char *message = refusals[refusal].message;
    snprintf(wait, sizeof(wait), "%" PRId64, wait_s);
    if (wait_s > 0)
        add(&headers, "Retry-After", wait);
    if (refusal == REFUSAL_METHOD)
        add(&headers, "Allow", allowed_methods(call, allowed, sizeof(allowed)));
    if (is_by_script(call))
        finish_json(call, status, &headers,
                    json_pack("{s:{s:s,s:s}}", "error", "code", refusals[refusal].code, "message",
                              message));
    else
        refuse_by_page(call, status, message, &headers);
}

void answer_page(struct call *call, const struct site_file *page)
{
    struct headers headers = {0};
    const char *known = http_request_header(call->request, "If-None-Match");
    bool is_known = known != NULL && strstr(known, page->etag) != NULL;
    add(&headers, "ETag", page->etag);
    add(&headers, "Cache-Control", "no-cache");
    add(&headers, "Content-Type", page->content_type);
    finish(call, is_known ? 304 : 200, &headers,
           is_known ? span_of("") : (struct span){page->bytes, page->length});
}
