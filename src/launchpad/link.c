#include "launchpad/link.h"

#include <string.h>
#include <strings.h>

#include "base/buffer.h"
#include "base/memory.h"

/* The parts of "scheme://authority/path?query" as they stand there. */
struct link_parts {
    struct span scheme;
    struct span host;
    struct span port; /* empty when not given */
    struct span path; /* with its slash */
    bool has_query;
};

/* Bytes that a path segment may hold as they are (RFC 3986 3.3), without the colon and "@". */
static const char segment_bytes[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                    "-._~!$&'()*+,;=";

static void append_segment(struct buffer *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (strchr(segment_bytes, *text) != NULL)
            buffer_append_char(out, *text);
        else
            buffer_appendf(out, "%%%02X", (unsigned char)*text);
    }
}

static char *link_below(const char *api, const char *team, const char *rest)
{
    struct buffer url = {0};
    buffer_appendf(&url, "%s/~", api);
    append_segment(&url, team);
    buffer_append_text(&url, rest);
    buffer_text(&url);
    return url.data;
}

char *link_to_team(const char *api, const char *team)
{
    return link_below(api, team, "");
}

char *link_to_participants(const char *api, const char *team)
{
    return link_below(api, team, "/participants");
}

char *link_to_super_teams(const char *api, const char *name)
{
    return link_below(api, name, "/super_teams");
}

char *link_to_login(const char *api, const char *identifier)
{
    static const char unreserved[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                     "0123456789-._~";
    struct buffer url = {0};
    const char *version = strrchr(api, '/');
    buffer_append(&url, api, version != NULL ? (size_t)(version - api) : strlen(api));
    buffer_append_text(&url, "/devel/people?ws.op=getByOpenIDIdentifier&identifier=");
    for (; *identifier != '\0'; identifier++) {
        if (strchr(unreserved, *identifier) != NULL)
            buffer_append_char(&url, *identifier);
        else
            buffer_appendf(&url, "%%%02X", (unsigned char)*identifier);
    }
    buffer_text(&url);
    return url.data;
}

static bool is_visible_ascii(const char *text)
{
    for (; *text != '\0'; text++)
        if (*text <= ' ' || *text > '~')
            return false;
    return true;
}

static void split_authority(struct span authority, struct link_parts *parts)
{
    parts->host = authority;
    parts->port = (struct span){"", 0};
    const char *colon = memrchr(authority.data, ':', authority.length);
    const char *bracket = memrchr(authority.data, ']', authority.length);
    if (colon == NULL || (bracket != NULL && bracket > colon))
        return;
    parts->host.length = (size_t)(colon - authority.data);
    parts->port = (struct span){colon + 1, authority.length - parts->host.length - 1};
}

static bool split(const char *url, struct link_parts *ret_parts)
{
    const char *mark = strstr(url, "://");
    if (!is_visible_ascii(url) || mark == NULL || strpbrk(url, "#\\") != NULL)
        return false;
    struct link_parts parts = {.scheme = {url, (size_t)(mark - url)}};
    const char *authority = mark + 3;
    size_t length = strcspn(authority, "/?");
    if (memchr(authority, '@', length) != NULL)
        return false;
    split_authority((struct span){authority, length}, &parts);
    const char *path = authority + length;
    parts.path = (struct span){path, strcspn(path, "?")};
    parts.has_query = path[parts.path.length] == '?';
    *ret_parts = parts;
    return true;
}

static bool same_caseless(struct span one, struct span other)
{
    return one.length == other.length && strncasecmp(one.data, other.data, one.length) == 0;
}

static struct span port_of(const struct link_parts *parts)
{
    if (parts->port.length != 0)
        return parts->port;
    return span_of(same_caseless(parts->scheme, span_of("https")) ? "443" : "80");
}

static int hex_value(char digit)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *at = digit != '\0' ? strchr(digits, digit) : NULL;
    return at != NULL ? (int)((at - digits) % 16) : -1;
}

/*
 * Takes one byte of a path. An encoded slash stays encoded, as it separates nothing; broken
 * encoding stands for itself.
 */
static char take_path_byte(struct span *path)
{
    const char *at = path->data;
    size_t taken = 1;
    char byte = *at;
    if (byte == '%' && path->length >= 3 && hex_value(at[1]) >= 0 && hex_value(at[2]) >= 0) {
        char decoded = (char)(hex_value(at[1]) * 16 + hex_value(at[2]));
        if (decoded != '/') {
            byte = decoded;
            taken = 3;
        }
    }
    path->data += taken;
    path->length -= taken;
    return byte;
}

static bool same_path(struct span one, struct span other)
{
    while (one.length != 0 && other.length != 0)
        if (take_path_byte(&one) != take_path_byte(&other))
            return false;
    return one.length == 0 && other.length == 0;
}

bool link_check(const char *collection, const char *link, struct error *error)
{
    struct link_parts wanted, given;
    if (!split(collection, &wanted) || !split(link, &given))
        return error_set(error, ERROR_INVALID, "the next link is not a plain absolute URL");
    if (!same_caseless(wanted.scheme, given.scheme))
        return error_set(error, ERROR_INVALID, "the next link leads to another scheme");
    if (!same_caseless(wanted.host, given.host))
        return error_set(error, ERROR_INVALID, "the next link leads to another host");
    if (!same_caseless(port_of(&wanted), port_of(&given)))
        return error_set(error, ERROR_INVALID, "the next link leads to another port");
    if (!same_path(wanted.path, given.path))
        return error_set(error, ERROR_INVALID, "the next link leads to another path");
    if (!given.has_query)
        return error_set(error, ERROR_INVALID, "the next link has no query");
    return true;
}

struct span link_origin(const char *url)
{
    struct link_parts parts;
    if (!split(url, &parts))
        return (struct span){"", 0};
    return (struct span){url, (size_t)(parts.path.data - url)};
}

struct span link_host(const char *url)
{
    struct link_parts parts;
    return split(url, &parts) ? parts.host : (struct span){"", 0};
}

/* Strict, as an address must not become another one: every percent sign begins an encoding. */
static bool decode_segment(struct span segment, struct buffer *ret)
{
    for (size_t i = 0; i < segment.length; i++) {
        int byte = (unsigned char)segment.data[i];
        if (byte == '/')
            return false;
        if (byte == '%') {
            int high = i + 2 < segment.length ? hex_value(segment.data[i + 1]) : -1;
            int low = i + 2 < segment.length ? hex_value(segment.data[i + 2]) : -1;
            if (high < 0 || low < 0)
                return false;
            byte = high * 16 + low;
            i += 2;
        }
        if (byte <= ' ' || byte == 0x7f)
            return false;
        buffer_append_char(ret, (char)byte);
    }
    return segment.length != 0;
}

/* Takes the path of wanted off that of given, if it begins so. */
static bool take_path(struct span *given, struct span wanted)
{
    while (wanted.length != 0)
        if (given->length == 0 || take_path_byte(given) != take_path_byte(&wanted))
            return false;
    return true;
}

bool link_read_email(const char *api, const char *name, const char *link, struct buffer *ret,
                     struct error *error)
{
    struct link_parts wanted, given;
    CLEANUP(memory_free_at) char *start = link_below(api, name, "/+email/");
    if (!split(start, &wanted) || !split(link, &given) || given.has_query)
        return error_set(error, ERROR_INVALID, "is not a plain absolute URL");
    if (!same_caseless(wanted.scheme, given.scheme) || !same_caseless(wanted.host, given.host) ||
        !same_caseless(port_of(&wanted), port_of(&given)))
        return error_set(error, ERROR_INVALID, "leads to another server");
    if (!take_path(&given.path, wanted.path))
        return error_set(error, ERROR_INVALID, "is not that of an address of this person");
    size_t before = ret->length;
    if (decode_segment(given.path, ret))
        return true;
    ret->length = before;
    return error_set(error, ERROR_INVALID, "holds no address");
}
