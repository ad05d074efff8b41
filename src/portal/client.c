#include "portal/client.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <string.h>

#define IPV6_SITE_BYTES 8 /* one customer has at least a /64 */

static bool is_proxy(const char *address, const struct config_list *trusted)
{
    if (*address == '\0' || strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0)
        return true;
    for (size_t i = 0; i < trusted->count; i++)
        if (strcmp(trusted->items[i], address) == 0)
            return true;
    return false;
}

/* Into its canonical form; false: it is not numeric. */
static bool canonical(const char *text, size_t length, char ret[INET6_ADDRSTRLEN])
{
    char copy[INET6_ADDRSTRLEN];
    struct in6_addr bytes; /* holds an IPv4 address as well */
    if (length >= sizeof(copy))
        return false;
    memcpy(copy, text, length);
    copy[length] = '\0';
    int family = strchr(copy, ':') != NULL ? AF_INET6 : AF_INET;
    if (inet_pton(family, copy, &bytes) != 1)
        return false;
    if (family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&bytes))
        return inet_ntop(AF_INET, &bytes.s6_addr[12], ret, INET6_ADDRSTRLEN) != NULL;
    return inet_ntop(family, &bytes, ret, INET6_ADDRSTRLEN) != NULL;
}

/* Takes the last element off the list. False: there is none, or it is no address. */
static bool take_last(struct span *list, char ret[INET6_ADDRSTRLEN])
{
    const char *comma = memrchr(list->data, ',', list->length);
    const char *begin = comma != NULL ? comma + 1 : list->data;
    const char *end = list->data + list->length;
    list->length = comma != NULL ? (size_t)(comma - list->data) : 0;
    while (begin < end && *begin == ' ')
        begin++;
    while (end > begin && end[-1] == ' ')
        end--;
    return canonical(begin, (size_t)(end - begin), ret);
}

void client_append_address(struct buffer *out, const char *peer, const char *forwarded_for,
                           const struct config_list *trusted)
{
    char address[INET6_ADDRSTRLEN], next[INET6_ADDRSTRLEN];
    struct in6_addr six;
    struct span list = span_of(forwarded_for != NULL ? forwarded_for : "");
    strncpy(address, peer, sizeof(address) - 1);
    address[sizeof(address) - 1] = '\0';
    while (is_proxy(address, trusted) && list.length > 0 && take_last(&list, next))
        memcpy(address, next, sizeof(address));
    if (inet_pton(AF_INET6, address, &six) == 1) {
        memset(&six.s6_addr[IPV6_SITE_BYTES], 0, sizeof(six) - IPV6_SITE_BYTES);
        inet_ntop(AF_INET6, &six, address, sizeof(address));
    }
    buffer_append_text(out, *address != '\0' ? address : "local");
}
