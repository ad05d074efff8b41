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

/*
 * What stands in place of a value that the caller may not see, whatever the field's type
 * (lazr.restful _resource.py; facts 2.3).
 */
#define PAGE_REDACTED "tag:launchpad.net:2008:redacted"

struct page_entry {
    char *name;
    int64_t date_created_us; /* of a person; 0 for a team */
    bool is_team;
    bool is_valid;             /* of a person */
    bool is_ubuntu_coc_signer; /* of a person */
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
 * Reads a page; caller finishes *ret_page. ERROR_INVALID: no JSON (RFC 8259), a key twice, or a
 * field that is missing, redacted, of another type or out of range; the text names it.
 */
bool page_read(struct span body, struct page *ret_page, struct error *error) MUST_CHECK;
void page_finish(struct page *page);

/* Reads `~team`; caller finishes *ret_team. Errors as page_read(). */
bool page_read_team(struct span body, struct page_team *ret_team, struct error *error) MUST_CHECK;
void page_team_finish(struct page_team *team);

/*
 * Launchpad's rule for names, ^[a-z0-9][a-z0-9+.-]*$ to the very end of the text
 * (launchpad-2211-00-0.sql; facts 6).
 */
bool page_is_name(const char *name) MUST_CHECK;

#endif
