#include "server/server.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/timestamp.h"
#include "lookup/lookup.h"
#include "loop/connection.h"
#include "loop/inherited.h"
#include "loop/listener.h"
#include "loop/loop.h"
#include "manager/manager.h"
#include "server/alarm.h"
#include "server/cache_health.h"
#include "server/counters.h"
#include "server/metrics.h"
#include "server/reload.h"
#include "server/session.h"
#include "server/status_listener.h"
#include "server/verbosity.h"
#include "server/watchdog.h"
#include "setup/lookup_settings.h"
#include "store/reader.h"

enum {
    CACHE_PERIOD_MS = 5000,     /* how often the cache is looked at when nobody asks */
    CACHE_LOOK_AGAIN_MS = 1000, /* a look that is younger answers whether we are ready */
    SPARE_DESCRIPTORS = 64,     /* cache, keys, listeners, log, event queue */
};

/* A listener and what answers behind it. */
struct endpoint {
    struct server *server;
    const struct config_listener *config; /* borrowed from the configuration */
    struct session *session;
    struct listener *listener;
    uint64_t accepted, accept_failures;
};

struct server {
    const struct config *config; /* in use: borrowed, or the one below */
    struct config *reloaded;     /* NULL: there was no reload yet */
    struct loop *loop;
    struct store_reader *reader;
    struct lookup *lookup;
    struct connection_pool *pool;
    struct inherited *inherited;
    struct endpoint *endpoints;
    size_t endpoint_count;
    uint64_t generation; /* that was read last; 0: none yet */
    bool is_stopping;
    struct watchdog *watchdog;
    struct buffer told_status; /* to the service manager */
    struct metrics *metrics;   /* NULL, as status: nobody is to see them */
    struct status_listener *status;
    struct counters counters;
    unsigned connection_limit;
    enum cache_health cache_health;
    struct error cache_trouble; /* of CACHE_TROUBLED */
    int64_t cache_looked_ms;    /* when it was looked at last, monotonic */
    struct alarm accept_trouble;
    struct alarm evictions;
    struct alarm descriptors_short;
    struct alarm stalls;
    struct connection_counts reported; /* by those alarms */
};

static void on_accepted(void *context, int fd)
{
    struct endpoint *endpoint = context;
    endpoint->accepted++;
    connection_pool_add(endpoint->server->pool, fd, session_service(endpoint->session));
}

static bool on_descriptors_short(void *context)
{
    struct endpoint *endpoint = context;
    return connection_pool_make_room(endpoint->server->pool);
}

static void on_accept_trouble(void *context, const char *text)
{
    struct endpoint *endpoint = context;
    endpoint->accept_failures++;
    alarm_raise(&endpoint->server->accept_trouble, "%s", text);
}

static enum cache_health cache_look(struct server *server, struct error *error)
{
    bool is_awake = store_reader_wake(server->reader, error);
    if (is_awake)
        server->generation = store_reader_generation(server->reader);
    bool is_distrusted = is_awake && store_reader_awaits_opening(server->reader);
    if (!lookup_look_around(server->lookup, error))
        return CACHE_TROUBLED;
    return is_distrusted ? CACHE_DISTRUSTED : CACHE_FINE;
}

/* Trouble with the cache is said when it begins and when it ends, however many requests meet it. */
static void watch_cache(struct server *server)
{
    enum cache_health before = server->cache_health;
    server->cache_looked_ms = timestamp_monotonic_ms();
    server->cache_health = cache_look(server, &server->cache_trouble);
    if (server->cache_health == before)
        return;
    switch (server->cache_health) {
    case CACHE_TROUBLED:
        log_error("%s; members' addresses are answered TEMP until this is mended",
                  server->cache_trouble.text);
        break;
    case CACHE_DISTRUSTED:
        log_error("%s holds another or an older cache than before: names it does not know are "
                  "answered TEMP until their domain is opened again",
                  server->config->cache);
        break;
    case CACHE_FINE:
        if (before != CACHE_UNKNOWN)
            log_info("the cache is well again");
        break;
    case CACHE_UNKNOWN:
        break;
    }
}

static void watch_connections(struct server *server)
{
    struct connection_counts now = connection_pool_counts(server->pool);
    struct connection_counts before = server->reported;
    if (now.evicted != before.evicted)
        alarm_raise(&server->evictions,
                    "%" PRIu64
                    " idle connections were dropped since the start to make room for new "
                    "ones: connection-limit is small for this mail server",
                    now.evicted);
    if (now.evicted_for_descriptors != before.evicted_for_descriptors)
        alarm_raise(&server->descriptors_short,
                    "%" PRIu64
                    " idle connections were dropped since the start as the process may open no "
                    "more files: its limit is small for connection-limit",
                    now.evicted_for_descriptors);
    if (now.stalled_requests != before.stalled_requests ||
        now.stalled_replies != before.stalled_replies)
        alarm_raise(&server->stalls,
                    "%" PRIu64 " connections were dropped since the start with a request that did "
                    "not end within stall-limit, %" PRIu64 " with replies that were not taken",
                    now.stalled_requests, now.stalled_replies);
    server->reported = now;
}

static void append_status(const struct server *server, struct buffer *out)
{
    static const char *const healths[] = {
        [CACHE_UNKNOWN] = "not looked at",
        [CACHE_FINE] = "well",
        [CACHE_DISTRUSTED] = "another or an older one than before",
        [CACHE_TROUBLED] = "unreadable, members' addresses are answered TEMP",
    };
    if (server->generation > 0)
        buffer_appendf(out, "generation %" PRIu64 ", ", server->generation);
    buffer_appendf(out, "cache %s, %u connections", healths[server->cache_health],
                   connection_pool_size(server->pool));
}

static void tell_status(struct server *server)
{
    struct buffer status = {0};
    append_status(server, &status);
    if (strcmp(buffer_text(&status), buffer_text(&server->told_status)) != 0)
        manager_tell_status(buffer_text(&status));
    buffer_finish(&server->told_status);
    server->told_status = status;
}

static void on_tick(void *context)
{
    struct server *server = context;
    watch_cache(server);
    watch_connections(server);
    tell_status(server);
    if (server->metrics != NULL)
        metrics_tick(server->metrics);
}

static bool is_ready(void *context, struct buffer *reasons)
{
    struct server *server = context;
    if (timestamp_monotonic_ms() - server->cache_looked_ms >= CACHE_LOOK_AGAIN_MS)
        watch_cache(server);
    switch (server->cache_health) {
    case CACHE_TROUBLED:
        buffer_appendf(reasons, "%s\n", server->cache_trouble.text);
        return false;
    case CACHE_DISTRUSTED:
        buffer_appendf(reasons, "%s holds another or an older cache than before\n",
                       server->config->cache);
        return false;
    case CACHE_UNKNOWN:
    case CACHE_FINE:
        break;
    }
    return true;
}

static struct metrics_listener *list_listeners(const struct server *server, size_t *ret_count)
{
    *ret_count = server->endpoint_count + 1;
    struct metrics_listener *listeners = memory_new(*ret_count, sizeof(*listeners));
    for (size_t i = 0; i < server->endpoint_count; i++) {
        const struct endpoint *endpoint = &server->endpoints[i];
        listeners[i] = (struct metrics_listener){listener_name(endpoint->listener),
                                                 counters_protocol_name(endpoint->config->protocol),
                                                 endpoint->accepted, endpoint->accept_failures};
    }
    listeners[server->endpoint_count] = (struct metrics_listener){
        status_listener_name(server->status), "http", status_listener_accepted(server->status),
        status_listener_accept_failures(server->status)};
    return listeners;
}

static void append_metrics(void *context, struct buffer *out)
{
    struct server *server = context;
    CLEANUP(memory_free_at) struct metrics_listener *listeners = NULL;
    struct metrics_facts facts = {
        .config = server->config,
        .counters = &server->counters,
        .connections = connection_pool_counts(server->pool),
        .connection_count = connection_pool_size(server->pool),
        .connection_limit = server->connection_limit,
        .cache_health = server->cache_health,
    };
    facts.listeners = listeners = list_listeners(server, &facts.listener_count);
    metrics_append(server->metrics, &facts, out);
}

static void before_sleep(void *context)
{
    struct server *server = context;
    lookup_rest(server->lookup);
}

/* A client asks as soon as it has connected; the machine may be busy. */
static const struct connection_drain_limits drain_limits = {
    .first_request_ms = 2000,
    .all_ms = 5000,
};

static void on_drained(void *context)
{
    struct server *server = context;
    loop_stop(server->loop);
}

/* Domains that only the cache has: a slip of the pen, more often than not. */
static void warn_of_unconfigured(const struct server *server)
{
    struct buffer names = {0};
    if (lookup_has_unconfigured(server->lookup, &names))
        log_warning("no domain of the configuration any more, but of the cache: %s; their "
                    "addresses are served, and unknown names answered TEMP",
                    buffer_text(&names));
    buffer_finish(&names);
}

static void replace_lookup(struct server *server, struct lookup *lookup)
{
    lookup_remember(lookup, server->lookup);
    for (size_t i = 0; i < server->endpoint_count; i++)
        session_use(server->endpoints[i].session, lookup);
    lookup_destroy(server->lookup);
    server->lookup = lookup;
    watch_cache(server);
    warn_of_unconfigured(server);
}

static void on_reload(void *context)
{
    struct server *server = context;
    struct config *next = NULL;
    if (server->is_stopping)
        return;
    manager_tell_reloading();
    bool is_taken = reload_read(server->config, &next);
    counters_note_reload(&server->counters, !is_taken);
    if (is_taken) {
        verbosity_apply(next);
        replace_lookup(server, lookup_create_from_config(next, server->reader));
        config_destroy(server->reloaded);
        server->config = server->reloaded = next;
        log_info("the configuration was read again");
    }
    manager_tell_ready();
}

static void on_signal(void *context)
{
    struct server *server = context;
    log_info("stopping");
    manager_tell_stopping();
    watchdog_stop(server->watchdog);
    server->watchdog = NULL;
    server->is_stopping = true;
    for (size_t i = 0; i < server->endpoint_count; i++)
        listener_stop(server->endpoints[i].listener);
    status_listener_stop(server->status);
    connection_pool_drain(server->pool, &drain_limits, on_drained, server);
}

/* So that the connection limit is what ends connections, and not a lack of descriptors. */
static unsigned fit_connection_limit(unsigned wanted)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return wanted;
    rlim_t needed = (rlim_t)wanted + SPARE_DESCRIPTORS;
    if (limit.rlim_cur < needed) {
        limit.rlim_cur = limit.rlim_max < needed ? limit.rlim_max : needed;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    if (limit.rlim_cur >= needed)
        return wanted;
    unsigned fitting = limit.rlim_cur > 2 * SPARE_DESCRIPTORS
                           ? (unsigned)limit.rlim_cur - SPARE_DESCRIPTORS
                           : (unsigned)limit.rlim_cur / 2;
    log_warning("the process may open %ju files only, so there can be %u connections and not %u",
                (uintmax_t)limit.rlim_cur, fitting, wanted);
    return fitting;
}

static bool create_session(struct server *server, const struct config_listener *config,
                           struct session **ret, struct error *error)
{
    enum lookup_map map = LOOKUP_MAP_ALIAS;
    switch (config->protocol) {
    case CONFIG_SOCKETMAP:
        *ret = session_create_socketmap(server->lookup, &server->counters);
        return true;
    case CONFIG_TCP_TABLE:
        if (!lookup_map_from_name(config->map, strlen(config->map), &map))
            return error_set(error, ERROR_INVALID, "%s: there is no map \"%s\"", config->text,
                             config->map);
        *ret = session_create_tcp_table(server->lookup, &server->counters, map);
        return true;
    case CONFIG_POLICY:
        *ret = session_create_policy(server->lookup, &server->counters);
        return true;
    }
    return error_set(error, ERROR_INVALID, "%s: unknown protocol", config->text);
}

static bool open_endpoint(struct server *server, const struct config_listener *config,
                          struct error *error)
{
    struct endpoint *endpoint = &server->endpoints[server->endpoint_count];
    endpoint->server = server;
    endpoint->config = config;
    if (!create_session(server, config, &endpoint->session, error))
        return false;
    server->endpoint_count++;
    struct listener_address address = {config->unix_path, config->inet_address, config->inet_port};
    struct listener_hooks hooks = {on_accepted, on_accept_trouble, endpoint, on_descriptors_short};
    return inherited_listen(server->inherited, server->loop, &address, &hooks, &endpoint->listener,
                            error);
}

static bool open_status(struct server *server, const struct config_listener *config,
                        struct error *error)
{
    struct status_hooks hooks = {append_metrics, is_ready, server};
    if (config->text == NULL)
        return true;
    server->metrics = metrics_create(server->loop, server->reader);
    return status_listener_create(server->loop, server->inherited, config, &hooks, &server->status,
                                  error);
}

static bool build(struct server *server, const struct config *config, struct error *error)
{
    struct connection_pool_settings limits = {
        .connection_limit = fit_connection_limit(config->server.connection_limit),
        .idle_limit_ms = config->server.idle_limit_ms,
        .stall_limit_ms = config->server.stall_limit_ms,
    };
    struct store_reader_settings cache = {
        .directory = config->cache,
        .key_file = config->key_file,
        .limit_bytes = config->cache_limit_bytes,
    };
    server->config = config;
    server->connection_limit = limits.connection_limit;
    server->reader = store_reader_create(&cache);
    server->lookup = lookup_create_from_config(config, server->reader);
    if (!loop_create(&server->loop, error) ||
        !connection_pool_create(server->loop, &limits, &server->pool, error) ||
        !loop_on_signal(server->loop, on_signal, server, error) ||
        !loop_watch_signal(server->loop, SIGHUP, on_reload, server, error) ||
        !verbosity_watch_signals(server->loop, error) || !inherited_take(&server->inherited, error))
        return false;
    loop_before_sleep(server->loop, before_sleep, server);
    loop_every(server->loop, CACHE_PERIOD_MS, on_tick, server);
    server->endpoints = memory_new(config->server.listener_count, sizeof(*server->endpoints));
    for (size_t i = 0; i < config->server.listener_count; i++)
        if (!open_endpoint(server, &config->server.listeners[i], error))
            return false;
    return open_status(server, &config->server.metrics, error) &&
           inherited_all_claimed(server->inherited, error);
}

bool server_create(const struct config *config, struct server **ret, struct error *error)
{
    if (config->server.listener_count == 0)
        return error_set(
            error, ERROR_INVALID,
            "%s has no listener; add socketmap = { \"unix:...\" } to its server section",
            config->file);
    struct server *server = memory_new(1, sizeof(*server));
    if (!build(server, config, error)) {
        server_destroy(server);
        return false;
    }
    *ret = server;
    return true;
}

static void append_endpoint(struct buffer *names, const struct endpoint *endpoint)
{
    const char *name = listener_name(endpoint->listener);
    switch (endpoint->config->protocol) {
    case CONFIG_SOCKETMAP:
        buffer_appendf(names, "socketmap %s", name);
        break;
    case CONFIG_TCP_TABLE:
        buffer_appendf(names, "tcp-table %s map %s", name, endpoint->config->map);
        break;
    case CONFIG_POLICY:
        buffer_appendf(names, "policy %s", name);
        break;
    }
}

static void log_ready(const struct server *server)
{
    struct buffer names = {0};
    for (size_t i = 0; i < server->endpoint_count; i++) {
        buffer_append_text(&names, i == 0 ? "" : ", ");
        append_endpoint(&names, &server->endpoints[i]);
    }
    if (server->status != NULL)
        buffer_appendf(&names, ", metrics %s", status_listener_name(server->status));
    log_info("ready, listening on %s", buffer_text(&names));
    buffer_finish(&names);
}

/* A unix socket if there is one: the sandbox lets us reach no other. */
static void start_watchdog(struct server *server)
{
    const struct endpoint *asked = &server->endpoints[0];
    for (size_t i = server->endpoint_count; i-- > 0;)
        if (server->endpoints[i].config->unix_path != NULL)
            asked = &server->endpoints[i];
    server->watchdog = watchdog_start(server->loop, asked->listener, asked->config->protocol);
}

bool server_run(struct server *server, struct error *error)
{
    on_tick(server);
    warn_of_unconfigured(server);
    log_ready(server);
    manager_tell_ready();
    start_watchdog(server);
    return loop_run(server->loop, error);
}

void server_destroy(struct server *server)
{
    if (server == NULL)
        return;
    watchdog_stop(server->watchdog);
    /* Connections first: they borrow the sessions. */
    connection_pool_destroy(server->pool);
    status_listener_destroy(server->status);
    metrics_destroy(server->metrics);
    for (size_t i = 0; i < server->endpoint_count; i++) {
        listener_destroy(server->endpoints[i].listener);
        session_destroy(server->endpoints[i].session);
    }
    free(server->endpoints);
    buffer_finish(&server->told_status);
    inherited_destroy(server->inherited);
    loop_destroy(server->loop);
    lookup_destroy(server->lookup);
    store_reader_destroy(server->reader);
    config_destroy(server->reloaded);
    free(server);
}
