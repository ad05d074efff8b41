#include "server/status_listener.h"

#include <stdlib.h>

#include "base/memory.h"
#include "server/alarm.h"

enum {
    CONNECTION_LIMIT = 8,
    IDLE_LIMIT_MS = 5000, /* a monitoring system connects again when it asks again */
    STALL_LIMIT_MS = 5000,
};

struct status_listener {
    struct status_pages *pages;
    struct connection_pool *pool;
    struct listener *listener;
    uint64_t accepted, accept_failures;
    struct alarm accept_trouble;
};

static void on_accepted(void *context, int fd)
{
    struct status_listener *status = context;
    status->accepted++;
    connection_pool_add(status->pool, fd, status_pages_service(status->pages));
}

static void on_accept_trouble(void *context, const char *text)
{
    struct status_listener *status = context;
    status->accept_failures++;
    alarm_raise(&status->accept_trouble, "%s", text);
}

static bool make_room(void *context)
{
    struct status_listener *status = context;
    return connection_pool_make_room(status->pool);
}

bool status_listener_create(struct loop *loop, struct inherited *inherited,
                            const struct config_listener *config, const struct status_hooks *hooks,
                            struct status_listener **ret, struct error *error)
{
    const struct connection_pool_settings limits = {CONNECTION_LIMIT, IDLE_LIMIT_MS,
                                                    STALL_LIMIT_MS};
    const struct listener_address address = {config->unix_path, config->inet_address,
                                             config->inet_port};
    struct status_listener *status = memory_new(1, sizeof(*status));
    const struct listener_hooks listener_hooks = {on_accepted, on_accept_trouble, status,
                                                  make_room};
    status->pages = status_pages_create(hooks);
    if (!connection_pool_create(loop, &limits, &status->pool, error) ||
        !inherited_listen(inherited, loop, &address, &listener_hooks, &status->listener, error)) {
        status_listener_destroy(status);
        return false;
    }
    *ret = status;
    return true;
}

void status_listener_stop(struct status_listener *status)
{
    if (status != NULL)
        listener_stop(status->listener);
}

void status_listener_destroy(struct status_listener *status)
{
    if (status == NULL)
        return;
    connection_pool_destroy(status->pool);
    listener_destroy(status->listener);
    status_pages_destroy(status->pages);
    free(status);
}

const char *status_listener_name(const struct status_listener *status)
{
    return listener_name(status->listener);
}

uint64_t status_listener_accepted(const struct status_listener *status)
{
    return status->accepted;
}

uint64_t status_listener_accept_failures(const struct status_listener *status)
{
    return status->accept_failures;
}
