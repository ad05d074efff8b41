#include "config/listener.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "base/memory.h"
#include "base/text.h"

#define UNIX_PATH_MAX_BYTES (sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1)

static bool parse_unix(const char *path, struct config_listener *listener, struct buffer *wrong)
{
    size_t length = strlen(path);
    if (*path != '/') {
        buffer_append_text(wrong, "has a relative path; begin it with \"/\": unix:/path");
        return false;
    }
    if (path[length - 1] == '/') {
        buffer_append_text(wrong, "names a directory; add the name of the socket");
        return false;
    }
    if (length > UNIX_PATH_MAX_BYTES) {
        buffer_appendf(wrong, "has a path of %zu bytes; a socket's path can have %zu", length,
                       UNIX_PATH_MAX_BYTES);
        return false;
    }
    listener->unix_path = memory_copy_text(path);
    return true;
}

/* The address in canonical form, or NULL if it is none. Caller frees. */
static char *canonical_address(int family, const char *address)
{
    struct in6_addr bytes; /* holds an IPv4 address as well */
    char text[INET6_ADDRSTRLEN];
    if (inet_pton(family, address, &bytes) != 1)
        return NULL;
    return memory_copy_text(inet_ntop(family, &bytes, text, sizeof(text)));
}

char *listener_canonical_address(const char *address)
{
    return canonical_address(strchr(address, ':') != NULL ? AF_INET6 : AF_INET, address);
}

/* rest is what follows "inet:"; the port stands behind the last colon. */
static bool parse_inet(const char *rest, struct config_listener *listener, struct buffer *wrong)
{
    const char *colon = strrchr(rest, ':');
    uint64_t port = 0;
    if (colon == NULL || !text_parse_number(colon + 1, 0, UINT16_MAX, &port)) {
        buffer_append_text(wrong, "has no port from 0 to 65535; write inet:127.0.0.1:10041");
        return false;
    }
    size_t length = (size_t)(colon - rest);
    bool brackets = length >= 2 && rest[0] == '[' && rest[length - 1] == ']';
    CLEANUP(memory_free_at)
    char *address =
        brackets ? memory_copy_bytes(rest + 1, length - 2) : memory_copy_bytes(rest, length);
    char *canonical = canonical_address(brackets ? AF_INET6 : AF_INET, address);
    if (canonical == NULL) {
        buffer_append_text(wrong, !brackets && strchr(address, ':') != NULL
                                      ? "has an IPv6 address without brackets; write "
                                        "inet:[::1]:10041"
                                      : "has no numeric address; write inet:127.0.0.1:10041 or "
                                        "inet:[::1]:10041");
        return false;
    }
    listener->inet_address = canonical;
    listener->inet_port = (uint16_t)port;
    return true;
}

bool listener_parse(const char *text, struct config_listener *ret_listener, struct buffer *wrong)
{
    struct config_listener listener = {0};
    bool done = false;
    if (strncmp(text, "unix:", 5) == 0)
        done = parse_unix(text + 5, &listener, wrong);
    else if (strncmp(text, "inet:", 5) == 0)
        done = parse_inet(text + 5, &listener, wrong);
    else
        buffer_append_text(wrong, "is not a listener; write unix:/path or inet:127.0.0.1:10041");
    if (!done)
        return false;
    listener.text = memory_copy_text(text);
    *ret_listener = listener;
    return true;
}

bool listener_is_local(const struct config_listener *listener)
{
    if (listener->inet_address == NULL)
        return true;
    struct in_addr four;
    if (inet_pton(AF_INET, listener->inet_address, &four) == 1)
        return ntohl(four.s_addr) >> 24 == 127;
    struct in6_addr six;
    if (inet_pton(AF_INET6, listener->inet_address, &six) != 1)
        return false;
    return IN6_IS_ADDR_LOOPBACK(&six) || (IN6_IS_ADDR_V4MAPPED(&six) && six.s6_addr[12] == 127);
}

bool listener_is_same(const struct config_listener *a, const struct config_listener *b)
{
    if (a->unix_path != NULL && b->unix_path != NULL)
        return strcmp(a->unix_path, b->unix_path) == 0;
    return a->inet_address != NULL && b->inet_address != NULL && a->inet_port != 0 &&
           a->inet_port == b->inet_port && strcmp(a->inet_address, b->inet_address) == 0;
}

void listener_finish(struct config_listener *listener)
{
    free(listener->text);
    free(listener->unix_path);
    free(listener->inet_address);
    free(listener->map);
    *listener = (struct config_listener){0};
}
