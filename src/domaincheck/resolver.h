/* Questions to the DNS by libunbound: many at a time, until a deadline. */
#ifndef LPALIAS_DOMAINCHECK_RESOLVER_H
#define LPALIAS_DOMAINCHECK_RESOLVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/nameser.h>
#include <unbound.h>

#include "base/error.h"
#include "domaincheck/domaincheck.h"

struct resolver_question {
    char name[256]; /* without a dot at the end, "." for the root */
    ns_type type;

    /* Filled by resolver_ask. */
    struct ub_result *result; /* NULL: there is no answer, and trouble says why */
    char trouble[128];
};

struct resolver;

/*
 * is_validating: what does not hold is bogus. Else it is passed on as not signed; with trust
 * anchors all the same, since it is by them that libunbound asks a validating resolver to pass it
 * on, too (CD, RFC 4035 section 3.2.2). Caller destroys. ERROR_TEMPORARY: no trust anchors, no
 * resolv.conf.
 */
bool resolver_create(const struct domaincheck_settings *settings, bool is_validating,
                     struct resolver **ret, struct error *error) MUST_CHECK;
void resolver_destroy(struct resolver *resolver);

/*
 * Asks all and waits until deadline_ms (timestamp_monotonic_ms) at the longest. An answer is the
 * word of a server that knows (found, or no such name or record) or bogus; all else, a server's
 * failure too, is trouble. To be called once for a resolver. Caller finishes the questions.
 */
void resolver_ask(struct resolver *resolver, struct resolver_question *questions, size_t count,
                  int64_t deadline_ms);
void resolver_question_finish(struct resolver_question *question);

#endif
