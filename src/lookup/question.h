/*
 * One question on its way through the lookup, and what the files of this folder share: `lookup`
 * knows the domains and whether the cache can be read, `finding` finds what an address leads to,
 * `answer` says what each map makes of it. Not for other folders.
 */
#ifndef LPALIAS_LOOKUP_QUESTION_H
#define LPALIAS_LOOKUP_QUESTION_H

#include <stdbool.h>
#include <stddef.h>

#include "address/address.h"
#include "base/compiler.h"
#include "lookup/lookup.h"

struct role {
    char *name;
    char *targets; /* one a line */
};

/* A domain that is ours: configured, or standing in the cache's domain table, or both. */
struct ours {
    char *name;
    bool is_configured;
    bool is_cached; /* stands in the cache's domain table */
    bool is_open;   /* configured and opened, as far as the cache that was last read says */
    char *catch_all;
    struct role *roles;
    size_t role_count;
};

struct lookup {
    struct store_reader *reader;
    struct ours **domains; /* pointers, as a question holds one while more are learnt */
    size_t domain_count, domain_capacity;
    char *role_default_target;
    char *recipient_delimiter;
    uint64_t known_view; /* the reader's view that is_open was learnt from */
    bool is_view_known;
    struct buffer scratch; /* targets in clear, or an owner's name */
};

/* About a full address of a domain of ours. */
struct question {
    struct lookup *lookup;
    const struct lookup_trace *trace;
    struct address address;
    struct ours *domain;
    struct buffer *out;
};

/* To be called before the cache is asked: wakes the reader, brings the domains up to date. */
bool lookup_wake(struct lookup *lookup, struct error *error) MUST_CHECK;

void question_trace_step(const struct question *question, const char *format, ...)
    PRINTF_LIKE(2, 3);

/* Costs nothing, not even the words, when nobody listens. */
#define question_trace(question, ...)                   \
    do {                                                \
        if ((question)->trace != NULL)                  \
            question_trace_step(question, __VA_ARGS__); \
    } while (0)

#endif
