/*
 * HTTP exchanges with limits: so many at a time, so long, so many bytes. The only folder that
 * knows curl. Whatever a server does, each exchange that was started ends in exactly one call of
 * its finished(), and none takes more time or memory than its request allows.
 *
 * What holds for all: http and https only, redirects are never followed, certificates are always
 * verified, TLS is 1.2 or later, no cookies, no .netrc, User-Agent "lpalias/VERSION", gzip is
 * accepted. Proxies are taken from curl's environment variables (https_proxy, http_proxy,
 * no_proxy), as operators behind one expect; the family of an exchange is then the proxy's.
 */
#ifndef LPALIAS_TRANSFER_TRANSFER_H
#define LPALIAS_TRANSFER_TRANSFER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/error.h"

/* ANY races both by RFC 8305. The others are a preference: if nothing connects, ANY is tried. */
enum transfer_family { TRANSFER_ANY_FAMILY, TRANSFER_IPV4, TRANSFER_IPV6 };

enum transfer_outcome {
    TRANSFER_ANSWERED,  /* a whole answer of any status, a redirect included */
    TRANSFER_TIMED_OUT, /* the request's own time was over */
    TRANSFER_EXPIRED,   /* the deadline of transfer_pool_run() came first */
    TRANSFER_NETWORK,   /* no address, no connection, or cut off before the answer's end */
    TRANSFER_TLS,       /* no TLS, or a certificate that is not to be trusted */
    TRANSFER_TOO_LARGE, /* the body, decompressed, goes beyond limit_bytes */
    TRANSFER_PROTOCOL,  /* the URL or the answer is no HTTP that we speak */
};

struct transfer_result {
    enum transfer_outcome outcome;
    unsigned status;             /* of ANSWERED: 100..599 */
    const char *problem;         /* of all others: one line; else "" */
    const char *url;             /* as asked for */
    struct span body;            /* of ANSWERED, decompressed */
    const char *content_type;    /* "" when there is none */
    int64_t retry_after_s;       /* Retry-After as seconds or date (RFC 9110 10.2.3); 0: none */
    enum transfer_family family; /* that was used; ANY when nothing was connected */
    bool sent;                   /* false only of EXPIRED: it was still waiting its turn */
    void *headers;               /* for transfer_header() */
};

struct transfer_request {
    const char *url;
    const char *accept; /* the media type we can read */
    /*
     * The value of an Authorization header, or NULL. It goes to the host of url only; a plain http
     * request with one takes no proxy. Our copies of it are wiped.
     */
    const char *authorization;
    /*
     * NULL: a GET. Else a POST with this body, application/x-www-form-urlencoded. It gets a
     * connection of its own, as curl sends a request anew when one that was kept turns out to be
     * dead, and what is asked with a POST may count once. Our copies of it are wiped.
     */
    const char *form;
    enum transfer_family family;
    int64_t start_at_ms; /* not before, by timestamp_monotonic_ms(); 0: at once */
    int64_t timeout_ms;  /* from connecting to the last byte */
    uint64_t limit_bytes;
    /* result and all it points to are borrowed until this returns. It may start exchanges. */
    void (*finished)(void *context, const struct transfer_result *result);
    void *context;
};

struct transfer_pool;

/* At most concurrency exchanges at a time. ERROR_TEMPORARY: curl cannot be set up. */
bool transfer_pool_create(unsigned concurrency, struct transfer_pool **ret_pool,
                          struct error *error) MUST_CHECK;

/*
 * Puts a request into the queue; it and its texts are copied. Nothing happens before a run, or the
 * next turn of the loop that drives the pool.
 */
void transfer_pool_start(struct transfer_pool *pool, const struct transfer_request *request);

/*
 * Drives all exchanges until none is left or deadline_ms (timestamp_monotonic_ms()) has come;
 * all that are left then finish as EXPIRED. What a callback starts after that waits for the
 * next run.
 */
void transfer_pool_run(struct transfer_pool *pool, int64_t deadline_ms);

/*
 * Drops what is left without calling finished(), and waits for no name that is still being
 * resolved. NULL is accepted. Not from a callback.
 */
void transfer_pool_destroy(struct transfer_pool *pool);

/* The last header of that name (any case) of the answer, or NULL; borrowed as the result is. */
const char *transfer_header(const struct transfer_result *result, const char *name);

#endif
