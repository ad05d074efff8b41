#include "openid/form.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

/* What every encoder leaves as it is (RFC 3986 2.3). */
static const char unreserved[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                 "-._~";

/* Caller frees *ret. */
static bool decode(struct span text, char **ret, struct error *error)
{
    struct buffer decoded = {0};
    const char *fault = NULL;
    if (!text_append_percent_decoded(&decoded, text, TEXT_PLUS_IS_BLANK))
        fault = "a percent sign begins no encoding";
    else if (!text_is_utf8(buffer_text(&decoded), decoded.length))
        fault = "a field holds NUL or is not UTF-8";
    if (fault != NULL) {
        buffer_finish(&decoded);
        return error_set(error, ERROR_INVALID, "%s", fault);
    }
    *ret = decoded.data;
    return true;
}

static bool add_field(struct openid_form *form, struct span text, struct error *error)
{
    if (form->count == OPENID_FORM_MAX_FIELDS)
        return error_set(error, ERROR_INVALID, "more than %d fields", OPENID_FORM_MAX_FIELDS);
    const char *mark = memchr(text.data, '=', text.length);
    size_t name_length = mark != NULL ? (size_t)(mark - text.data) : text.length;
    size_t value_start = mark != NULL ? name_length + 1 : text.length;
    struct openid_form_field field = {0};
    if (!decode((struct span){text.data, name_length}, &field.name, error))
        return false;
    if (!decode((struct span){text.data + value_start, text.length - value_start}, &field.value,
                error)) {
        free(field.name);
        return false;
    }
    form->fields = memory_grow(form->fields, form->count, &form->capacity, sizeof(*form->fields));
    form->fields[form->count++] = field;
    return true;
}

bool openid_form_parse(struct span text, struct openid_form *ret, struct error *error)
{
    struct openid_form form = {0};
    if (text.length > OPENID_FORM_MAX_BYTES)
        return error_set(error, ERROR_INVALID, "more than %d bytes", OPENID_FORM_MAX_BYTES);
    while (text.length != 0) {
        const char *end = memchr(text.data, '&', text.length);
        size_t length = end != NULL ? (size_t)(end - text.data) : text.length;
        if (length != 0 && !add_field(&form, (struct span){text.data, length}, error)) {
            openid_form_finish(&form);
            return false;
        }
        size_t taken = end != NULL ? length + 1 : length;
        text = (struct span){text.data + taken, text.length - taken};
    }
    *ret = form;
    return true;
}

void openid_form_finish(struct openid_form *form)
{
    for (size_t i = 0; i < form->count; i++) {
        free(form->fields[i].name);
        free(form->fields[i].value);
    }
    free(form->fields);
    *form = (struct openid_form){0};
}

const char *openid_form_value(const struct openid_form *form, const char *name)
{
    for (size_t i = 0; i < form->count; i++)
        if (strcmp(form->fields[i].name, name) == 0)
            return form->fields[i].value;
    return NULL;
}

size_t openid_form_count(const struct openid_form *form, const char *name)
{
    size_t count = 0;
    for (size_t i = 0; i < form->count; i++)
        count += strcmp(form->fields[i].name, name) == 0;
    return count;
}

static void append_encoded(struct buffer *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (strchr(unreserved, *text) != NULL)
            buffer_append_char(out, *text);
        else
            buffer_appendf(out, "%%%02X", (unsigned char)*text);
    }
}

void openid_form_append(struct buffer *out, const char *name, const char *value)
{
    if (out->length != 0 && out->data[out->length - 1] != '?')
        buffer_append_char(out, '&');
    append_encoded(out, name);
    buffer_append_char(out, '=');
    append_encoded(out, value);
}
