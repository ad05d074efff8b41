/*
 * The socketmap protocol of socketmap_table(5), both sides of it: a request "MAP KEY" and a reply
 * "STATUS TEXT", one netstring each.
 *
 * A server writes a reply where it will be sent from:
 *
 *     size_t mark = socketmap_begin_reply(out);
 *     ... append the value or the reason to out, or nothing ...
 *     if (!socketmap_end_reply(out, mark, status))
 *         raise an alarm;
 */
#ifndef LPALIAS_WIRE_SOCKETMAP_H
#define LPALIAS_WIRE_SOCKETMAP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "wire/frame.h"

struct socketmap_request {
    struct span map;
    struct span key; /* may be empty, may hold any byte, spaces too */
};

/*
 * Takes the request that data begins with; its spans are borrowed from data. WIRE_BAD: not a
 * netstring of at most WIRE_QUERY_MAX_BYTES, or no space behind the name of the map.
 */
enum wire_result socketmap_take_request(const char *data, size_t length,
                                        struct socketmap_request *ret,
                                        size_t *ret_consumed) MUST_CHECK;

/* Begins a reply behind what out holds; returns the mark that ends it. */
size_t socketmap_begin_reply(struct buffer *out);

/*
 * Frames what was appended to out since the mark as the text of a reply; the text of
 * WIRE_NOTFOUND is dropped, it has none. False: the text is not sendable (see
 * wire_is_sendable) or the reply is over WIRE_SOCKETMAP_REPLY_MAX_BYTES; then a TEMP reply stands
 * in out instead, as a cut or broken answer must never be taken for an answer.
 */
bool socketmap_end_reply(struct buffer *out, size_t mark, enum wire_status status) MUST_CHECK;

/* Both in one, for a text that exists already. False: as socketmap_end_reply. */
bool socketmap_append_reply(struct buffer *out, enum wire_status status,
                            struct span text) MUST_CHECK;

/*
 * Appends a request. False, and nothing appended: over WIRE_QUERY_MAX_BYTES, or a space in the
 * name of the map.
 */
bool socketmap_append_request(struct buffer *out, struct span map, struct span key) MUST_CHECK;

/*
 * Takes the reply that data begins with; its text is borrowed from data. TIMEOUT counts as
 * WIRE_TEMP, as it does for Postfix (util/dict_sockmap.c), and the space of a reply without text
 * may be missing. WIRE_BAD: not a netstring of at most WIRE_SOCKETMAP_REPLY_MAX_BYTES, an unknown
 * status, or a text that is not sendable.
 */
enum wire_result socketmap_take_reply(const char *data, size_t length, struct wire_reply *ret,
                                      size_t *ret_consumed) MUST_CHECK;

#endif
