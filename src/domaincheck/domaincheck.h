/* Proof of domain ownership: is a certain TXT record in the DNS? Signed zones are validated. */
#ifndef LPALIAS_DOMAINCHECK_DOMAINCHECK_H
#define LPALIAS_DOMAINCHECK_DOMAINCHECK_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "domaincheck/answer.h"

struct domaincheck_settings {
    const char *const *servers; /* resolvers, "ADDRESS@PORT" */
    size_t server_count;        /* 0: those of resolv.conf */
    const char *trust_anchors;  /* file of DNSSEC anchors */
    int64_t timeout_ms;         /* for all together */
};

/*
 * Asks for all domains at once and fills the answers; takes at most timeout_ms. Seen is one TXT
 * record whose strings, joined, are exactly the wanted text. Unsigned zones are believed, signed
 * ones when their signatures hold. Never fails: what goes wrong is DOMAINCHECK_CANNOT_TELL with its
 * reason, and so is everything as long as there are no trust anchors, or the root does not
 * validate, as the fault is then not the domain's.
 */
void domaincheck_ask(const struct domaincheck_settings *settings,
                     struct domaincheck_answer *answers, size_t count);

/*
 * Appends the record as a line of a zone file (RFC 1035 section 5.1), in strings of at most 255
 * bytes, without a newline.
 */
void domaincheck_append_record(struct buffer *out, const char *domain, const char *text);

#endif
