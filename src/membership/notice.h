/*
 * Which notices are due. Whoever plans a change reports what happened; the list then decides who
 * is told, what was told less than 30 days ago, and when many become one digest, and puts the
 * facts into the changeset of the change itself. How a fact becomes mail is src/notify's matter.
 */
#ifndef LPALIAS_MEMBERSHIP_NOTICE_H
#define LPALIAS_MEMBERSHIP_NOTICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "store/changeset.h"
#include "store/keyring.h"
#include "store/snapshot.h"

#define NOTICE_AGAIN_S    (30 * INT64_C(86400)) /* not told twice within */
#define NOTICE_DIGEST_MIN 6                     /* so many of a domain in one refresh: a digest */

/*
 * What happened, with the word that it is stored under: outbox_record.kind, and the first half of
 * the sent key. The number is the row of the rule table.
 */
enum notice_kind {
    NOTICE_BANNED,         /* 1 "banned": admins */
    NOTICE_NAME_REFUSED,   /* 2 "name-refused": person, admins */
    NOTICE_ANOTHER_PERSON, /* 3 "another-person": admins */
    NOTICE_RENAMED,        /* 4 "renamed": person and admins; subject is the new name */
    NOTICE_LEAVING,        /* 5 "leaving": person and admins */
    NOTICE_GONE,           /* 6 "gone": admins */
    NOTICE_REFUSED,        /* 7 "refused": admins, the person if a proven address is known */
    NOTICE_ACTIVE,         /* 10 "active": admins */
    NOTICE_LOGIN_BANNED,   /* 1 "login-banned": alerts; of no domain */
    NOTICE_LOGIN_REFUSED,  /* 7 "login-refused": person; of no domain */
    NOTICE_PROOF_LINK,     /* "proof-link": the address that is to be proven; of no domain */
    NOTICE_DIGEST,         /* "digest": admins; detail says how many of each kind */
    NOTICE_KIND_COUNT,
};
const char *notice_kind_word(enum notice_kind kind);

/* Whether a notice of that kind is for them. */
bool notice_kind_is_for(enum notice_kind kind, enum notice_audience audience) MUST_CHECK;

/*
 * *ret: that was told within NOTICE_AGAIN_S before now_s, so that it would not be told again.
 * domain is "" of a kind of no domain. ERROR_TEMPORARY: the cache.
 */
bool notice_was_told(struct snapshot *snapshot, int64_t now_s, enum notice_kind kind,
                     const char *domain, const char *name, const char *reason, bool *ret,
                     struct error *error) MUST_CHECK;

struct notice_list;

/* now_s counts for the 30 days and stands in the facts. ring seals the recipients; without one
 * (NULL) no person is told. */
struct notice_list *notice_list_create(const struct keyring *ring, int64_t now_s);
void notice_list_destroy(struct notice_list *list);
void notice_list_clear(struct notice_list *list);

/*
 * Reports that kind happened to name in domain. reason: a word or "". detail: text for people or
 * "", without target. targets: the person's used targets in clear, one a line, or empty: the person
 * is then not told. Everything is copied.
 */
void notice_list_add(struct notice_list *list, enum notice_kind kind, const char *domain,
                     const char *name, const char *reason, const char *detail, struct span targets);

/*
 * Puts what is due into changeset: outbox facts, and what was told into the table of sent, all
 * before anything else of it, so that a cut changeset never loses a notice (a crash between two
 * pieces may bring a second digest for what comes after it). A kind, domain, name and reason that
 * was told within NOTICE_AGAIN_S is left out; leaving a domain forgets what was told before about
 * that name there, but for the leaving itself. NOTICE_DIGEST_MIN and more facts for the admins of
 * one domain become one digest that names nobody; the persons are told one by one. Sorts the list.
 * ERROR_TEMPORARY: the cache.
 */
bool notice_list_flush(struct notice_list *list, struct snapshot *snapshot,
                       struct changeset *changeset, struct error *error) MUST_CHECK;

/*
 * Puts a notice with a link that proves an address of the person of that name. The link is a
 * secret: it is sealed with the address (store/record.h, outbox_record) and goes when the mail has
 * gone. It is sent each time that it is asked for.
 */
void notice_put_proof_link(struct changeset *changeset, const struct keyring *ring, int64_t now_s,
                           const char *name, const char *address, const char *link);

#endif
