#include "portal/history_api.h"

#include "base/text.h"
#include "membership/own_event.h"
#include "portal/member.h"
#include "portal/query.h"
#include "report/json_value.h"

enum { PAGE_ROWS = 50, NUMBER_MAX_BYTES = 20 };

struct page {
    json_t *events;
    uint64_t last; /* that was put in */
    bool is_more;  /* behind it */
};

static bool add_event(void *context, uint64_t sequence, const struct event_record *event)
{
    struct page *page = context;
    page->is_more = json_array_size(page->events) == PAGE_ROWS;
    if (page->is_more)
        return false;
    page->last = sequence;
    json_array_append_new(
        page->events,
        json_pack("{s:I,s:o,s:o,s:o,s:o,s:o,s:o}", "sequence", (json_int_t)sequence, "time",
                  json_from_time(event->at_s), "actor", json_from_span(event->actor), "act",
                  json_from_span(event->act), "subject", json_from_optional(event->subject),
                  "domain", json_from_optional(event->domain), "detail",
                  json_from_optional(event->detail)));
    return true;
}

static void answer(struct call *call, const struct member *member, uint64_t before)
{
    struct error error = {0};
    struct page page = {.events = json_array()};
    if (!member->is_known || own_event_each(call->snapshot, member->name.data, before,
                                            PAGE_ROWS + 1, add_event, &page, &error))
        answer_json(call, 200,
                    json_pack("{s:O,s:o}", "events", page.events, "next_before",
                              page.is_more ? json_integer((json_int_t)page.last) : json_null()));
    else
        answer_trouble(call, &error);
    json_decref(page.events);
}

void history_api_list(struct call *call)
{
    struct member member = {0};
    uint64_t before = 0;
    struct query_field field = {"before", NUMBER_MAX_BYTES, NULL};
    if (!query_read(http_request_query(call->request), &field, 1) ||
        (field.value != NULL && !text_parse_number(field.value, 1, INT64_MAX, &before)))
        answer_refusal(call, REFUSAL_BAD_REQUEST, 0);
    else if (member_begin(call, &member))
        answer(call, &member, before);
    member_finish(&member);
    query_finish(&field, 1);
}
