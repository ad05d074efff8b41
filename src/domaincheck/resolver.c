#include "domaincheck/resolver.h"

#include <arpa/nameser.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/timestamp.h"

#define ANCHORS_MAX_BYTES ((size_t)1024 * 1024)

struct resolver {
    struct ub_ctx *unbound;
    size_t under_way;
};

/* An answer on its way to its question. */
struct arrival {
    struct resolver *resolver;
    struct resolver_question *question;
};

/* ---- making one ---- */

/* A line that is neither empty nor a comment: libunbound takes a file without any, silently. */
static bool has_anchor(const char *text)
{
    for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
        line += strspn(line, " \t\r\n");
        if (*line != '\0' && *line != ';')
            return true;
    }
    return false;
}

static bool check_anchors(const char *path, struct error *error)
{
    char *text;
    size_t length;
    if (!file_read(path, ANCHORS_MAX_BYTES, &text, &length, error))
        return error_prefix(error, "no trust anchors, so nothing can be validated");
    bool is_fine = has_anchor(text) || error_set(error, ERROR_TEMPORARY,
                                                 "no trust anchor is in %s, so nothing can be "
                                                 "validated",
                                                 path);
    free(text);
    return is_fine;
}

static bool check(int result, const char *what, struct error *error)
{
    return result == UB_NOERROR ||
           error_set(error, ERROR_TEMPORARY, "%s: %s", what, ub_strerror(result));
}

static bool set_servers(struct ub_ctx *unbound, const struct domaincheck_settings *settings,
                        struct error *error)
{
    if (settings->server_count == 0)
        return check(ub_ctx_resolvconf(unbound, NULL), "cannot read resolv.conf", error);
    for (size_t i = 0; i < settings->server_count; i++)
        if (!check(ub_ctx_set_fwd(unbound, settings->servers[i]), settings->servers[i], error))
            return false;
    return true;
}

static bool set_up(struct ub_ctx *unbound, const struct domaincheck_settings *settings,
                   bool is_validating, struct error *error)
{
    if (!check_anchors(settings->trust_anchors, error) ||
        !check(ub_ctx_add_ta_file(unbound, settings->trust_anchors), "trust anchors", error))
        return false;
    /* It would write to standard error. */
    ub_ctx_debugout(unbound, NULL);
    /* A thread of its own: forking would take the open cache along. */
    return check(ub_ctx_async(unbound, true), "libunbound", error) &&
           check(ub_ctx_set_option(unbound, "do-not-query-localhost:", "no"), "libunbound",
                 error) &&
           check(ub_ctx_set_option(unbound, "val-permissive-mode:", is_validating ? "no" : "yes"),
                 "libunbound", error) &&
           set_servers(unbound, settings, error);
}

bool resolver_create(const struct domaincheck_settings *settings, bool is_validating,
                     struct resolver **ret, struct error *error)
{
    struct resolver *resolver = memory_new(1, sizeof(*resolver));
    resolver->unbound = ub_ctx_create();
    bool is_made = resolver->unbound != NULL
                       ? set_up(resolver->unbound, settings, is_validating, error)
                       : error_set(error, ERROR_TEMPORARY, "libunbound does not start");
    if (is_made)
        *ret = resolver;
    else
        resolver_destroy(resolver);
    return is_made;
}

void resolver_destroy(struct resolver *resolver)
{
    if (resolver == NULL)
        return;
    if (resolver->unbound != NULL)
        ub_ctx_delete(resolver->unbound);
    free(resolver);
}

/* ---- asking ---- */

static const char *rcode_words(int rcode)
{
    static const char *const words[] = {
        [ns_r_formerr] = "the server does not understand (FORMERR)",
        [ns_r_servfail] = "the server failed (SERVFAIL)",
        [ns_r_notimpl] = "the server cannot do that (NOTIMP)",
        [ns_r_refused] = "the server refused (REFUSED)",
    };
    bool is_known = rcode > 0 && (size_t)rcode < ARRAY_LENGTH(words) && words[rcode] != NULL;
    return is_known ? words[rcode] : "the server answered with an error";
}

/* "No such record" comes with the zone's SOA (RFC 2308 section 2.2), a mere referral does not. */
static bool has_soa(const struct ub_result *result)
{
    ns_msg message;
    ns_rr record;
    if (ns_initparse(result->answer_packet, result->answer_len, &message) != 0)
        return false;
    for (int i = 0; i < ns_msg_count(message, ns_s_ns); i++)
        if (ns_parserr(&message, ns_s_ns, i, &record) == 0 && ns_rr_type(record) == ns_t_soa)
            return true;
    return false;
}

/* What keeps it from being an answer, or NULL. */
static const char *trouble_of(const struct ub_result *result)
{
    if (result->bogus || result->rcode == ns_r_nxdomain)
        return NULL;
    if (result->rcode != ns_r_noerror)
        return rcode_words(result->rcode);
    return result->havedata || has_soa(result)
               ? NULL
               : "the server only refers to others; it must be one that resolves names";
}

static void take_arrival(void *context, int trouble, struct ub_result *result)
{
    struct arrival *arrival = context;
    struct resolver_question *question = arrival->question;
    arrival->resolver->under_way--;
    const char *words = trouble != UB_NOERROR ? ub_strerror(trouble) : trouble_of(result);
    if (words == NULL) {
        question->result = result;
        return;
    }
    snprintf(question->trouble, sizeof(question->trouble), "%s", words);
    ub_resolve_free(result);
}

static void send(struct resolver *resolver, struct resolver_question *question,
                 struct arrival *arrival)
{
    *arrival = (struct arrival){resolver, question};
    snprintf(question->trouble, sizeof(question->trouble), "no answer in time");
    int trouble = ub_resolve_async(resolver->unbound, question->name, question->type, ns_c_in,
                                   arrival, take_arrival, NULL);
    if (trouble == UB_NOERROR)
        resolver->under_way++;
    else
        snprintf(question->trouble, sizeof(question->trouble), "%s", ub_strerror(trouble));
}

void resolver_ask(struct resolver *resolver, struct resolver_question *questions, size_t count,
                  int64_t deadline_ms)
{
    struct arrival *arrivals = memory_new(count, sizeof(*arrivals));
    for (size_t i = 0; i < count; i++)
        send(resolver, &questions[i], &arrivals[i]);
    while (resolver->under_way > 0) {
        int64_t left_ms = deadline_ms - timestamp_monotonic_ms();
        struct pollfd ready = {.fd = ub_fd(resolver->unbound), .events = POLLIN};
        if (left_ms <= 0)
            break;
        if (poll(&ready, 1, (int)left_ms) > 0 && ub_process(resolver->unbound) != UB_NOERROR)
            break;
    }
    /* What is still under way must not arrive in what is freed now. */
    ub_ctx_delete(resolver->unbound);
    resolver->unbound = NULL;
    free(arrivals);
}

void resolver_question_finish(struct resolver_question *question)
{
    ub_resolve_free(question->result);
    question->result = NULL;
}
