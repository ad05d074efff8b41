/*
 * JSON bodies of the Launchpad web service as structs. Strict: what is read here has every field
 * that we need, present, of the right type and not redacted; keys we do not need are ignored
 * (Launchpad adds some now and then). It does not compare pages: launchpad/judge.h does.
 */
#ifndef LPALIAS_LAUNCHPAD_PAGE_H
#define LPALIAS_LAUNCHPAD_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/error.h"
#include "launchpad/listing.h"

/*
 * What stands in place of a value that the caller may not see, whatever the field's type
 * (lazr.restful _resource.py; facts 2.3).
 */
#define PAGE_REDACTED "tag:launchpad.net:2008:redacted"

struct page_entry {
    char *name;
    int64_t date_created_us; /* of a team 0 when it cannot be seen */
    bool is_team;
    bool is_valid;             /* of a person */
    bool is_ubuntu_coc_signer; /* of a person */
    enum listing_preferred preferred;
    const char *address; /* of ADDRESS, behind the name: they are one allocation */
};

/* One page of a collection of people and teams (facts 3.1). */
struct page {
    size_t start; /* offset of the first entry; hidden entries have an offset too */
    size_t total_size;
    char *next; /* as it came, to be checked with launchpad/link.h; NULL: absent, the last page */
    struct page_entry *entries;
    size_t entry_count;
};

/* `~team` alone. */
struct page_team {
    char *name;
    bool is_team;
    int64_t date_created_us;
};

/*
 * Reads a page; caller finishes *ret_page. email_api: NULL if nobody is logged in, and
 * preferred_email_address_link is then not looked at; else the root below which it must lie.
 * There it may be redacted or null, or a link to an address of that very person, which is kept if
 * it is by Launchpad's rule for addresses (page_is_address). ERROR_INVALID: no JSON (RFC 8259), a
 * key twice, or a field that is missing, redacted, of another type or out of range; the text names
 * it and holds no address.
 */
bool page_read(struct span body, const char *email_api, struct page *ret_page,
               struct error *error) MUST_CHECK;
void page_finish(struct page *page);

/* Reads `~team`; caller finishes *ret_team. Errors as page_read(). */
bool page_read_team(struct span body, struct page_team *ret_team, struct error *error) MUST_CHECK;
void page_team_finish(struct page_team *team);

/*
 * Reads the answer of getByOpenIDIdentifier: a person, whose name is the caller's to free, or null,
 * of which *ret_is_there is false. ERROR_INVALID: anything else, as page_read().
 */
bool page_read_person(struct span body, struct page_entry *ret_person, bool *ret_is_there,
                      struct error *error) MUST_CHECK;

/*
 * Launchpad's rule for names, ^[a-z0-9][a-z0-9+.-]*$ to the very end of the text
 * (launchpad-2211-00-0.sql; facts 6).
 */
bool page_is_name(const char *name) MUST_CHECK;

/*
 * Launchpad's rule for mail addresses: a local part of letters, digits, "_", ".", "-", "+", "=",
 * at most 64 bytes, and a domain of ASCII labels that neither begin nor end with "-"
 * (lib/lp/app/validators/email.py; facts 6).
 */
bool page_is_address(const char *address) MUST_CHECK;

#endif
