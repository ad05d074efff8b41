#include "report/json_value.h"

#include "base/text.h"
#include "base/timestamp.h"

json_t *json_from_span(struct span text)
{
    if (text_is_utf8(text.data, text.length))
        return json_stringn(text.length != 0 ? text.data : "", text.length);
    CLEANUP(buffer_finish) struct buffer copy = {0};
    CLEANUP(buffer_finish) struct buffer escaped = {0};
    buffer_append(&copy, text.data, text.length);
    text_append_escaped(&escaped, buffer_text(&copy));
    return json_string(buffer_text(&escaped));
}

json_t *json_from_optional(struct span text)
{
    return text.length != 0 ? json_from_span(text) : json_null();
}

json_t *json_from_time(int64_t at_s)
{
    char text[TIMESTAMP_TEXT_BYTES];
    return at_s != 0 ? json_string(timestamp_format(at_s, text)) : json_null();
}

json_t *json_from_reason(enum alias_reason reason)
{
    return reason != REASON_NONE ? json_string(alias_reason_name(reason)) : json_null();
}
