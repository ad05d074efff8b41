#include "wire/bare_http.h"

#include <string.h>
#include <strings.h>
#include <time.h>

#define LARGE  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define SMALL  "abcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"
/* RFC 9110 5.6.2, without letters and digits */
#define TOKEN_MARKS "!#$%&'*+-.^_`|~"

/* What the fields of a request say. */
struct fields {
    unsigned hosts;
    bool has_body, closes, keeps_alive;
};

/* How many bytes from the start of span are among allowed. */
static size_t run_of(struct span span, const char *allowed)
{
    size_t length = 0;
    while (length < span.length && span.data[length] != '\0' &&
           strchr(allowed, span.data[length]) != NULL)
        length++;
    return length;
}

static struct span behind(struct span span, size_t length)
{
    return (struct span){span.data + length, span.length - length};
}

static bool is_word(struct span span, const char *word)
{
    return span.length == strlen(word) && strncasecmp(span.data, word, span.length) == 0;
}

static struct span trimmed(struct span span)
{
    span = behind(span, run_of(span, " \t"));
    while (span.length > 0 && strchr(" \t", span.data[span.length - 1]) != NULL)
        span.length--;
    return span;
}

/* Whether word is an element of a list (RFC 9110 5.6.1). */
static bool has_element(struct span list, const char *word)
{
    while (list.length > 0) {
        const char *comma = memchr(list.data, ',', list.length);
        size_t length = comma != NULL ? (size_t)(comma - list.data) : list.length;
        if (is_word(trimmed((struct span){list.data, length}), word))
            return true;
        list = behind(list, comma != NULL ? length + 1 : length);
    }
    return false;
}

static bool is_printable(struct span span)
{
    for (size_t i = 0; i < span.length; i++)
        if (span.data[i] <= 0x20 || span.data[i] == 0x7f)
            return false;
    return true;
}

/* "GET /path?query HTTP/1.1" */
static bool take_request_line(struct span line, struct bare_http_request *request, char *ret_minor)
{
    static const char version[] = " HTTP/1.";
    size_t method = run_of(line, LARGE);
    size_t end = strlen(version) + 1;
    if (method == 0 || line.length < method + 1 + end || line.data[method] != ' ')
        return false;
    struct span tail = behind(line, line.length - end);
    *ret_minor = tail.data[end - 1];
    if (memcmp(tail.data, version, strlen(version)) != 0 || strchr(DIGITS, *ret_minor) == NULL ||
        *ret_minor == '\0')
        return false;
    struct span target = {line.data + method + 1, line.length - method - 1 - end};
    if (target.length == 0 || target.data[0] != '/' || !is_printable(target))
        return false;
    const char *query = memchr(target.data, '?', target.length);
    request->method = (struct span){line.data, method};
    request->path =
        (struct span){target.data, query != NULL ? (size_t)(query - target.data) : target.length};
    return true;
}

static bool take_field(struct span line, struct fields *fields)
{
    size_t length = run_of(line, SMALL LARGE DIGITS TOKEN_MARKS);
    if (length == 0 || length == line.length || line.data[length] != ':' ||
        memchr(line.data, '\0', line.length) != NULL ||
        memchr(line.data, '\r', line.length) != NULL)
        return false;
    struct span name = {line.data, length};
    struct span value = trimmed(behind(line, length + 1));
    if (is_word(name, "host"))
        fields->hosts++;
    else if (is_word(name, "transfer-encoding"))
        fields->has_body = true;
    else if (is_word(name, "content-length"))
        fields->has_body |= !span_is_text(value, "0");
    else if (is_word(name, "connection")) {
        fields->closes |= has_element(value, "close");
        fields->keeps_alive |= has_element(value, "keep-alive");
    }
    return true;
}

static bool is_whole(struct bare_http_request *request, const struct fields *fields, char minor)
{
    bool is_old = minor == '0';
    if (request->method.length == 0 || fields->hosts > 1 || (!is_old && fields->hosts == 0))
        return false;
    request->is_last = fields->has_body || fields->closes || (is_old && !fields->keeps_alive);
    return true;
}

enum wire_result bare_http_take_request(const char *data, size_t length,
                                        struct bare_http_request *ret, size_t *ret_consumed)
{
    struct bare_http_request request = {0};
    struct fields fields = {0};
    char minor = '\0';
    size_t searched = length < BARE_HTTP_REQUEST_MAX_BYTES ? length : BARE_HTTP_REQUEST_MAX_BYTES;
    size_t at = 0;
    while (at < searched) {
        const char *newline = memchr(data + at, '\n', searched - at);
        if (newline == NULL)
            break;
        struct span line = {data + at, (size_t)(newline - (data + at))};
        at += line.length + 1;
        if (line.length > 0 && line.data[line.length - 1] == '\r')
            line.length--;
        if (line.length == 0) {
            if (!is_whole(&request, &fields, minor))
                return WIRE_BAD;
            *ret = request;
            *ret_consumed = at;
            return WIRE_COMPLETE;
        }
        if (request.method.length == 0 ? !take_request_line(line, &request, &minor)
                                       : !take_field(line, &fields))
            return WIRE_BAD;
    }
    return length < BARE_HTTP_REQUEST_MAX_BYTES ? WIRE_NEED_MORE : WIRE_BAD;
}

static const char *phrase(enum bare_http_status status)
{
    switch (status) {
    case BARE_HTTP_OK:
        return "OK";
    case BARE_HTTP_BAD_REQUEST:
        return "Bad Request";
    case BARE_HTTP_NOT_FOUND:
        return "Not Found";
    case BARE_HTTP_METHOD_NOT_ALLOWED:
        return "Method Not Allowed";
    case BARE_HTTP_UNAVAILABLE:
        return "Service Unavailable";
    }
    return "";
}

/* RFC 9110 5.6.7, which no locale may change. */
static void append_date(struct buffer *out, int64_t now_s)
{
    static const char days[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t at = (time_t)now_s;
    struct tm parts;
    if (gmtime_r(&at, &parts) != NULL)
        buffer_appendf(out, "Date: %s, %02d %s %04d %02d:%02d:%02d GMT\r\n", days[parts.tm_wday],
                       parts.tm_mday, months[parts.tm_mon], parts.tm_year + 1900, parts.tm_hour,
                       parts.tm_min, parts.tm_sec);
}

void bare_http_append_reply(struct buffer *out, const struct bare_http_reply *reply)
{
    buffer_appendf(out, "HTTP/1.1 %d %s\r\n", (int)reply->status, phrase(reply->status));
    append_date(out, reply->now_s);
    buffer_appendf(out, "Content-Type: %s\r\nContent-Length: %zu\r\nCache-Control: no-store\r\n",
                   reply->content_type, reply->body.length);
    if (reply->status == BARE_HTTP_METHOD_NOT_ALLOWED)
        buffer_append_text(out, "Allow: GET, HEAD\r\n");
    if (reply->is_last)
        buffer_append_text(out, "Connection: close\r\n");
    buffer_append_text(out, "\r\n");
    if (!reply->is_head)
        buffer_append(out, reply->body.data, reply->body.length);
}
