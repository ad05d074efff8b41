#include "server/session.h"

#include <stdlib.h>

#include "base/memory.h"
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
    enum lookup_map map;   /* tcp_table only */
    struct buffer decoded; /* tcp_table only: the key at hand */
    struct alarm broken_requests;
    struct alarm unsendable_replies;
};

/* The text reaches the logs of a mail server, so it holds no address. */
static const struct {
    enum wire_status status;
    const char *text; /* NULL: lookup_ask has written it, or there is none */
} replies[] = {
    [LOOKUP_FOUND] = {WIRE_OK, NULL},
    [LOOKUP_ABSENT] = {WIRE_NOTFOUND, NULL},
    [LOOKUP_TEMPORARY] = {WIRE_TEMP, "lpalias cannot tell now"},
};

/* Appends the text of the reply. */
static enum wire_status ask(struct session *session, enum lookup_map map, struct span key,
                            struct buffer *out)
{
    enum lookup_answer answer = lookup_ask(session->lookup, map, key.data, key.length, out, NULL);
    if (replies[answer].text != NULL)
        buffer_append_text(out, replies[answer].text);
    if (!watchdog_is_key(key))
        lookup_log_note(map, key, answer);
    return replies[answer].status;
}

static enum connection_step refuse(struct session *session, const char *protocol,
                                   enum wire_result result)
{
    if (result == WIRE_NEED_MORE)
        return CONNECTION_NEED_MORE;
    alarm_raise(&session->broken_requests,
                "a client sent what is not a %s request and was disconnected", protocol);
    return CONNECTION_BAD;
}

static void report_unsendable(struct session *session, const char *protocol)
{
    alarm_raise(&session->unsendable_replies,
                "an answer is too large or not text for %s; TEMP was said instead", protocol);
}

static enum wire_status answer_named_map(struct session *session,
                                         const struct socketmap_request *request,
                                         struct buffer *out)
{
    enum lookup_map map;
    if (lookup_map_from_name(request->map.data, request->map.length, &map))
        return ask(session, map, request->key, out);
    buffer_append_text(out, "no such map");
    return WIRE_PERM;
}

static enum connection_step answer_socketmap(void *context, struct span bytes, struct buffer *out,
                                             size_t *ret_taken)
{
    struct session *session = context;
    struct socketmap_request request;
    enum wire_result result = socketmap_take_request(bytes.data, bytes.length, &request, ret_taken);
    if (result != WIRE_COMPLETE)
        return refuse(session, "socketmap", result);
    size_t mark = socketmap_begin_reply(out);
    enum wire_status status = answer_named_map(session, &request, out);
    if (!socketmap_end_reply(out, mark, status))
        report_unsendable(session, "socketmap");
    return CONNECTION_ANSWERED;
}

static enum connection_step answer_tcp_table(void *context, struct span bytes, struct buffer *out,
                                             size_t *ret_taken)
{
    struct session *session = context;
    struct tcp_table_request request;
    enum wire_result result =
        tcp_table_take_request(bytes.data, bytes.length, &session->decoded, &request, ret_taken);
    if (result != WIRE_COMPLETE)
        return refuse(session, "tcp_table", result);
    size_t mark = tcp_table_begin_reply(out);
    enum wire_status status = request.verb == TCP_TABLE_PUT
                                  ? WIRE_NOTFOUND
                                  : ask(session, session->map, request.key, out);
    if (!tcp_table_end_reply(out, mark, status))
        report_unsendable(session, "tcp_table");
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
    struct policy_request request;
    enum wire_result result = policy_take_request(bytes.data, bytes.length, &request, ret_taken);
    if (result != WIRE_COMPLETE)
        return refuse(session, "policy", result);
    size_t mark = policy_begin_reply(out);
    size_t action = out->length;
    if (!is_about_recipient(&request) ||
        ask(session, LOOKUP_MAP_ACCESS, request.recipient, out) != WIRE_OK) {
        out->length = action;
        buffer_append_text(out, "DUNNO");
    }
    if (!policy_end_reply(out, mark))
        report_unsendable(session, "policy");
    return CONNECTION_ANSWERED;
}

static struct session *session_create(struct lookup *lookup, struct connection_service service)
{
    struct session *session = memory_new(1, sizeof(*session));
    session->lookup = lookup;
    session->service = service;
    session->service.context = session;
    return session;
}

struct session *session_create_socketmap(struct lookup *lookup)
{
    return session_create(
        lookup, (struct connection_service){
                    .answer = answer_socketmap,
                    .request_limit_bytes = NETSTRING_PREFIX_MAX_BYTES + WIRE_QUERY_MAX_BYTES + 1,
                });
}

struct session *session_create_tcp_table(struct lookup *lookup, enum lookup_map map)
{
    struct session *session =
        session_create(lookup, (struct connection_service){
                                   .answer = answer_tcp_table,
                                   .request_limit_bytes = TCP_TABLE_REQUEST_MAX_BYTES,
                               });
    session->map = map;
    return session;
}

struct session *session_create_policy(struct lookup *lookup)
{
    return session_create(lookup, (struct connection_service){
                                      .answer = answer_policy,
                                      .request_limit_bytes = POLICY_REQUEST_MAX_BYTES,
                                  });
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
