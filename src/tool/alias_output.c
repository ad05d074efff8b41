#include "tool/alias_output.h"

#include <stdlib.h>
#include <string.h>

#include "base/timestamp.h"
#include "report/record_json.h"
#include "tool/json_output.h"

static void append_field(struct buffer *out, struct span text)
{
    bool is_quoted = false;
    for (size_t i = 0; i < text.length; i++)
        is_quoted |= strchr(",\"\r\n \t", text.data[i]) != NULL;
    if (is_quoted)
        buffer_append_char(out, '"');
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] == '"')
            buffer_append_char(out, '"');
        buffer_append_char(out, text.data[i]);
    }
    if (is_quoted)
        buffer_append_char(out, '"');
}

static void append_next_field(struct buffer *out, const char *text)
{
    buffer_append_char(out, ',');
    append_field(out, span_of(text));
}

void alias_output_csv_heading(struct buffer *out, bool is_shown)
{
    buffer_appendf(out, "address,kind,state,reason,extension,since,owner,%s\r\n",
                   is_shown ? "targets" : "target_count");
}

static void append_targets(struct buffer *out, const struct alias_row *row)
{
    CLEANUP(buffer_finish) struct buffer text = {0};
    if (!row->is_shown && row->targets->is_known)
        buffer_appendf(&text, "%zu", row->targets->count);
    for (size_t i = 0; row->is_shown && i < row->targets->lines.length; i++) {
        char byte = row->targets->lines.data[i];
        buffer_append_char(&text, byte);
        if (byte == '\n')
            text.data[text.length - 1] = ' ';
    }
    append_next_field(out, buffer_text(&text));
}

void alias_output_csv(struct buffer *out, const struct alias_row *row)
{
    const struct alias_record *record = row->record;
    CLEANUP(buffer_finish) struct buffer address = {0};
    CLEANUP(buffer_finish) struct buffer owner = {0};
    char since[TIMESTAMP_TEXT_BYTES];
    buffer_appendf(&address, "%s@%s", row->local, row->domain);
    buffer_append(&owner, record->owner.data, record->owner.length);
    append_field(out, span_of(buffer_text(&address)));
    append_next_field(out, alias_kind_name(record->kind));
    append_next_field(out, alias_state_name(record->state));
    append_next_field(out, record->reason != REASON_NONE ? alias_reason_name(record->reason) : "");
    append_next_field(out, extension_policy_name(record->extension));
    append_next_field(out, timestamp_format(record->since_s, since));
    append_next_field(out, buffer_text(&owner));
    append_targets(out, row);
    buffer_append_text(out, "\r\n");
}

void alias_output_json(struct buffer *out, const struct alias_row *row)
{
    CLEANUP(buffer_finish) struct buffer address = {0};
    json_t *object = json_from_alias(row->record);
    buffer_appendf(&address, "%s@%s", row->local, row->domain);
    json_object_set_new(object, "address", json_from_span(span_of(buffer_text(&address))));
    targets_set_json(object, row->targets, row->is_shown);
    char *text = json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS);
    if (text == NULL)
        abort();
    buffer_append_text(out, text);
    free(text);
    json_decref(object);
}
