/*
 * Handing mail to an SMTP server (RFC 5321): one connection for many mails, one recipient for each.
 * So every answer belongs to one mail and one recipient, and nothing has to be said about a mail
 * that some of several recipients got.
 *
 * What holds for all: TLS is 1.2 or later; credentials (SASL PLAIN or LOGIN) go out only over TLS
 * with a verified certificate, or to this machine; no proxies; no address stands in an error text.
 */
#ifndef LPALIAS_TRANSFER_SMTP_H
#define LPALIAS_TRANSFER_SMTP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/error.h"

enum smtp_starttls {
    SMTP_STARTTLS_NEVER,
    /* If the server offers it. The certificate is verified only with ca_file or user: without
     * either the mail would else go in clear. */
    SMTP_STARTTLS_MAY,
    SMTP_STARTTLS_MUST,
};

struct smtp_server {
    const char *url; /* "smtp://HOST:PORT", or "smtps://HOST:PORT" for TLS from the first byte */
    enum smtp_starttls starttls;
    const char *ca_file;       /* certificates to trust instead of the system's, or NULL */
    const char *user;          /* or NULL: no login */
    const char *password_file; /* with user: its first line, closed to others */
    int64_t timeout_ms;        /* of one mail */
};

struct smtp_mail {
    const char *sender; /* of the envelope; "": none, so that no bounce comes back */
    const char *recipient;
    struct span content; /* RFC 5322, lines end with CRLF */
};

enum smtp_outcome {
    SMTP_DONE,        /* the server took it over */
    SMTP_REFUSED,     /* it said 5xx to this recipient or content */
    SMTP_DEFERRED,    /* it said 4xx to this recipient or content */
    SMTP_CUT_OFF,     /* it closed or fell silent once the recipient was named: whether this mail is
                         why, and whether it was taken over, nobody knows */
    SMTP_UNAVAILABLE, /* nothing was said of this mail: no connection, no TLS, no login */
};

struct smtp_session;

/*
 * Prepares a session; nothing is connected yet, and server is not used any more afterwards.
 * ERROR_INVALID: the password file is open to others or empty, or the login would go out in clear;
 * ERROR_TEMPORARY: the file cannot be read, curl cannot be set up.
 */
bool smtp_session_create(const struct smtp_server *server, struct smtp_session **ret,
                         struct error *error) MUST_CHECK;

/* Hands one mail over. error says why it is not SMTP_DONE, with the server's codes. */
enum smtp_outcome smtp_send(struct smtp_session *session, const struct smtp_mail *mail,
                            struct error *error) MUST_CHECK;

/* Says goodbye. NULL is accepted. */
void smtp_session_destroy(struct smtp_session *session);

#endif
