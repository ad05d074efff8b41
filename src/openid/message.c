#include "openid/message.h"

#include <string.h>

static const char prefix[] = "openid.";

const char *openid_message_name(const struct openid_form_field *field)
{
    size_t length = strlen(prefix);
    return strncmp(field->name, prefix, length) == 0 ? field->name + length : NULL;
}

size_t openid_message_count(const struct openid_form *form)
{
    size_t count = 0;
    for (size_t i = 0; i < form->count; i++)
        count += openid_message_name(&form->fields[i]) != NULL;
    return count;
}

const char *openid_message_value(const struct openid_form *form, const char *name)
{
    for (size_t i = 0; i < form->count; i++) {
        const char *found = openid_message_name(&form->fields[i]);
        if (found != NULL && strcmp(found, name) == 0)
            return form->fields[i].value;
    }
    return NULL;
}

bool openid_message_signs(const struct openid_form *form, const char *name)
{
    const char *at = openid_message_value(form, "signed");
    size_t name_length = strlen(name);
    while (at != NULL) {
        size_t length = strcspn(at, ",");
        if (length == name_length && memcmp(at, name, length) == 0)
            return true;
        at = at[length] == ',' ? at + length + 1 : NULL;
    }
    return false;
}

const char *openid_message_signed_value(const struct openid_form *form, const char *name)
{
    return openid_message_signs(form, name) ? openid_message_value(form, name) : NULL;
}
