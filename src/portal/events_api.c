#include "portal/events_api.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "portal/answer.h"
#include "portal/call.h"
#include "portal/query.h"
#include "report/json_value.h"

enum {
    PAGE_ROWS = 50,
    LOOKED_AT_MAX = 5000, /* in one request, so that a search holds up nobody */
    NAME_MAX_BYTES = 200,
    NUMBER_MAX_BYTES = 20,
};

enum { FIELD_DOMAIN, FIELD_NAME, FIELD_BEFORE, FIELD_COUNT };

struct search {
    const struct admin_rights *rights;
    const char *domain, *name; /* NULL: any */
    size_t looked_at;
    uint64_t last; /* that was looked at */
    bool is_more;  /* behind it */
    json_t *events;
};

/* An admin "jdoe" acts as "admin:jdoe". */
static bool is_by(struct span actor, const char *name)
{
    const char *colon = actor.length != 0 ? memchr(actor.data, ':', actor.length) : NULL;
    if (colon == NULL)
        return false;
    size_t before = (size_t)(colon + 1 - actor.data);
    return span_is_text((struct span){colon + 1, actor.length - before}, name);
}

static bool is_wanted(const struct search *search, const struct event_record *event)
{
    return admin_rights_cover(search->rights, event->domain) &&
           (search->domain == NULL || span_is_text(event->domain, search->domain)) &&
           (search->name == NULL || span_is_text(event->subject, search->name) ||
            is_by(event->actor, search->name));
}

static bool visit_event(void *context, uint64_t sequence, const struct event_record *event)
{
    struct search *search = context;
    search->is_more =
        json_array_size(search->events) == PAGE_ROWS || search->looked_at == LOOKED_AT_MAX;
    if (search->is_more)
        return false;
    search->looked_at++;
    search->last = sequence;
    if (is_wanted(search, event))
        json_array_append_new(
            search->events,
            json_pack("{s:I,s:o,s:o,s:o,s:o,s:o,s:o}", "sequence", (json_int_t)sequence, "time",
                      json_from_time(event->at_s), "actor", json_from_span(event->actor), "act",
                      json_from_span(event->act), "subject", json_from_optional(event->subject),
                      "domain", json_from_optional(event->domain), "detail",
                      json_from_optional(event->detail)));
    return true;
}

static void answer(struct call *call, const struct query_field *fields, uint64_t before)
{
    struct error error = {0};
    struct search search = {
        .rights = &call->rights,
        .domain = fields[FIELD_DOMAIN].value,
        .name = fields[FIELD_NAME].value,
        .events = json_array(),
    };
    if (snapshot_each_event_before(call->snapshot, before, visit_event, &search, &error))
        answer_json(
            call, 200,
            json_pack("{s:O,s:o}", "events", search.events, "next_before",
                      search.is_more ? json_integer((json_int_t)search.last) : json_null()));
    else
        answer_trouble(call, &error);
    json_decref(search.events);
}

void events_api_list(struct call *call)
{
    uint64_t before = UINT64_MAX;
    struct query_field fields[FIELD_COUNT] = {
        [FIELD_DOMAIN] = {"domain", NAME_MAX_BYTES, NULL},
        [FIELD_NAME] = {"name", NAME_MAX_BYTES, NULL},
        [FIELD_BEFORE] = {"before", NUMBER_MAX_BYTES, NULL},
    };
    const char *query = http_request_query(call->request);
    if (!query_read(query, fields, FIELD_COUNT) ||
        (fields[FIELD_BEFORE].value != NULL &&
         !text_parse_number(fields[FIELD_BEFORE].value, 0, INT64_MAX, &before)))
        answer_refusal(call, REFUSAL_BAD_REQUEST, 0);
    else if (fields[FIELD_DOMAIN].value != NULL &&
             !admin_rights_have(&call->rights, fields[FIELD_DOMAIN].value))
        answer_refusal(call, REFUSAL_NOT_FOUND, 0);
    else
        answer(call, fields, before);
    query_finish(fields, FIELD_COUNT);
}
