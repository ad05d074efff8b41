/*
 * What the protocols of Postfix's table lookups have in common. Everything in this folder turns
 * bytes into values or values into bytes; descriptors and waiting are somebody else's matter.
 */
#ifndef LPALIAS_WIRE_FRAME_H
#define LPALIAS_WIRE_FRAME_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/compiler.h"

/* A socketmap request without its netstring dress, and a decoded tcp_table key. */
#define WIRE_QUERY_MAX_BYTES 10000
/* socketmap_table(5): a reply, not counting the netstring encapsulation. */
#define WIRE_SOCKETMAP_REPLY_MAX_BYTES 100000
/* tcp_table(5): a reply as it is sent, newline included. */
#define WIRE_TCP_TABLE_REPLY_MAX_BYTES 4096

/* What the bytes at hand are. Results of a function are set for WIRE_COMPLETE only. */
enum wire_result {
    WIRE_COMPLETE,  /* they begin with one whole frame */
    WIRE_NEED_MORE, /* a frame may still come of them */
    WIRE_BAD,       /* whatever follows, they are not of this protocol */
};

/* What a reply means to Postfix. */
enum wire_status {
    WIRE_OK,       /* found; the text is the value */
    WIRE_NOTFOUND, /* known to be absent */
    WIRE_TEMP,     /* cannot tell: the mail waits; the text is the reason */
    WIRE_PERM,     /* no such map */
};

struct wire_reply {
    enum wire_status status;
    struct span text;
};

/*
 * True if Postfix takes text for what it is: UTF-8 (util/dict_utf8.c) without NUL and newline,
 * and as the value of WIRE_OK more than blanks: smtpd and cleanup take an empty value for an error.
 */
bool wire_is_sendable(enum wire_status status, struct span text) MUST_CHECK;

#endif
