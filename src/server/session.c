#include "server/session.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/timestamp.h"
#include "server/alarm.h"
#include "server/lookup_log.h"
#include "server/watchdog.h"
#include "wire/netstring.h"
#include "wire/policy.h"
#include "wire/socketmap.h"
#include "wire/tcp_table.h"

struct session {
    struct connection_service service;
    struct lookup *lookup;
    struct counters *counters;
    enum config_protocol protocol;
    enum lookup_map map;   /* tcp_table only */
    struct buffer decoded; /* tcp_table only: the key at hand */
    struct alarm broken_requests;
    struct alarm unsendable_replies;
};

/* A request that is being answered, from when all of it was read. */
struct request {
    unsigned map; /* or COUNTERS_NO_MAP */
    enum lookup_outcome outcome;
    int64_t began_ns;
    bool is_own; /* the watchdog's, so no mail is behind it */
};

/* The text reaches the logs of a mail server, so it holds no address. */
static const struct {
    enum wire_status status;
    enum lookup_outcome outcome;
    const char *text; /* NULL: lookup_ask has written it, or there is none */
} replies[] = {
    [LOOKUP_FOUND] = {WIRE_OK, OUTCOME_FOUND, NULL},
    [LOOKUP_ABSENT] = {WIRE_NOTFOUND, OUTCOME_ABSENT, NULL},
    [LOOKUP_TEMPORARY] = {WIRE_TEMP, OUTCOME_TEMPORARY, "lpalias cannot tell now"},
};

static struct request begin_request(enum lookup_map map)
{
    return (struct request){map, OUTCOME_NOT_ASKED, timestamp_monotonic_ns(), false};
}

/* The reply is written; is_sent: as it was answered. */
static void end_request(struct session *session, const struct request *request, bool is_sent)
{
    if (!is_sent) {
        session->counters->unsendable_replies++;
        alarm_raise(&session->unsendable_replies,
                    "an answer is too large or not text for %s; TEMP was said instead",
                    counters_protocol_name(session->protocol));
    }
    if (!request->is_own)
        counters_note_lookup(session->counters, session->protocol, request->map,
                             is_sent ? request->outcome : OUTCOME_TEMPORARY, request->began_ns,
                             timestamp_monotonic_ns());
}

/* Appends the text of the reply. */
static enum wire_status ask(struct session *session, struct request *request, struct span key,
                            struct buffer *out)
{
    enum lookup_map map = (enum lookup_map)request->map;
    enum lookup_answer answer = lookup_ask(session->lookup, map, key.data, key.length, out, NULL);
    if (replies[answer].text != NULL)
        buffer_append_text(out, replies[answer].text);
    request->is_own = watchdog_is_key(key);
    if (!request->is_own)
        lookup_log_note(map, key, answer);
    request->outcome = replies[answer].outcome;
    return replies[answer].status;
}

static enum connection_step refuse(struct session *session, enum wire_result result)
{
    if (result == WIRE_NEED_MORE)
        return CONNECTION_NEED_MORE;
    alarm_raise(&session->broken_requests,
                "a client sent what is not a %s request and was disconnected",
                counters_protocol_name(session->protocol));
    return CONNECTION_BAD;
}

static enum wire_status answer_named_map(struct session *session,
                                         const struct socketmap_request *asked,
                                         struct request *request, struct buffer *out)
{
    enum lookup_map map;
    if (lookup_map_from_name(asked->map.data, asked->map.length, &map)) {
        request->map = map;
        return ask(session, request, asked->key, out);
    }
    request->map = COUNTERS_NO_MAP;
    request->outcome = OUTCOME_NO_MAP;
    buffer_append_text(out, "no such map");
    return WIRE_PERM;
}

static enum connection_step answer_socketmap(void *context, struct span bytes, struct buffer *out,
                                             size_t *ret_taken)
{
    struct session *session = context;
    struct socketmap_request asked;
    enum wire_result result = socketmap_take_request(bytes.data, bytes.length, &asked, ret_taken);
    if (result != WIRE_COMPLETE)
        return refuse(session, result);
    struct request request = begin_request(LOOKUP_MAP_ALIAS);
    size_t mark = socketmap_begin_reply(out);
    enum wire_status status = answer_named_map(session, &asked, &request, out);
    end_request(session, &request, socketmap_end_reply(out, mark, status));
    return CONNECTION_ANSWERED;
}

static enum connection_step answer_tcp_table(void *context, struct span bytes, struct buffer *out,
                                             size_t *ret_taken)
{
    struct session *session = context;
    struct tcp_table_request asked;
    enum wire_result result =
        tcp_table_take_request(bytes.data, bytes.length, &session->decoded, &asked, ret_taken);
    if (result != WIRE_COMPLETE)
        return refuse(session, result);
    struct request request = begin_request(session->map);
    size_t mark = tcp_table_begin_reply(out);
    enum wire_status status =
        asked.verb == TCP_TABLE_PUT ? WIRE_NOTFOUND : ask(session, &request, asked.key, out);
    end_request(session, &request, tcp_table_end_reply(out, mark, status));
    return CONNECTION_ANSWERED;
}

/* Only a recipient that is asked for as such can be refused; nobody has an opinion of the rest. */
static bool is_about_recipient(const struct policy_request *request)
{
    return span_is_text(request->request, "smtpd_access_policy") &&
           span_is_text(request->protocol_state, "RCPT");
}

static enum connection_step answer_policy(void *context, struct span bytes, struct buffer *out,
                                          size_t *ret_taken)
{
    struct session *session = context;
    struct policy_request asked;
    enum wire_result result = policy_take_request(bytes.data, bytes.length, &asked, ret_taken);
    if (result != WIRE_COMPLETE)
        return refuse(session, result);
    struct request request = begin_request(LOOKUP_MAP_ACCESS);
    size_t mark = policy_begin_reply(out);
    size_t action = out->length;
    if (!is_about_recipient(&asked) || ask(session, &request, asked.recipient, out) != WIRE_OK) {
        out->length = action;
        buffer_append_text(out, "DUNNO");
    }
    end_request(session, &request, policy_end_reply(out, mark));
    return CONNECTION_ANSWERED;
}

static struct session *session_create(struct lookup *lookup, struct counters *counters,
                                      enum config_protocol protocol,
                                      struct connection_service service)
{
    struct session *session = memory_new(1, sizeof(*session));
    session->lookup = lookup;
    session->counters = counters;
    session->protocol = protocol;
    session->service = service;
    session->service.context = session;
    return session;
}

struct session *session_create_socketmap(struct lookup *lookup, struct counters *counters)
{
    return session_create(
        lookup, counters, CONFIG_SOCKETMAP,
        (struct connection_service){
            .answer = answer_socketmap,
            .request_limit_bytes = NETSTRING_PREFIX_MAX_BYTES + WIRE_QUERY_MAX_BYTES + 1,
        });
}

struct session *session_create_tcp_table(struct lookup *lookup, struct counters *counters,
                                         enum lookup_map map)
{
    struct session *session = session_create(lookup, counters, CONFIG_TCP_TABLE,
                                             (struct connection_service){
                                                 .answer = answer_tcp_table,
                                                 .request_limit_bytes = TCP_TABLE_REQUEST_MAX_BYTES,
                                             });
    session->map = map;
    return session;
}

struct session *session_create_policy(struct lookup *lookup, struct counters *counters)
{
    return session_create(lookup, counters, CONFIG_POLICY,
                          (struct connection_service){
                              .answer = answer_policy,
                              .request_limit_bytes = POLICY_REQUEST_MAX_BYTES,
                          });
}

void session_use(struct session *session, struct lookup *lookup)
{
    session->lookup = lookup;
}

void session_destroy(struct session *session)
{
    if (session == NULL)
        return;
    buffer_finish(&session->decoded);
    free(session);
}

const struct connection_service *session_service(const struct session *session)
{
    return &session->service;
}
