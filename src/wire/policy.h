/*
 * Postfix's SMTPD policy delegation (SMTPD_POLICY_README), the server's side of it: a request of
 * "name=value" lines that ends with an empty line, and a reply of one such line and an empty one.
 */
#ifndef LPALIAS_WIRE_POLICY_H
#define LPALIAS_WIRE_POLICY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "wire/frame.h"

/* The longest request: Postfix 3.7 sends some 30 attributes, each of at most 2 KiB. */
#define POLICY_REQUEST_MAX_BYTES (64 * 1024)

/* The attributes that matter here. One that was not sent is empty, as an empty one is. */
struct policy_request {
    struct span request; /* never empty: "smtpd_access_policy" */
    struct span protocol_state;
    struct span recipient;
};

/*
 * Takes the request that data begins with; its spans are borrowed from data. Attributes may come
 * in any order, others are passed over, and of one that comes twice the last counts. WIRE_BAD:
 * over POLICY_REQUEST_MAX_BYTES, a line without "=" or with nothing in front of it, NUL, or no
 * attribute "request".
 */
enum wire_result policy_take_request(const char *data, size_t length, struct policy_request *ret,
                                     size_t *ret_consumed) MUST_CHECK;

/* Begins a reply behind what out holds; returns the mark that ends it. */
size_t policy_begin_reply(struct buffer *out);

/*
 * Ends the reply whose action ("DUNNO", "550 5.1.1 text") was appended to out since the mark.
 * False: that is blank or not one line of UTF-8; the action is DUNNO instead.
 */
bool policy_end_reply(struct buffer *out, size_t mark) MUST_CHECK;

#endif
