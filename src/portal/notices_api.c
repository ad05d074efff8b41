#include "portal/notices_api.h"

#include "portal/answer.h"
#include "portal/call.h"
#include "report/json_value.h"

enum {
    ROWS_MAX = 200,
    LOOKED_AT_MAX = 5000, /* so that a full outbox holds up nobody */
};

struct waiting {
    const struct admin_rights *rights;
    size_t looked_at;
    bool is_more;
    json_t *notices;
};

static const char *audience_word(enum notice_audience audience)
{
    switch (audience) {
    case AUDIENCE_PERSON:
        return "person";
    case AUDIENCE_ADMINS:
        return "admins";
    case AUDIENCE_ALERTS:
        break;
    }
    return "alerts";
}

static bool visit_notice(void *context, uint64_t sequence, const struct outbox_record *notice)
{
    struct waiting *waiting = context;
    waiting->is_more =
        json_array_size(waiting->notices) == ROWS_MAX || waiting->looked_at == LOOKED_AT_MAX;
    if (waiting->is_more)
        return false;
    waiting->looked_at++;
    if (admin_rights_cover(waiting->rights, notice->domain))
        json_array_append_new(
            waiting->notices,
            json_pack("{s:I,s:o,s:o,s:s,s:o,s:o,s:I}", "sequence", (json_int_t)sequence, "kind",
                      json_from_span(notice->kind), "domain", json_from_optional(notice->domain),
                      "audience", audience_word(notice->audience), "about",
                      json_from_optional(notice->subject), "made", json_from_time(notice->at_s),
                      "attempts", (json_int_t)notice->attempts));
    return true;
}

void notices_api_list(struct call *call)
{
    struct error error = {0};
    struct waiting waiting = {.rights = &call->rights, .notices = json_array()};
    if (snapshot_each_notice(call->snapshot, visit_notice, &waiting, &error))
        answer_json(call, 200,
                    json_pack("{s:O,s:b}", "notices", waiting.notices, "is_more", waiting.is_more));
    else
        answer_trouble(call, &error);
    json_decref(waiting.notices);
}
