#include "portal/portal.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/timestamp.h"
#include "loop/inherited.h"
#include "loop/transfer_loop.h"
#include "manager/manager.h"
#include "portal/arrival.h"
#include "portal/cache.h"
#include "portal/call.h"
#include "portal/confinement.h"
#include "portal/handover.h"
#include "portal/status.h"
#include "transfer/transfer.h"

enum {
    HEADER_LIMIT_BYTES = 16 * 1024,
    BODY_LIMIT_BYTES = 64 * 1024, /* a login's answer as a form is some kilobytes */
    IDLE_LIMIT_MS = 75 * 1000,    /* longer than proxies keep connections by default */
    PRUNE_PERIOD_MS = 60 * 1000,
    DRAIN_LIMIT_MS = 5000,
    TRANSFERS_MAX = 256, /* so that it takes many that hang before others have to wait */
};

static void on_accept_trouble(void *context, const char *text)
{
    (void)context;
    log_error("%s", text);
}

static void on_prune(void *context)
{
    struct portal *portal = context;
    struct error error = {0};
    if (!state_prune(portal->state, timestamp_now_s(), &error))
        log_error("%s", error.text);
}

static void on_drained(void *context)
{
    struct portal *portal = context;
    loop_stop(portal->loop);
}

static void on_signal(void *context)
{
    struct portal *portal = context;
    log_info("stopping");
    manager_tell_stopping();
    http_server_drain(portal->http, DRAIN_LIMIT_MS, on_drained, portal);
}

/*
 * Nothing but our own files, no inline script or style, in nobody's frame, and no text that becomes
 * markup. A form that leads to the login provider by a redirect needs it named, too.
 */
static char *make_content_security_policy(const struct config_portal *config)
{
    struct buffer policy = {0};
    const char *host = strstr(config->openid_endpoint, "://") + 3;
    size_t origin_length = (size_t)(host - config->openid_endpoint) + strcspn(host, "/");
    buffer_append_text(&policy,
                       "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
                       "connect-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
                       "require-trusted-types-for 'script'; trusted-types 'none'; "
                       "form-action 'self' ");
    buffer_append(&policy, config->openid_endpoint, origin_length);
    buffer_text(&policy);
    return policy.data;
}

static void make_security_headers(struct portal *portal)
{
    const struct http_header headers[] = {
        {"Content-Security-Policy", portal->content_security_policy},
        {"X-Content-Type-Options", "nosniff"},
        {"X-Frame-Options", "DENY"},
        /* With "no-referrer" browsers would send "Origin: null" to ourselves. */
        {"Referrer-Policy", "same-origin"},
        {"Cross-Origin-Opener-Policy", "same-origin"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
        {"Permissions-Policy",
         "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"},
        /* The last one, as not every site has it. */
        {"Strict-Transport-Security", "max-age=31536000"},
    };
    _Static_assert(ARRAY_LENGTH(headers) == PORTAL_SECURITY_HEADERS_MAX, "room for all");
    memcpy(portal->security_headers, headers, sizeof(headers));
    portal->security_header_count = ARRAY_LENGTH(headers) - (portal->is_https ? 0 : 1);
}

static bool build(struct portal *portal, struct error *error)
{
    const struct config_portal *config = &portal->config->portal;
    portal->is_https = strncmp(config->url, "https:", 6) == 0;
    portal->authority = strstr(config->url, "://") + 3;
    portal->content_security_policy = make_content_security_policy(config);
    make_security_headers(portal);
    struct http_server_settings settings = {
        .connection_limit = config->connection_limit,
        .header_limit_bytes = HEADER_LIMIT_BYTES,
        .body_limit_bytes = BODY_LIMIT_BYTES,
        .request_limit_ms = config->request_timeout_ms,
        .idle_limit_ms = IDLE_LIMIT_MS,
        .bare_headers = portal->security_headers,
        .bare_header_count = portal->security_header_count,
    };
    struct http_server_hooks hooks = {call_begin, on_accept_trouble, portal};
    struct listener_address address = {config->listen.unix_path, config->listen.inet_address,
                                       config->listen.inet_port};
    portal->session_limits =
        (struct session_limits){config->session_idle_ms / 1000, config->session_limit_ms / 1000};
    if (!loop_create(&portal->loop, error))
        return false;
    portal->status = status_create(portal);
    return loop_on_signal(portal->loop, on_signal, portal, error) &&
           transfer_pool_create(TRANSFERS_MAX, &portal->transfers, error) &&
           transfer_loop_create(portal->loop, portal->transfers, &portal->transfer_loop, error) &&
           inherited_take(&portal->inherited, error) &&
           http_server_create(portal->loop, &settings, &hooks, &portal->http, error) &&
           http_server_listen(portal->http, &address, portal->inherited, error) &&
           inherited_all_claimed(portal->inherited, error);
}

bool portal_create(const struct config *config, struct portal **ret, struct error *error)
{
    struct portal *portal = memory_new(1, sizeof(*portal));
    portal->config = config;
    portal->cache = cache_create(config);
    if (!build(portal, error)) {
        portal_destroy(portal);
        return false;
    }
    *ret = portal;
    return true;
}

bool portal_run(struct portal *portal, struct error *error)
{
    if (!handover_create(portal->config->file, &portal->handover, error) ||
        !state_open(portal->config->portal.state, &portal->state, error))
        return false;
    json_object_seed(0); /* reads /dev/urandom */
    confinement_enter(portal->config);
    loop_every(portal->loop, PRUNE_PERIOD_MS, on_prune, portal);
    status_begin_samples(portal->status);
    log_info("ready, %s listening on %s", portal->config->portal.url,
             http_server_listener_name(portal->http, 0));
    manager_tell_ready();
    return loop_run(portal->loop, error);
}

void portal_destroy(struct portal *portal)
{
    if (portal == NULL)
        return;
    transfer_pool_destroy(portal->transfers); /* what waits for one is told nothing any more */
    transfer_loop_destroy(portal->transfer_loop);
    arrival_abandon_all(portal);
    status_destroy(portal->status);
    http_server_destroy(portal->http);
    inherited_destroy(portal->inherited);
    handover_destroy(portal->handover);
    loop_destroy(portal->loop);
    state_close(portal->state);
    cache_destroy(portal->cache);
    free(portal->content_security_policy);
    free(portal);
}
