/*
 * Links that prove that mail to a target arrives: mailed to it, and to be used once. Looking at one
 * changes nothing, as mail scanners fetch every link. The database holds neither the link nor the
 * target in a form that can be read: the one is hashed, the other is sealed by the link itself, and
 * by the caller for the account's own list of targets that wait.
 */
#ifndef LPALIAS_STATE_PROOF_LINK_H
#define LPALIAS_STATE_PROOF_LINK_H

#include <stdint.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/error.h"
#include "state/state.h"

#define PROOF_ACCOUNT_MAX_BYTES 400
#define PROOF_TARGET_MAX_BYTES  320

enum proof_answer {
    PROOF_OPEN,   /* can be used; of proof_link_use(): was used by this call */
    PROOF_ABSENT, /* unknown, or over */
    PROOF_USED,   /* was used before */
    PROOF_TROUBLE,
};

/*
 * Makes a link with that token (state/token.h) for a target of account, which counts until until_s;
 * one that was made before for the same target counts no more. sealed: the target as the caller can
 * read it again. ERROR_INVALID: a text is too long; ERROR_TEMPORARY: the database cannot be
 * changed.
 */
bool proof_link_make(struct state *state, const char *token, const char *account,
                     const char *target, struct span sealed, int64_t until_s,
                     struct error *error) MUST_CHECK;

/* Whose link it is and for which target: appended when it is OPEN. */
enum proof_answer proof_link_look(struct state *state, const char *token, int64_t now_s,
                                  struct buffer *account, struct buffer *target,
                                  struct error *error) MUST_CHECK;

/* The same, and uses it up; it stays known as used until it is over. */
enum proof_answer proof_link_use(struct state *state, const char *token, int64_t now_s,
                                 struct buffer *account, struct buffer *target,
                                 struct error *error) MUST_CHECK;

/*
 * Visits the targets of account whose links are open, with what was sealed (borrowed for the
 * visit). False: cannot tell.
 */
typedef void proof_link_visit(void *context, struct span sealed, int64_t until_s);
bool proof_link_each(struct state *state, const char *account, int64_t now_s,
                     proof_link_visit *visit, void *context, struct error *error) MUST_CHECK;

/* Takes the open link for a target of account away. STATE_NO: there is none. */
enum state_answer proof_link_drop(struct state *state, const char *account, const char *target,
                                  int64_t now_s, struct error *error) MUST_CHECK;

/* Takes all links of account away. */
bool proof_link_drop_all(struct state *state, const char *account, struct error *error) MUST_CHECK;

#endif
