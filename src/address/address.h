/*
 * A mail address as Postfix asks for it: split at the last "@", lower-cased, the domain as its
 * A-label. Which forms arrive is in docs/protocols.md (golden keys in tests/postfix).
 */
#ifndef LPALIAS_ADDRESS_ADDRESS_H
#define LPALIAS_ADDRESS_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/compiler.h"

#define ADDRESS_LOCAL_MAX_BYTES  64  /* RFC 5321 4.5.3.1.1 */
#define ADDRESS_DOMAIN_MAX_BYTES 253 /* RFC 1035 2.3.4, in presentation form */
/* What a key may bring before its extension is cut: tags are longer than RFC 5321 allows. */
#define ADDRESS_KEY_LOCAL_MAX_BYTES 512

enum address_form {
    ADDRESS_FULL, /* local@domain, both legal */
    ADDRESS_BARE, /* no "@": only a domain, or nothing we know */
    ADDRESS_ODD,  /* empty, quoted, literal, not UTF-8, overlong, not a dot-atom: never ours */
};

struct address {
    char local[ADDRESS_KEY_LOCAL_MAX_BYTES + 1]; /* "" when bare */
    size_t local_length;
    char domain[ADDRESS_DOMAIN_MAX_BYTES + 1]; /* A-label */
    size_t domain_length;
};

/*
 * Takes a key apart; ret is filled for FULL and BARE. The local part must be a dot-atom of
 * RFC 5321 4.1.2 as widened by RFC 6531 3.3 (UTF-8); it is lower-cased in ASCII.
 */
enum address_form address_parse(const char *key, size_t length, struct address *ret) MUST_CHECK;

/*
 * Writes the lower-case A-label form of a domain (ASCII or UTF-8; UTS #46 non-transitional) to
 * ret. False: not a legal domain name (empty label, "[...]", bad character, overlong, not UTF-8).
 */
bool address_domain_to_alabel(const char *domain, size_t length,
                              char ret[ADDRESS_DOMAIN_MAX_BYTES + 1]) MUST_CHECK;

/*
 * True if a lower-case Launchpad name can stand as a local part: dot-atom (no leading, trailing
 * or double dot) of at most 64 bytes. Names may hold "+", end in "." or contain "..", see
 * lib/lp/app/validators/name.py.
 */
bool address_is_legal_local(const char *name, size_t length) MUST_CHECK;

/*
 * Walks the cuts of a local part from right to left: start with length = local_length; each call
 * returns the length before the next delimiter to the left, or 0 when none is left. Never cuts
 * to nothing. delimiters may be NULL or "" (no extensions).
 */
size_t address_next_cut(const char *local, size_t length, const char *delimiters) MUST_CHECK;

/*
 * Appends target to out with extension (delimiter included, e.g. "+tag"; may be empty) put before
 * its last "@", inside the quotes of a quoted local part; left off where the local part would
 * pass 64 bytes.
 */
void address_append_extended(struct buffer *out, struct span target, struct span extension);

/*
 * Checks a forwarding target as an operator or a file gives it and writes its canonical form
 * (domain lower-cased A-label, local part as given) to ret_target, a buffer that is appended to.
 * Returns NULL if fine, else what is wrong with it, static text.
 */
const char *address_check_target(const char *text, size_t length,
                                 struct buffer *ret_target) MUST_CHECK;

#endif
