#include "transfer/transfer.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "base/timestamp.h"
#include "transfer/driver.h"

/* Enough for both families in turn; a server that is slow after that has the request's time. */
#define CONNECT_LIMIT_MS 10000

/* curl_multi_poll counts in int; waking up now and then for nothing is harmless. */
#define POLL_LIMIT_MS 60000

#if LIBCURL_VERSION_NUM >= 0x075700
#define HAVE_QUICK_EXIT
#endif

struct exchange {
    struct exchange *next;
    struct transfer_pool *pool;
    struct transfer_request request; /* its texts are our copies */
    CURL *easy;                      /* NULL while waiting */
    struct curl_slist *headers;
    struct buffer body;
    bool is_too_large;
    char problem[CURL_ERROR_SIZE];
};

struct transfer_pool {
    CURLM *multi;
    unsigned concurrency;
    unsigned active_count;
    struct exchange *waiting; /* earliest start first, equals in the order they came */
    struct exchange *active;
    struct transfer_driver driver; /* watch is NULL: transfer_pool_run() does it */
    int64_t curl_at_ms;            /* when curl wants its turn, by the monotonic clock; -1: never */
    bool is_turning;               /* the timer is set when the turn ends */
};

bool transfer_pool_create(unsigned concurrency, struct transfer_pool **ret_pool,
                          struct error *error)
{
    CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
    if (code != CURLE_OK)
        return error_set(error, ERROR_TEMPORARY, "cannot set up curl: %s",
                         curl_easy_strerror(code));
    CURLM *multi = curl_multi_init();
    if (multi == NULL) {
        curl_global_cleanup();
        return error_set(error, ERROR_TEMPORARY, "cannot set up curl: no memory");
    }
    struct transfer_pool *pool = memory_new(1, sizeof(*pool));
    pool->multi = multi;
    pool->concurrency = concurrency;
    pool->curl_at_ms = -1;
    *ret_pool = pool;
    return true;
}

static void exchange_release_curl(struct exchange *exchange)
{
    if (exchange->easy != NULL) {
        curl_multi_remove_handle(exchange->pool->multi, exchange->easy);
        curl_easy_cleanup(exchange->easy);
        exchange->easy = NULL;
    }
    for (struct curl_slist *header = exchange->headers; header != NULL; header = header->next)
        explicit_bzero(header->data, strlen(header->data));
    curl_slist_free_all(exchange->headers);
    exchange->headers = NULL;
}

static void wipe_text(char *text)
{
    if (text != NULL)
        explicit_bzero(text, strlen(text));
    free(text);
}

static void exchange_destroy(struct exchange *exchange)
{
    exchange_release_curl(exchange);
    buffer_finish(&exchange->body);
    wipe_text((char *)exchange->request.authorization);
    wipe_text((char *)exchange->request.form);
    free((char *)exchange->request.url);
    free((char *)exchange->request.accept);
    free(exchange);
}

static void destroy_all(struct exchange *exchange)
{
    while (exchange != NULL) {
        struct exchange *next = exchange->next;
        exchange_destroy(exchange);
        exchange = next;
    }
}

void transfer_pool_destroy(struct transfer_pool *pool)
{
    if (pool == NULL)
        return;
    destroy_all(pool->waiting);
    destroy_all(pool->active);
    curl_multi_cleanup(pool->multi);
    curl_global_cleanup();
    free(pool);
}

static void enqueue(struct transfer_pool *pool, struct exchange *exchange)
{
    struct exchange **at = &pool->waiting;
    while (*at != NULL && (*at)->request.start_at_ms <= exchange->request.start_at_ms)
        at = &(*at)->next;
    exchange->next = *at;
    *at = exchange;
}

/* Of a driven pool: when the next thing is due. */
static void set_timer(const struct transfer_pool *pool)
{
    if (pool->driver.watch == NULL || pool->is_turning)
        return;
    int64_t at_ms = pool->curl_at_ms;
    if (pool->waiting != NULL && pool->active_count < pool->concurrency &&
        (at_ms < 0 || pool->waiting->request.start_at_ms < at_ms))
        at_ms = pool->waiting->request.start_at_ms;
    int64_t after_ms = at_ms - timestamp_monotonic_ms();
    pool->driver.set_timer(pool->driver.context, at_ms < 0 ? -1 : after_ms > 0 ? after_ms : 0);
}

void transfer_pool_start(struct transfer_pool *pool, const struct transfer_request *request)
{
    struct exchange *exchange = memory_new(1, sizeof(*exchange));
    exchange->pool = pool;
    exchange->request = *request;
    exchange->request.url = memory_copy_text(request->url);
    exchange->request.accept = memory_copy_text(request->accept);
    exchange->request.authorization = memory_copy_text(request->authorization);
    exchange->request.form = memory_copy_text(request->form);
    enqueue(pool, exchange);
    set_timer(pool);
}

/* Refusing bytes ends the exchange as CURLE_WRITE_ERROR; is_too_large tells why. */
static size_t take_body(char *bytes, size_t size, size_t count, void *context)
{
    struct exchange *exchange = context;
    size_t length = size * count;
    if (length > exchange->request.limit_bytes - exchange->body.length) {
        exchange->is_too_large = true;
        return 0;
    }
    buffer_append(&exchange->body, bytes, length);
    return length;
}

static long resolve_option(enum transfer_family family)
{
    switch (family) {
    case TRANSFER_IPV4:
        return CURL_IPRESOLVE_V4;
    case TRANSFER_IPV6:
        return CURL_IPRESOLVE_V6;
    case TRANSFER_ANY_FAMILY:
        break;
    }
    return CURL_IPRESOLVE_WHATEVER;
}

/* False: no memory. */
static bool add_header(struct exchange *exchange, const char *name, const char *value)
{
    size_t length = strlen(name) + strlen(value) + 3;
    char *line = memory_new(length, 1);
    snprintf(line, length, "%s: %s", name, value);
    struct curl_slist *headers = curl_slist_append(exchange->headers, line);
    wipe_text(line);
    if (headers != NULL)
        exchange->headers = headers;
    return headers != NULL;
}

static bool add_headers(struct exchange *exchange)
{
    const struct transfer_request *request = &exchange->request;
    return add_header(exchange, "Accept", request->accept) &&
           (request->authorization == NULL ||
            add_header(exchange, "Authorization", request->authorization));
}

/* A proxy of plain http reads all that is sent. NULL: as the environment says. */
static const char *proxy_for(const struct transfer_request *request)
{
    bool is_plain = strncasecmp(request->url, "https:", 6) != 0;
    return request->authorization != NULL && is_plain ? "" : NULL;
}

/* One row per option, so that none can fail unseen. */
static CURLcode set_options(struct exchange *exchange)
{
    const struct transfer_request *request = &exchange->request;
    long is_form = request->form != NULL;
    long timeout_ms = (long)request->timeout_ms;
    const struct {
        CURLoption option;
        long value;
    } numbers[] = {
        {CURLOPT_NOSIGNAL, 1},
        {CURLOPT_FOLLOWLOCATION, 0},
        {CURLOPT_HTTP09_ALLOWED, 0},
        {CURLOPT_DISALLOW_USERNAME_IN_URL, 1},
        {CURLOPT_NETRC, CURL_NETRC_IGNORED},
        {CURLOPT_SSL_VERIFYPEER, 1},
        {CURLOPT_SSL_VERIFYHOST, 2},
        {CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2},
        {CURLOPT_TIMEOUT_MS, timeout_ms},
        {CURLOPT_CONNECTTIMEOUT_MS, timeout_ms < CONNECT_LIMIT_MS ? timeout_ms : CONNECT_LIMIT_MS},
        {CURLOPT_IPRESOLVE, resolve_option(request->family)},
        {CURLOPT_FRESH_CONNECT, is_form},
        {CURLOPT_FORBID_REUSE, is_form},
#ifdef HAVE_QUICK_EXIT
        {CURLOPT_QUICK_EXIT, 1}, /* do not wait for a thread that resolves a name */
#endif
    };
    const struct {
        CURLoption option;
        const void *value;
    } pointers[] = {
        {CURLOPT_URL, request->url},
        {CURLOPT_PROTOCOLS_STR, "http,https"},
        {CURLOPT_ACCEPT_ENCODING, "gzip"},
        {CURLOPT_USERAGENT, "lpalias/" LPALIAS_VERSION},
        {CURLOPT_HTTPHEADER, exchange->headers},
        {CURLOPT_PROXY, proxy_for(request)},
        {CURLOPT_ERRORBUFFER, exchange->problem},
        {CURLOPT_WRITEDATA, exchange},
        {CURLOPT_PRIVATE, exchange},
    };
    CURLcode code = curl_easy_setopt(exchange->easy, CURLOPT_WRITEFUNCTION, take_body);
    for (size_t i = 0; code == CURLE_OK && i < ARRAY_LENGTH(numbers); i++)
        code = curl_easy_setopt(exchange->easy, numbers[i].option, numbers[i].value);
    for (size_t i = 0; code == CURLE_OK && i < ARRAY_LENGTH(pointers); i++)
        code = curl_easy_setopt(exchange->easy, pointers[i].option, pointers[i].value);
    if (code == CURLE_OK && request->form != NULL) /* which makes it a POST with that type */
        code = curl_easy_setopt(exchange->easy, CURLOPT_POSTFIELDS, request->form);
    return code;
}

static CURLcode hand_to_curl(struct exchange *exchange)
{
    buffer_clear(&exchange->body);
    exchange->problem[0] = '\0';
    exchange->easy = curl_easy_init();
    if (exchange->easy == NULL || !add_headers(exchange))
        return CURLE_OUT_OF_MEMORY;
    CURLcode code = set_options(exchange);
    if (code == CURLE_OK &&
        curl_multi_add_handle(exchange->pool->multi, exchange->easy) != CURLM_OK)
        code = CURLE_OUT_OF_MEMORY;
    return code;
}

static enum transfer_outcome outcome_of(CURLcode code, bool is_too_large)
{
    switch (code) {
    case CURLE_OK:
        return TRANSFER_ANSWERED;
    case CURLE_WRITE_ERROR:
        return is_too_large ? TRANSFER_TOO_LARGE : TRANSFER_PROTOCOL;
    case CURLE_OPERATION_TIMEDOUT:
        return TRANSFER_TIMED_OUT;
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_PARTIAL_FILE:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
    case CURLE_OUT_OF_MEMORY:
        return TRANSFER_NETWORK;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_SHUTDOWN_FAILED:
        return TRANSFER_TLS;
    default:
        return TRANSFER_PROTOCOL;
    }
}

static enum transfer_family family_used(CURL *easy)
{
    const char *address = NULL;
    if (easy == NULL || curl_easy_getinfo(easy, CURLINFO_PRIMARY_IP, &address) != CURLE_OK ||
        address == NULL || *address == '\0')
        return TRANSFER_ANY_FAMILY;
    return strchr(address, ':') != NULL ? TRANSFER_IPV6 : TRANSFER_IPV4;
}

static void read_answer(CURL *easy, struct transfer_result *result)
{
    long status = 0;
    curl_off_t retry_after_s = 0;
    const char *content_type = NULL;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &retry_after_s);
    curl_easy_getinfo(easy, CURLINFO_CONTENT_TYPE, &content_type);
    result->status = (unsigned)status;
    result->retry_after_s = retry_after_s > 0 ? retry_after_s : 0;
    if (content_type != NULL)
        result->content_type = content_type;
}

const char *transfer_header(const struct transfer_result *result, const char *name)
{
    struct curl_header *header;
    if (result->headers == NULL ||
        curl_easy_header(result->headers, name, 0, CURLH_HEADER, -1, &header) != CURLHE_OK)
        return NULL;
    return header->value;
}

/* Tells the owner and frees the exchange, which is in no list any more. */
static void exchange_conclude(struct exchange *exchange, enum transfer_outcome outcome,
                              const char *problem)
{
    struct transfer_result result = {
        .outcome = outcome,
        .problem = problem,
        .url = exchange->request.url,
        .content_type = "",
        .family = family_used(exchange->easy),
        .sent = exchange->easy != NULL,
    };
    if (outcome == TRANSFER_ANSWERED) {
        result.headers = exchange->easy;
        result.body = (struct span){buffer_text(&exchange->body), exchange->body.length};
        read_answer(exchange->easy, &result);
    }
    exchange->request.finished(exchange->request.context, &result);
    exchange_destroy(exchange);
}

static void unlink_active(struct exchange *exchange)
{
    struct exchange **at = &exchange->pool->active;
    while (*at != exchange)
        at = &(*at)->next;
    *at = exchange->next;
    exchange->pool->active_count--;
}

/* A preferred family that does not even connect has said nothing about the server. */
static bool deserves_any_family(const struct exchange *exchange, CURLcode code)
{
    return exchange->request.family != TRANSFER_ANY_FAMILY &&
           (code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_CONNECT);
}

static void exchange_end(struct exchange *exchange, CURLcode code)
{
    unlink_active(exchange);
    if (deserves_any_family(exchange, code)) {
        exchange_release_curl(exchange);
        exchange->request.family = TRANSFER_ANY_FAMILY;
        exchange->request.start_at_ms = 0;
        enqueue(exchange->pool, exchange);
        return;
    }
    const char *problem = "";
    if (code != CURLE_OK)
        problem = exchange->problem[0] != '\0' ? exchange->problem : curl_easy_strerror(code);
    exchange_conclude(exchange, outcome_of(code, exchange->is_too_large), problem);
}

static void start_due(struct transfer_pool *pool, int64_t now_ms)
{
    while (pool->waiting != NULL && pool->waiting->request.start_at_ms <= now_ms &&
           pool->active_count < pool->concurrency) {
        struct exchange *exchange = pool->waiting;
        pool->waiting = exchange->next;
        exchange->next = pool->active;
        pool->active = exchange;
        pool->active_count++;
        CURLcode code = hand_to_curl(exchange);
        if (code != CURLE_OK)
            exchange_end(exchange, code);
    }
}

/* Returns whether any exchange ended, so that others may have become due. */
static bool collect_ended(struct transfer_pool *pool)
{
    bool any = false;
    int left;
    for (CURLMsg *message; (message = curl_multi_info_read(pool->multi, &left)) != NULL;) {
        if (message->msg != CURLMSG_DONE)
            continue;
        CURLcode code = message->data.result; /* the message dies with its handle */
        struct exchange *exchange = NULL;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &exchange);
        exchange_end(exchange, code);
        any = true;
    }
    return any;
}

static void expire_list(struct exchange *exchange)
{
    while (exchange != NULL) {
        struct exchange *next = exchange->next;
        exchange_conclude(exchange, TRANSFER_EXPIRED, "the time for all exchanges is over");
        exchange = next;
    }
}

static void expire_all(struct transfer_pool *pool)
{
    struct exchange *active = pool->active;
    struct exchange *waiting = pool->waiting;
    pool->active = pool->waiting = NULL;
    pool->active_count = 0;
    expire_list(active);
    expire_list(waiting);
}

static int poll_time_ms(const struct transfer_pool *pool, int64_t now_ms, int64_t deadline_ms)
{
    int64_t until_ms = deadline_ms;
    if (pool->waiting != NULL && pool->active_count < pool->concurrency &&
        pool->waiting->request.start_at_ms < until_ms)
        until_ms = pool->waiting->request.start_at_ms;
    int64_t wait_ms = until_ms - now_ms;
    if (wait_ms < 0)
        return 0;
    return wait_ms < POLL_LIMIT_MS ? (int)wait_ms : POLL_LIMIT_MS;
}

void transfer_pool_run(struct transfer_pool *pool, int64_t deadline_ms)
{
    while (pool->waiting != NULL || pool->active != NULL) {
        int64_t now_ms = timestamp_monotonic_ms();
        if (now_ms >= deadline_ms) {
            expire_all(pool);
            return;
        }
        start_due(pool, now_ms);
        int running;
        curl_multi_perform(pool->multi, &running);
        if (!collect_ended(pool))
            curl_multi_poll(pool->multi, NULL, 0, poll_time_ms(pool, now_ms, deadline_ms), NULL);
    }
}

static int on_curl_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *unused)
{
    (void)easy;
    (void)unused;
    const struct transfer_pool *pool = context;
    pool->driver.watch(pool->driver.context, fd, what == CURL_POLL_IN || what == CURL_POLL_INOUT,
                       what == CURL_POLL_OUT || what == CURL_POLL_INOUT);
    return 0;
}

static int on_curl_timer(CURLM *multi, long after_ms, void *context)
{
    (void)multi;
    struct transfer_pool *pool = context;
    pool->curl_at_ms = after_ms < 0 ? -1 : timestamp_monotonic_ms() + after_ms;
    set_timer(pool);
    return 0;
}

bool transfer_pool_drive(struct transfer_pool *pool, const struct transfer_driver *driver,
                         struct error *error)
{
    if ((curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_ASYNCHDNS) == 0)
        return error_set(error, ERROR_INVALID,
                         "this libcurl cannot resolve names without waiting for them");
    pool->driver = *driver;
    curl_multi_setopt(pool->multi, CURLMOPT_SOCKETFUNCTION, on_curl_socket);
    curl_multi_setopt(pool->multi, CURLMOPT_SOCKETDATA, pool);
    curl_multi_setopt(pool->multi, CURLMOPT_TIMERFUNCTION, on_curl_timer);
    curl_multi_setopt(pool->multi, CURLMOPT_TIMERDATA, pool);
    return true;
}

/* What curl has done, and what can begin because of it. Only here are exchanges told their end. */
static void turn(struct transfer_pool *pool, curl_socket_t fd, int events)
{
    int running;
    pool->is_turning = true;
    curl_multi_socket_action(pool->multi, fd, events, &running);
    do
        start_due(pool, timestamp_monotonic_ms());
    while (collect_ended(pool));
    pool->is_turning = false;
    set_timer(pool);
}

void transfer_pool_on_ready(struct transfer_pool *pool, int fd, bool readable, bool writable)
{
    turn(pool, fd, (readable ? CURL_CSELECT_IN : 0) | (writable ? CURL_CSELECT_OUT : 0));
}

void transfer_pool_on_timer(struct transfer_pool *pool)
{
    if (pool->curl_at_ms >= 0 && pool->curl_at_ms <= timestamp_monotonic_ms())
        pool->curl_at_ms = -1; /* curl says anew what it wants */
    turn(pool, CURL_SOCKET_TIMEOUT, 0);
}
