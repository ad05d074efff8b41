/*
 * An answer as Ubuntu One gives it to a login of ours (facts 7.3), as an editable list of fields:
 * each test changes one thing about it, and the same answer without the change is its control.
 */
#ifndef LPALIAS_TESTS_OPENID_HONEST_ANSWER_H
#define LPALIAS_TESTS_OPENID_HONEST_ANSWER_H

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "openid/answer.h"
#include "openid/namespace.h"

#define RETURN_TO  "https://portal.example/login/return"
#define STATE      "c3RhdGUtb2YtdGhpcy1icm93c2Vy"
#define NONCE      "2026-01-12T10:00:00ZabcDEF"
#define NONCE_AT_S 1768212000

#define HONEST_MAX_FIELDS 48

static const struct openid_provider honest_provider = {
    .endpoint = OPENID_PROVIDER_UBUNTU_ONE_ENDPOINT,
    .identifiers = OPENID_PROVIDER_UBUNTU_ONE_IDENTIFIERS,
};

static const struct openid_login honest_login = {
    .return_to = RETURN_TO,
    .realm = "https://portal.example/",
    .state = STATE,
};

#define HONEST_SIGNED                                                                           \
    "assoc_handle,ax.count.account_verified,ax.mode,ax.type.account_verified,"                  \
    "ax.value.account_verified.1,claimed_id,identity,lp.is_member,mode,ns,ns.ax,ns.lp,ns.sreg," \
    "op_endpoint,response_nonce,return_to,signed,sreg.email,sreg.fullname,sreg.nickname"

struct honest_field {
    const char *name, *value; /* borrowed; a name of NULL is not sent */
};

struct honest_fields {
    struct honest_field fields[HONEST_MAX_FIELDS];
    size_t count;
};

static inline struct honest_fields honest_fields(void)
{
    return (struct honest_fields){
        .fields =
            {
                {"openid.ns", OPENID_NAMESPACE_2_0},
                {"openid.mode", "id_res"},
                {"openid.op_endpoint", "https://login.ubuntu.com/+openid"},
                {"openid.claimed_id", "https://login.ubuntu.com/+id/AbC1234"},
                {"openid.identity", "https://login.ubuntu.com/+id/AbC1234"},
                {"openid.return_to", RETURN_TO "?state=" STATE},
                {"openid.response_nonce", NONCE},
                {"openid.assoc_handle", "{HMAC-SHA1}{65a0c000}{dGVzdA==}"},
                {"openid.signed", HONEST_SIGNED},
                {"openid.sig", "aGVsbG8gd29ybGQgaGVsbG8gd28="},
                {"openid.ns.sreg", OPENID_NAMESPACE_SREG},
                {"openid.sreg.nickname", "alice"},
                {"openid.sreg.email", "alice@people.example"},
                {"openid.sreg.fullname", "Alice & Sønn"},
                {"openid.ns.ax", OPENID_NAMESPACE_AX},
                {"openid.ax.mode", "fetch_response"},
                {"openid.ax.type.account_verified", OPENID_AX_ACCOUNT_VERIFIED},
                {"openid.ax.count.account_verified", "1"},
                {"openid.ax.value.account_verified.1", "token_via_email"},
                {"openid.ns.lp", OPENID_NAMESPACE_TEAMS},
                {"openid.lp.is_member", "ubuntumembers,kubuntu-members"},
            },
        .count = 21,
    };
}

/* Gives the field another value, or adds it; NULL takes it away. */
static inline void honest_set(struct honest_fields *fields, const char *name, const char *value)
{
    for (size_t i = 0; i < fields->count; i++) {
        if (fields->fields[i].name == NULL || strcmp(fields->fields[i].name, name) != 0)
            continue;
        if (value == NULL)
            fields->fields[i].name = NULL;
        fields->fields[i].value = value;
        return;
    }
    if (value != NULL)
        fields->fields[fields->count++] = (struct honest_field){name, value};
}

/* Adds a field, whether it is there or not. */
static inline void honest_add(struct honest_fields *fields, const char *name, const char *value)
{
    fields->fields[fields->count++] = (struct honest_field){name, value};
}

static inline void honest_encode(const struct honest_fields *fields, struct buffer *out)
{
    for (size_t i = 0; i < fields->count; i++)
        if (fields->fields[i].name != NULL)
            openid_form_append(out, fields->fields[i].name, fields->fields[i].value);
}

/* honest_judge() of an answer that is a GET. */
static inline enum openid_answer_verdict honest_judge(const struct honest_fields *fields,
                                                      struct openid_assertion **ret_assertion,
                                                      struct openid_refusal *refusal)
{
    struct buffer query = {0};
    openid_form_append(&query, "state", STATE);
    honest_encode(fields, &query);
    struct openid_answer answer = {.url = RETURN_TO, .query = {query.data, query.length}};
    enum openid_answer_verdict verdict =
        openid_answer_judge(&answer, &honest_login, &honest_provider, ret_assertion, refusal);
    buffer_finish(&query);
    return verdict;
}

#endif
