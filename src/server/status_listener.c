#include "server/status_listener.h"

#include <stdlib.h>

#include "base/memory.h"
#include "server/alarm.h"

enum {
    CONNECTION_LIMIT = 8,
    /* Prometheus sends some 300 bytes. */
    HEADER_LIMIT_BYTES = 8192,
    BODY_LIMIT_BYTES = 0,
    /* At the limit of connections others wait until the slowest is cut. */
    REQUEST_LIMIT_MS = 2000,
    IDLE_LIMIT_MS = 5000, /* a monitoring system connects again when it asks again */
};

struct status_listener {
    struct status_pages *pages;
    struct http_server *http;
    uint64_t accept_failures;
    struct alarm accept_trouble;
};

static void on_request(void *context, struct http_request *request)
{
    struct status_listener *status = context;
    const struct status_question question = {
        .method = http_request_method(request),
        .path = http_request_path(request),
        .has_valid_host = http_request_has_valid_host(request),
    };
    struct http_answer answer;
    status_pages_answer(status->pages, &question, &answer);
    http_request_answer(request, &answer);
}

static void on_accept_trouble(void *context, const char *text)
{
    struct status_listener *status = context;
    status->accept_failures++;
    alarm_raise(&status->accept_trouble, "%s", text);
}

bool status_listener_create(struct loop *loop, struct inherited *inherited,
                            const struct config_listener *config, const struct status_hooks *hooks,
                            struct status_listener **ret, struct error *error)
{
    static const struct http_server_settings settings = {
        .connection_limit = CONNECTION_LIMIT,
        .header_limit_bytes = HEADER_LIMIT_BYTES,
        .body_limit_bytes = BODY_LIMIT_BYTES,
        .request_limit_ms = REQUEST_LIMIT_MS,
        .idle_limit_ms = IDLE_LIMIT_MS,
    };
    const struct listener_address address = {config->unix_path, config->inet_address,
                                             config->inet_port};
    struct status_listener *status = memory_new(1, sizeof(*status));
    const struct http_server_hooks http_hooks = {on_request, on_accept_trouble, status};
    status->pages = status_pages_create(hooks);
    if (!http_server_create(loop, &settings, &http_hooks, &status->http, error) ||
        !http_server_listen(status->http, &address, inherited, error)) {
        status_listener_destroy(status);
        return false;
    }
    *ret = status;
    return true;
}

void status_listener_stop(struct status_listener *status)
{
    if (status != NULL)
        http_server_drain(status->http, REQUEST_LIMIT_MS, NULL, NULL);
}

void status_listener_destroy(struct status_listener *status)
{
    if (status == NULL)
        return;
    http_server_destroy(status->http);
    status_pages_destroy(status->pages);
    free(status);
}

const char *status_listener_name(const struct status_listener *status)
{
    return http_server_listener_name(status->http, 0);
}

uint64_t status_listener_accepted(const struct status_listener *status)
{
    return http_server_accepted(status->http);
}

uint64_t status_listener_accept_failures(const struct status_listener *status)
{
    return status->accept_failures;
}
