/*
 * The protocol of tcp_table(5), both sides of it: one line each way, with "%", blanks and all that
 * is not printable ASCII as %XX. A server writes a reply as in wire/socketmap.h.
 */
#ifndef LPALIAS_WIRE_TCP_TABLE_H
#define LPALIAS_WIRE_TCP_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "wire/frame.h"

/* The longest request line, newline included: a key of which every byte is encoded. */
#define TCP_TABLE_REQUEST_MAX_BYTES (4 + 3 * WIRE_QUERY_MAX_BYTES + 1)

enum tcp_table_verb {
    TCP_TABLE_GET,
    TCP_TABLE_PUT, /* nobody can change our tables: to be answered with WIRE_NOTFOUND ("500") */
};

struct tcp_table_request {
    enum tcp_table_verb verb;
    struct span key; /* decoded; empty for TCP_TABLE_PUT */
};

/*
 * Takes the request that data begins with. The key is decoded into decoded, which is overwritten,
 * and borrowed from there until it changes. WIRE_BAD: another verb, a line over
 * TCP_TABLE_REQUEST_MAX_BYTES, a key over WIRE_QUERY_MAX_BYTES, "%" without two hex digits, NUL
 * however written, or a byte that should have been encoded (Postfix always does).
 */
enum wire_result tcp_table_take_request(const char *data, size_t length, struct buffer *decoded,
                                        struct tcp_table_request *ret,
                                        size_t *ret_consumed) MUST_CHECK;

/* Begins a reply behind what out holds; returns the mark that ends it. */
size_t tcp_table_begin_reply(struct buffer *out);

/*
 * Encodes what was appended to out since the mark as the text of a reply: 200 for WIRE_OK, 500
 * for WIRE_NOTFOUND, 400 for the rest, as the protocol knows no other. False: the text is not
 * sendable (see wire_is_sendable) or the line is over WIRE_TCP_TABLE_REPLY_MAX_BYTES; then a
 * 400 reply stands in out instead.
 */
bool tcp_table_end_reply(struct buffer *out, size_t mark, enum wire_status status) MUST_CHECK;

/* Both in one, for a text that exists already. False: as tcp_table_end_reply. */
bool tcp_table_append_reply(struct buffer *out, enum wire_status status,
                            struct span text) MUST_CHECK;

/* Appends a get request. False, and nothing appended: over WIRE_QUERY_MAX_BYTES, or a NUL. */
bool tcp_table_append_request(struct buffer *out, struct span key) MUST_CHECK;

/*
 * Takes the reply that data begins with. Its text is decoded into decoded, which is overwritten,
 * and borrowed from there until it changes; a server need not encode more than "%" and newline.
 * WIRE_BAD: a line over WIRE_TCP_TABLE_REPLY_MAX_BYTES, a status other than 200, 400 and 500, "%"
 * without two hex digits, or a text that is not sendable.
 */
enum wire_result tcp_table_take_reply(const char *data, size_t length, struct buffer *decoded,
                                      struct wire_reply *ret, size_t *ret_consumed) MUST_CHECK;

#endif
