/* The openid fields of a form, named without their "openid." (OpenID 2.0, 4.1). */
#ifndef LPALIAS_OPENID_MESSAGE_H
#define LPALIAS_OPENID_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "openid/form.h"

/* Behind its "openid."; NULL: the field is not one of the message. Borrowed. */
const char *openid_message_name(const struct openid_form_field *field);

/* The fields of the message. */
size_t openid_message_count(const struct openid_form *form);

/* Borrowed; NULL: there is no such field. */
const char *openid_message_value(const struct openid_form *form, const char *name);

/* Whether the field "signed" names it. */
bool openid_message_signs(const struct openid_form *form, const char *name) MUST_CHECK;

/* Borrowed; NULL: there is no such field, or it is not signed. */
const char *openid_message_signed_value(const struct openid_form *form, const char *name);

#endif
