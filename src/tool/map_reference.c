#include "tool/map_reference.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

#define PROXY "proxy:"

/* "host:port" without what stands around an IPv6 address. */
static void take_host_and_port(const char *text, size_t length, struct map_reference *ret)
{
    const char *colon = length != 0 ? memrchr(text, ':', length) : NULL;
    if (colon == NULL)
        return;
    CLEANUP(memory_free_at)
    char *port = memory_copy_bytes(colon + 1, length - (size_t)(colon + 1 - text));
    uint64_t number;
    if (text_parse_number(port, 1, UINT16_MAX, &number))
        ret->port = (uint16_t)number;
    bool is_bracketed = *text == '[' && colon > text && colon[-1] == ']';
    ret->host =
        memory_copy_bytes(text + is_bracketed, (size_t)(colon - text) - 2 * (size_t)is_bracketed);
}

/* unix:PATH:MAP or inet:HOST:PORT:MAP */
static void take_socketmap(const char *name, struct map_reference *ret)
{
    const char *colon = strrchr(name, ':');
    if (colon == NULL || colon == strchr(name, ':'))
        return;
    size_t length = (size_t)(colon - name);
    ret->map = memory_copy_text(colon + 1);
    if (strncmp(name, "unix:", 5) == 0)
        ret->unix_path = memory_copy_bytes(name + 5, length - 5);
    else if (strncmp(name, "inet:", 5) == 0)
        take_host_and_port(name + 5, length - 5, ret);
}

bool map_reference_parse(const char *text, struct map_reference *ret)
{
    *ret = (struct map_reference){.text = memory_copy_text(text)};
    ret->is_proxied = strncmp(text, PROXY, strlen(PROXY)) == 0;
    if (ret->is_proxied)
        text += strlen(PROXY);
    const char *colon = strchr(text, ':');
    if (colon == NULL || colon == text)
        return false;
    ret->type = memory_copy_bytes(text, (size_t)(colon - text));
    if (strcmp(ret->type, "socketmap") == 0)
        take_socketmap(colon + 1, ret);
    else if (strcmp(ret->type, "tcp") == 0)
        take_host_and_port(colon + 1, strlen(colon + 1), ret);
    return true;
}

static bool is_loopback(const char *address)
{
    return strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0;
}

static bool is_same_host(const char *host, const char *address)
{
    bool is_any = strcmp(address, "0.0.0.0") == 0 || strcmp(address, "::") == 0;
    return is_any || strcmp(host, address) == 0 ||
           (strcmp(host, "localhost") == 0 && is_loopback(address));
}

/* A path is relative to the queue directory, and an absolute one is so in a chroot. */
static bool is_same_path(const char *path, const char *wanted, const char *queue_directory)
{
    size_t length = strlen(queue_directory);
    if (strcmp(path, wanted) == 0)
        return true;
    if (strncmp(wanted, queue_directory, length) != 0 || wanted[length] != '/')
        return false;
    return strcmp(path + (*path == '/'), wanted + length + 1) == 0;
}

bool map_reference_leads_to(const struct map_reference *reference,
                            const struct config_listener *listener, const char *queue_directory)
{
    if (reference->unix_path != NULL)
        return listener->unix_path != NULL &&
               is_same_path(reference->unix_path, listener->unix_path, queue_directory);
    return reference->host != NULL && listener->inet_address != NULL && reference->port != 0 &&
           reference->port == listener->inet_port &&
           is_same_host(reference->host, listener->inet_address);
}

void map_reference_finish(struct map_reference *reference)
{
    free(reference->text);
    free(reference->type);
    free(reference->unix_path);
    free(reference->host);
    free(reference->map);
    *reference = (struct map_reference){0};
}
