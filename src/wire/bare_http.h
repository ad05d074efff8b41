/*
 * HTTP/1.1 (RFC 9112) without bodies of requests, the little that pages for monitoring need.
 * Replies are of known length. What a peer may send is bounded by one number for all of its
 * request.
 */
#ifndef LPALIAS_WIRE_BARE_HTTP_H
#define LPALIAS_WIRE_BARE_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "wire/frame.h"

/* Request line and header fields together; Prometheus sends some 300 bytes. */
#define BARE_HTTP_REQUEST_MAX_BYTES 8192

struct bare_http_request {
    struct span method; /* upper-case letters */
    struct span path;   /* begins with "/"; without the query, not decoded */
    bool is_last;       /* no reply is wanted behind this one's, or what follows is a body */
};

/*
 * Takes the request that data begins with; its spans are borrowed from data. Lines end with CRLF
 * or LF (RFC 9112 2.2). WIRE_BAD: over BARE_HTTP_REQUEST_MAX_BYTES, another version than HTTP/1.x,
 * a target that is no path, a malformed or folded field (5.2), or not exactly one Host in HTTP/1.1
 * (3.2).
 */
enum wire_result bare_http_take_request(const char *data, size_t length,
                                        struct bare_http_request *ret,
                                        size_t *ret_consumed) MUST_CHECK;

enum bare_http_status {
    BARE_HTTP_OK = 200,
    BARE_HTTP_BAD_REQUEST = 400,
    BARE_HTTP_NOT_FOUND = 404,
    BARE_HTTP_METHOD_NOT_ALLOWED = 405, /* GET and HEAD are (RFC 9110 15.5.6) */
    BARE_HTTP_UNAVAILABLE = 503,
};

struct bare_http_reply {
    enum bare_http_status status;
    const char *content_type;
    struct span body;
    bool is_head; /* all is said of the body, and it is left out (RFC 9110 9.3.2) */
    bool is_last; /* the connection closes behind it */
    int64_t now_s;
};

void bare_http_append_reply(struct buffer *out, const struct bare_http_reply *reply);

#endif
