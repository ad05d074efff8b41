/*
 * A mail as bytes (RFC 5322, MIME): pure, and safe whatever its texts hold. No header can be
 * injected: control bytes become blanks, what is not printable ASCII is encoded (RFC 2047), and
 * every line has less than 998 bytes and ends with CRLF.
 */
#ifndef LPALIAS_NOTIFY_MESSAGE_H
#define LPALIAS_NOTIFY_MESSAGE_H

#include <stdint.h>

#include "base/buffer.h"

struct message {
    const unsigned char *id; /* OUTBOX_ID_BYTES: Message-ID is made of it and from's domain, so that
                                a mail that is repeated after a crash is known as the same one */
    const char *from;        /* addresses as checked by the configuration */
    const char *to;
    const char *subject; /* UTF-8 */
    const char *body;    /* UTF-8, lines end with \n */
    int64_t date_s;      /* when it is handed over */
};

/* Appends the message to out. */
void message_write(const struct message *message, struct buffer *out);

#endif
