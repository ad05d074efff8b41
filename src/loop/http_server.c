#include "loop/http_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>

#include "base/log.h"
#include "base/memory.h"

enum {
    BACK_OFF_MS = 1000,
    CHUNK_OVERHEAD_BYTES = 4096, /* what a chunked body may take in the buffer beside itself */
    STATUS_LENGTH_REQUIRED = 411,
};

enum peer_state {
    PEER_READING, /* a request has begun, or is the first one */
    PEER_HANDLED, /* somebody is to answer it; no limit of ours */
    PEER_SENDING,
    PEER_RESTING, /* between two requests */
};

/* One connection. evhttp makes and frees it; we hear of both. */
struct peer {
    struct http_server *server;
    struct bufferevent *bufferevent;
    struct evhttp_connection *connection; /* NULL until attach() */
    struct event *introduction;           /* pending until attach() */
    struct event *deadline;
    enum peer_state state;
    TAILQ_ENTRY(peer) entries;
};

struct http_request {
    struct http_server *server;
    struct evhttp_request *event_request;
    struct peer *peer; /* NULL: has gone, and evhttp has left event_request to us */
    char *path, *query;
    struct span body;
    char peer_name[INET6_ADDRSTRLEN];
    LIST_ENTRY(http_request) entries;
};

struct endpoint {
    struct listener *listener;
    struct evconnlistener *acceptor; /* freed by evhttp; NULL once stopped */
    struct evhttp_bound_socket *bound;
};

struct http_server {
    struct loop *loop;
    struct evhttp *http;
    struct http_server_settings settings;
    struct http_server_hooks hooks;
    struct endpoint *endpoints;
    size_t endpoint_count;
    TAILQ_HEAD(peers, peer) peers; /* those that rest, the longest-resting first */
    unsigned peer_count;
    uint64_t accepted;
    LIST_HEAD(, http_request) requests;
    struct event *resume; /* accepting pauses while this is pending */
    struct event *drain_end;
    bool draining, destroying;
    void (*drained)(void *context);
    void *drained_context;
    LIST_ENTRY(http_server) entries;
};

/* An acceptor that fails is all that libevent tells of where. */
static LIST_HEAD(, http_server) servers = LIST_HEAD_INITIALIZER(servers);

static void set_timer(struct event *timer, int64_t after_ms)
{
    struct timeval after = {after_ms / 1000, (after_ms % 1000) * 1000};
    if (event_add(timer, &after) != 0)
        abort(); /* a timer needs nothing but memory */
}

static struct event *new_timer(struct http_server *server, event_callback_fn callback,
                               void *context)
{
    struct event *timer = evtimer_new(loop_base(server->loop), callback, context);
    if (timer == NULL)
        abort();
    return timer;
}

/* Whether connections are accepted: below the limit, and not while the system refuses more. */
static void update_accepting(struct http_server *server)
{
    bool open = server->peer_count < server->settings.connection_limit &&
                !evtimer_pending(server->resume, NULL);
    for (size_t i = 0; i < server->endpoint_count; i++) {
        struct evconnlistener *acceptor = server->endpoints[i].acceptor;
        if (acceptor == NULL)
            continue;
        if (open)
            evconnlistener_enable(acceptor);
        else
            evconnlistener_disable(acceptor);
    }
}

static void tell_drained_if_so(struct http_server *server)
{
    if (server->draining && server->peer_count == 0)
        set_timer(server->drain_end, 0);
}

static void peer_set_state(struct peer *peer, enum peer_state state)
{
    const struct http_server_settings *settings = &peer->server->settings;
    peer->state = state;
    if (state == PEER_HANDLED)
        evtimer_del(peer->deadline);
    else
        set_timer(peer->deadline,
                  state == PEER_RESTING ? settings->idle_limit_ms : settings->request_limit_ms);
}

/* Bytes that are there already count as a request that has begun. */
static void peer_rest(struct peer *peer)
{
    struct evbuffer *input = bufferevent_get_input(peer->bufferevent);
    TAILQ_REMOVE(&peer->server->peers, peer, entries);
    TAILQ_INSERT_TAIL(&peer->server->peers, peer, entries);
    peer_set_state(peer, evbuffer_get_length(input) > 0 ? PEER_READING : PEER_RESTING);
    if (peer->state == PEER_RESTING &&
        peer->server->peer_count >= peer->server->settings.connection_limit)
        set_timer(peer->deadline, 0); /* evhttp still has its hands on the connection */
}

static void on_input(struct evbuffer *input, const struct evbuffer_cb_info *info, void *context)
{
    (void)input;
    struct peer *peer = context;
    if (info->n_added > 0 && peer->state == PEER_RESTING)
        peer_set_state(peer, PEER_READING);
}

/* "HTTP/1.1 4xx" or "5xx": 100 is followed by the answer proper. */
static bool begins_refusal(struct evbuffer *output)
{
    char begin[10];
    return evbuffer_copyout(output, begin, sizeof(begin)) == (ev_ssize_t)sizeof(begin) &&
           (begin[9] == '4' || begin[9] == '5');
}

/*
 * An answer to a request that nobody was handed is libevent's own. It is written line by line; what
 * we add behind its first line is a part of its headers.
 */
static void on_output(struct evbuffer *output, const struct evbuffer_cb_info *info, void *context)
{
    const struct peer *peer = context;
    const struct http_server_settings *settings = &peer->server->settings;
    if (info->orig_size > 0 || info->n_added == 0 || peer->state != PEER_READING ||
        !begins_refusal(output))
        return;
    for (size_t i = 0; i < settings->bare_header_count; i++)
        evbuffer_add_printf(output, "%s: %s\r\n", settings->bare_headers[i].name,
                            settings->bare_headers[i].value);
}

/*
 * Nothing is read while a request is at hand, but what waited to be written before it ("100
 * Continue") can fail, and the connection with it.
 */
static void forget_peer(struct http_server *server, const struct peer *peer)
{
    struct http_request *request;
    LIST_FOREACH(request, &server->requests, entries)
    if (request->peer == peer)
        request->peer = NULL;
}

static void peer_free(struct peer *peer)
{
    struct http_server *server = peer->server;
    forget_peer(server, peer);
    TAILQ_REMOVE(&server->peers, peer, entries);
    server->peer_count--;
    if (peer->connection != NULL) {
        evbuffer_remove_cb(bufferevent_get_output(peer->bufferevent), on_output, peer);
        evbuffer_remove_cb(bufferevent_get_input(peer->bufferevent), on_input, peer);
    }
    event_free(peer->introduction);
    event_free(peer->deadline);
    free(peer);
    if (server->destroying)
        return;
    update_accepting(server);
    tell_drained_if_so(server);
}

static void on_closed(struct evhttp_connection *connection, void *context)
{
    (void)connection;
    peer_free(context);
}

/*
 * evhttp says nothing of a new connection before its first request is complete, which may be never.
 * But it has made itself the context of the bufferevent's callbacks by the next turn of the loop;
 * a bufferevent that it has let go again has none.
 */
static void attach(struct peer *peer)
{
    void *connection = NULL;
    if (peer->connection != NULL)
        return;
    evtimer_del(peer->introduction);
    bufferevent_getcb(peer->bufferevent, NULL, NULL, NULL, &connection);
    peer->connection = connection;
    if (connection != NULL) {
        evhttp_connection_set_closecb(connection, on_closed, peer);
        evbuffer_add_cb(bufferevent_get_input(peer->bufferevent), on_input, peer);
    }
    bufferevent_decref(peer->bufferevent);
    if (connection == NULL)
        peer_free(peer);
}

static void on_introduction(evutil_socket_t unused, short what, void *context)
{
    (void)unused;
    (void)what;
    attach(context);
}

static void on_deadline(evutil_socket_t unused, short what, void *context)
{
    (void)unused;
    (void)what;
    struct peer *peer = context;
    if (peer->connection != NULL)
        evhttp_connection_free(peer->connection); /* on_closed() does the rest */
}

/* Who rests can come back; who waits for the first answer should not wait for that. */
static void make_room(struct http_server *server)
{
    struct peer *peer;
    TAILQ_FOREACH(peer, &server->peers, entries)
    if (peer->state == PEER_RESTING)
        break;
    if (peer != NULL)
        evhttp_connection_free(peer->connection);
}

/* evhttp asks for the bufferevent of a connection that it has just accepted. */
static struct bufferevent *on_connection(struct event_base *base, void *context)
{
    struct http_server *server = context;
    struct bufferevent *bufferevent = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
    if (bufferevent == NULL)
        abort();
    struct peer *peer = memory_new(1, sizeof(*peer));
    peer->server = server;
    peer->bufferevent = bufferevent;
    bufferevent_incref(bufferevent);
    evbuffer_add_cb(bufferevent_get_output(bufferevent), on_output, peer);
    bufferevent_setwatermark(bufferevent, EV_READ, 0,
                             server->settings.header_limit_bytes +
                                 server->settings.body_limit_bytes + CHUNK_OVERHEAD_BYTES);
    peer->introduction = new_timer(server, on_introduction, peer);
    peer->deadline = new_timer(server, on_deadline, peer);
    set_timer(peer->introduction, 0);
    TAILQ_INSERT_TAIL(&server->peers, peer, entries);
    server->peer_count++;
    server->accepted++;
    peer_set_state(peer, PEER_READING);
    if (server->peer_count >= server->settings.connection_limit)
        make_room(server);
    update_accepting(server);
    return bufferevent;
}

static struct peer *find_peer(struct http_server *server, struct evhttp_connection *connection)
{
    struct bufferevent *bufferevent = evhttp_connection_get_bufferevent(connection);
    struct peer *peer;
    TAILQ_FOREACH(peer, &server->peers, entries)
    if (peer->bufferevent == bufferevent)
        return peer;
    abort(); /* each connection has one, see on_connection() */
}

static void write_peer_name(struct evhttp_connection *connection, char name[INET6_ADDRSTRLEN])
{
    const struct sockaddr *address = evhttp_connection_get_addr(connection);
    name[0] = '\0';
    if (address != NULL && address->sa_family == AF_INET)
        inet_ntop(AF_INET, &((const struct sockaddr_in *)address)->sin_addr, name,
                  INET6_ADDRSTRLEN);
    if (address == NULL || address->sa_family != AF_INET6)
        return;
    const struct in6_addr *six = &((const struct sockaddr_in6 *)address)->sin6_addr;
    if (IN6_IS_ADDR_V4MAPPED(six))
        inet_ntop(AF_INET, &six->s6_addr[12], name, INET6_ADDRSTRLEN);
    else
        inet_ntop(AF_INET6, six, name, INET6_ADDRSTRLEN);
}

/* A token (RFC 9110 5.6.2): "Content-Length " is one header to us and another one to a proxy. */
static bool is_header_name(const char *name)
{
    static const char token[] = "!#$%&'*+-.^_`|~0123456789"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    return *name != '\0' && name[strspn(name, token)] == '\0';
}

/*
 * The status that a request is refused with because somebody before us may have seen another end of
 * it, and so the begin of another request behind it; 0: none. libevent takes the first of two
 * lengths, signs in front of them and in chunks, and leaves the body of a HEAD or TRACE unread.
 */
static int ambiguity_of(struct evhttp_request *event_request)
{
    enum evhttp_cmd_type method = evhttp_request_get_command(event_request);
    const char *length = NULL;
    const struct evkeyval *header;
    TAILQ_FOREACH(header, evhttp_request_get_input_headers(event_request), next)
    {
        if (!is_header_name(header->key))
            return HTTP_BADREQUEST;
        if (strcasecmp(header->key, "Transfer-Encoding") == 0)
            return STATUS_LENGTH_REQUIRED; /* RFC 9112 6.3; neither browsers nor proxies need it */
        if (strcasecmp(header->key, "Content-Length") != 0)
            continue;
        if (length != NULL || header->value[strspn(header->value, "0123456789")] != '\0')
            return HTTP_BADREQUEST;
        length = header->value;
    }
    bool is_body_unread = method == EVHTTP_REQ_HEAD || method == EVHTTP_REQ_TRACE;
    return is_body_unread && length != NULL && strspn(length, "0") != strlen(length)
               ? HTTP_BADREQUEST
               : 0;
}

static void on_request(struct evhttp_request *event_request, void *context)
{
    struct http_server *server = context;
    struct evhttp_connection *connection = evhttp_request_get_connection(event_request);
    struct peer *peer = find_peer(server, connection);
    int ambiguity = ambiguity_of(event_request);
    attach(peer);
    if (ambiguity != 0) {
        evhttp_send_error(event_request, ambiguity, NULL); /* and the connection ends */
        return;
    }
    struct http_request *request = memory_new(1, sizeof(*request));
    request->server = server;
    request->event_request = event_request;
    request->peer = peer;
    peer_set_state(peer, PEER_HANDLED);
    const char *target = evhttp_request_get_uri(event_request);
    size_t path_length = strcspn(target, "?");
    request->path = memory_copy_bytes(target, path_length);
    request->query = memory_copy_text(target[path_length] == '?' ? target + path_length + 1 : "");
    struct evbuffer *body = evhttp_request_get_input_buffer(event_request);
    request->body.length = evbuffer_get_length(body);
    request->body.data = request->body.length > 0 ? (const char *)evbuffer_pullup(body, -1) : "";
    write_peer_name(connection, request->peer_name);
    LIST_INSERT_HEAD(&server->requests, request, entries);
    server->hooks.handle(server->hooks.context, request);
}

static void back_off(struct http_server *server, const char *name)
{
    char text[256];
    snprintf(text, sizeof(text), "cannot accept connections on %s: %s", name, strerror(errno));
    set_timer(server->resume, BACK_OFF_MS);
    update_accepting(server);
    server->hooks.troubled(server->hooks.context, text);
}

/* The context is evhttp's. */
static void on_accept_error(struct evconnlistener *acceptor, void *context)
{
    (void)context;
    struct http_server *server;
    LIST_FOREACH(server, &servers, entries)
    for (size_t i = 0; i < server->endpoint_count; i++)
        if (server->endpoints[i].acceptor == acceptor)
            back_off(server, listener_name(server->endpoints[i].listener));
}

static void on_resume(evutil_socket_t unused, short what, void *context)
{
    (void)unused;
    (void)what;
    update_accepting(context);
}

static void on_drain_end(evutil_socket_t unused, short what, void *context)
{
    (void)unused;
    (void)what;
    struct http_server *server = context;
    void (*drained)(void *) = server->drained;
    server->drained = NULL;
    if (drained != NULL)
        drained(server->drained_context);
}

bool http_server_create(struct loop *loop, const struct http_server_settings *settings,
                        const struct http_server_hooks *hooks, struct http_server **ret,
                        struct error *error)
{
    struct evhttp *http = evhttp_new(loop_base(loop));
    if (http == NULL)
        return error_set(error, ERROR_TEMPORARY, "cannot make an HTTP server: no memory");
    struct http_server *server = memory_new(1, sizeof(*server));
    server->loop = loop;
    server->http = http;
    server->settings = *settings;
    server->hooks = *hooks;
    TAILQ_INIT(&server->peers);
    LIST_INIT(&server->requests);
    server->resume = new_timer(server, on_resume, server);
    server->drain_end = new_timer(server, on_drain_end, server);
    evhttp_set_max_headers_size(http, (ev_ssize_t)settings->header_limit_bytes);
    evhttp_set_max_body_size(http, (ev_ssize_t)settings->body_limit_bytes);
    evhttp_set_flags(http, EVHTTP_SERVER_LINGERING_CLOSE); /* so that the 413 arrives */
    evhttp_set_allowed_methods(http, EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_HEAD |
                                         EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE | EVHTTP_REQ_OPTIONS |
                                         EVHTTP_REQ_TRACE | EVHTTP_REQ_CONNECT | EVHTTP_REQ_PATCH);
    evhttp_set_bevcb(http, on_connection, server);
    evhttp_set_gencb(http, on_request, server);
    LIST_INSERT_HEAD(&servers, server, entries);
    *ret = server;
    return true;
}

/* The descriptor stays the listener's. */
static bool accept_from(struct http_server *server, struct endpoint *endpoint, struct error *error)
{
    endpoint->acceptor =
        evconnlistener_new(loop_base(server->loop), NULL, NULL, LEV_OPT_CLOSE_ON_EXEC, 0,
                           listener_fd(endpoint->listener));
    if (endpoint->acceptor != NULL) {
        evconnlistener_set_error_cb(endpoint->acceptor, on_accept_error);
        endpoint->bound = evhttp_bind_listener(server->http, endpoint->acceptor);
    }
    return endpoint->bound != NULL || error_set(error, ERROR_TEMPORARY, "cannot watch %s: %s",
                                                listener_name(endpoint->listener), strerror(errno));
}

bool http_server_listen(struct http_server *server, const struct listener_address *address,
                        struct inherited *inherited, struct error *error)
{
    static const struct listener_hooks none;
    struct endpoint endpoint = {0};
    if (!inherited_listen(inherited, server->loop, address, &none, &endpoint.listener, error))
        return false;
    server->endpoints =
        memory_resize(server->endpoints, server->endpoint_count + 1, sizeof(*server->endpoints));
    server->endpoints[server->endpoint_count] = endpoint;
    return accept_from(server, &server->endpoints[server->endpoint_count++], error);
}

const char *http_server_listener_name(const struct http_server *server, size_t place)
{
    return listener_name(server->endpoints[place].listener);
}

unsigned http_server_size(const struct http_server *server)
{
    return server->peer_count;
}

uint64_t http_server_accepted(const struct http_server *server)
{
    return server->accepted;
}

static void stop_listening(struct http_server *server)
{
    for (size_t i = 0; i < server->endpoint_count; i++) {
        struct endpoint *endpoint = &server->endpoints[i];
        if (endpoint->bound != NULL)
            evhttp_del_accept_socket(server->http, endpoint->bound);
        endpoint->bound = NULL;
        endpoint->acceptor = NULL;
        listener_stop(endpoint->listener);
    }
}

static bool is_at_rest(const struct peer *peer)
{
    return peer->state == PEER_RESTING ||
           (peer->state == PEER_READING &&
            evbuffer_get_length(bufferevent_get_input(peer->bufferevent)) == 0);
}

void http_server_drain(struct http_server *server, int64_t limit_ms, void (*drained)(void *context),
                       void *context)
{
    server->drained = drained;
    server->drained_context = context;
    stop_listening(server);
    set_timer(server->drain_end, limit_ms);
    for (struct peer *peer = TAILQ_FIRST(&server->peers), *next; peer != NULL; peer = next) {
        next = TAILQ_NEXT(peer, entries);
        if (peer->connection != NULL && is_at_rest(peer))
            evhttp_connection_free(peer->connection);
    }
    server->draining = true;
    tell_drained_if_so(server);
}

static void request_free(struct http_request *request)
{
    LIST_REMOVE(request, entries);
    free(request->path);
    free(request->query);
    free(request);
}

void http_server_destroy(struct http_server *server)
{
    if (server == NULL)
        return;
    server->destroying = true;
    while (!LIST_EMPTY(&server->requests)) {
        struct http_request *request = LIST_FIRST(&server->requests);
        if (request->peer == NULL)
            evhttp_request_free(request->event_request);
        request_free(request);
    }
    for (struct peer *peer = TAILQ_FIRST(&server->peers), *next; peer != NULL; peer = next) {
        next = TAILQ_NEXT(peer, entries);
        attach(peer);
    }
    evhttp_free(server->http);
    for (size_t i = 0; i < server->endpoint_count; i++)
        listener_destroy(server->endpoints[i].listener);
    free(server->endpoints);
    event_free(server->resume);
    event_free(server->drain_end);
    LIST_REMOVE(server, entries);
    free(server);
}

const char *http_request_method(const struct http_request *request)
{
    switch (evhttp_request_get_command(request->event_request)) {
    case EVHTTP_REQ_GET:
        return "GET";
    case EVHTTP_REQ_HEAD:
        return "HEAD";
    case EVHTTP_REQ_POST:
        return "POST";
    case EVHTTP_REQ_PUT:
        return "PUT";
    case EVHTTP_REQ_DELETE:
        return "DELETE";
    case EVHTTP_REQ_OPTIONS:
        return "OPTIONS";
    case EVHTTP_REQ_TRACE:
        return "TRACE";
    case EVHTTP_REQ_CONNECT:
        return "CONNECT";
    case EVHTTP_REQ_PATCH:
        return "PATCH";
    }
    return "";
}

const char *http_request_path(const struct http_request *request)
{
    return request->path;
}

const char *http_request_query(const struct http_request *request)
{
    return request->query;
}

const char *http_request_header(const struct http_request *request, const char *name)
{
    const struct evkeyvalq *headers = evhttp_request_get_input_headers(request->event_request);
    const struct evkeyval *header;
    const char *value = NULL;
    TAILQ_FOREACH(header, headers, next)
    if (strcasecmp(header->key, name) == 0)
        value = header->value;
    return value;
}

size_t http_request_header_count(const struct http_request *request, const char *name)
{
    const struct evkeyvalq *headers = evhttp_request_get_input_headers(request->event_request);
    const struct evkeyval *header;
    size_t count = 0;
    TAILQ_FOREACH(header, headers, next)
    count += strcasecmp(header->key, name) == 0;
    return count;
}

bool http_request_has_valid_host(const struct http_request *request)
{
    const struct evhttp_request *event_request = request->event_request;
    bool may_lack_it = event_request->major == 1 && event_request->minor == 0;
    size_t hosts = http_request_header_count(request, "Host");
    return hosts == 1 || (hosts == 0 && may_lack_it);
}

struct span http_request_body(const struct http_request *request)
{
    return request->body;
}

const char *http_request_peer(const struct http_request *request)
{
    return request->peer_name;
}

static void on_sent(struct evhttp_request *event_request, void *context)
{
    (void)event_request;
    struct peer *peer = context;
    peer_rest(peer);
}

static void add_headers(struct http_request *request, const struct http_answer *answer)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(request->event_request);
    for (size_t i = 0; i < answer->header_count; i++)
        if (evhttp_add_header(headers, answer->headers[i].name, answer->headers[i].value) != 0)
            log_error("the header %s cannot be sent as it was made", answer->headers[i].name);
    char length[24];
    snprintf(length, sizeof(length), "%zu", answer->body.length);
    if (evhttp_request_get_command(request->event_request) == EVHTTP_REQ_HEAD)
        evhttp_add_header(headers, "Content-Length", length);
    if (request->server->draining)
        evhttp_add_header(headers, "Connection", "close");
}

void http_request_answer(struct http_request *request, const struct http_answer *answer)
{
    struct evhttp_request *event_request = request->event_request;
    add_headers(request, answer);
    struct evbuffer *body = evbuffer_new();
    if (body == NULL)
        abort();
    bool has_body = evhttp_request_get_command(event_request) != EVHTTP_REQ_HEAD &&
                    answer->status != 204 && answer->status != 304;
    if (has_body && evbuffer_add(body, answer->body.data, answer->body.length) != 0)
        abort();
    struct peer *peer = request->peer;
    request_free(request);
    if (peer != NULL) {
        evhttp_request_set_on_complete_cb(event_request, on_sent, peer);
        peer_set_state(peer, PEER_SENDING);
    } /* else nothing is sent, and evhttp frees it */
    evhttp_send_reply(event_request, (int)answer->status, NULL, body);
    evbuffer_free(body);
}
