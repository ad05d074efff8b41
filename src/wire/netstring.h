/*
 * Netstrings, "5:hello,": the frame around socketmap requests and replies
 * (http://cr.yp.to/proto/netstrings.txt). What cannot become a netstring within the limit is
 * refused at the first byte that shows it.
 */
#ifndef LPALIAS_WIRE_NETSTRING_H
#define LPALIAS_WIRE_NETSTRING_H

#include <stddef.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "wire/frame.h"

/* The digits of any size_t and the colon. */
#define NETSTRING_PREFIX_MAX_BYTES 21

/*
 * Takes the netstring that data begins with. *ret_payload is borrowed from data; *ret_consumed is
 * the length of the whole frame. WIRE_BAD: a length that is not decimal digits, has a leading zero
 * or is over max_bytes (at most SIZE_MAX / 16), or no comma behind the payload.
 */
enum wire_result netstring_take(const char *data, size_t length, size_t max_bytes,
                                struct span *ret_payload, size_t *ret_consumed) MUST_CHECK;

/* Appends payload as a netstring; limits are the caller's. */
void netstring_append(struct buffer *out, struct span payload);

/* Writes what stands in front of a payload, "5:", without NUL; returns how many bytes. */
size_t netstring_format_prefix(size_t payload_bytes, char ret[NETSTRING_PREFIX_MAX_BYTES]);

#endif
