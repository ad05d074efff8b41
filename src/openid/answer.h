/*
 * The answer that a browser brings back from the provider: everything about it that can be judged
 * without asking the provider, in the order of facts 7.5. Nothing in it is believed because it is
 * there.
 */
#ifndef LPALIAS_OPENID_ANSWER_H
#define LPALIAS_OPENID_ANSWER_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "openid/assertion.h"
#include "openid/login.h"
#include "openid/provider.h"
#include "openid/refusal.h"

/* A request as it came, nothing decoded. */
struct openid_answer {
    const char *url; /* scheme, host, port and path that were asked for, as the browser saw them */
    struct span query; /* of the URL, without "?" */
    bool is_post;      /* a form; its openid fields are in the body, and the rest in the query */
    struct span body;
};

enum openid_answer_verdict {
    OPENID_ANSWER_REFUSED,
    OPENID_ANSWER_CANCELLED,    /* the person would not */
    OPENID_ANSWER_SETUP_NEEDED, /* the provider has to talk to the person first */
    OPENID_ANSWER_PENDING,      /* all is well if the provider confirms it */
};

/*
 * Judges the answer to a login of the same browser. login->state is what that browser was given;
 * with none (NULL or "") there is no login and any answer is refused. A cancellation counts only
 * with the right state too. Only of PENDING is *ret_assertion set, and to be destroyed; only of
 * REFUSED is refusal filled.
 *
 * An extension's field that is not signed is refused and not passed over: the provider signs all
 * that it sends, so somebody else wrote it.
 */
enum openid_answer_verdict openid_answer_judge(const struct openid_answer *answer,
                                               const struct openid_login *login,
                                               const struct openid_provider *provider,
                                               struct openid_assertion **ret_assertion,
                                               struct openid_refusal *refusal) MUST_CHECK;

#endif
