#include "portal/query.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/text.h"

static bool is_fit(const struct buffer *value, size_t max_bytes)
{
    if (value->length > max_bytes || !text_is_utf8(value->data, value->length))
        return false;
    for (size_t i = 0; i < value->length; i++)
        if ((unsigned char)value->data[i] < 0x20 || value->data[i] == 0x7f)
            return false;
    return true;
}

static struct query_field *find(struct query_field *fields, size_t count, struct span name)
{
    for (size_t i = 0; i < count; i++)
        if (span_is_text(name, fields[i].name))
            return &fields[i];
    return NULL;
}

static bool take(struct query_field *fields, size_t count, struct span pair)
{
    const char *equals = memchr(pair.data, '=', pair.length);
    size_t name_length = equals != NULL ? (size_t)(equals - pair.data) : pair.length;
    struct query_field *field = find(fields, count, (struct span){pair.data, name_length});
    struct buffer value = {0};
    if (field == NULL || equals == NULL || field->value != NULL)
        return false;
    bool is_read = text_append_percent_decoded(
        &value, (struct span){equals + 1, pair.length - name_length - 1}, TEXT_PLUS_IS_BLANK);
    if (!is_read || value.length == 0 || !is_fit(&value, field->max_bytes)) {
        is_read = is_read && value.length == 0;
        buffer_finish(&value);
        return is_read;
    }
    buffer_text(&value);
    field->value = value.data; /* handed over */
    return true;
}

bool query_read(const char *query, struct query_field *fields, size_t count)
{
    while (*query != '\0') {
        size_t length = strcspn(query, "&");
        if (!take(fields, count, (struct span){query, length}))
            return false;
        query += length + (query[length] == '&');
    }
    return true;
}

void query_finish(struct query_field *fields, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(fields[i].value);
        fields[i].value = NULL;
    }
}
