/*
 * application/x-www-form-urlencoded (WHATWG URL 5): the query of a URL and the body of a form POST,
 * as an ordered list of decoded fields. Names are flat: a dot or bracket in one means nothing.
 */
#ifndef LPALIAS_OPENID_FORM_H
#define LPALIAS_OPENID_FORM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/error.h"

/* More than any browser sends in a URL, and than an answer with every attribute needs. */
#define OPENID_FORM_MAX_BYTES  (32 * 1024)
#define OPENID_FORM_MAX_FIELDS 100

struct openid_form_field {
    char *name, *value; /* decoded: UTF-8 without NUL */
};

/* Zeroed, it is a form without fields. The order is that of the text. */
struct openid_form {
    struct openid_form_field *fields;
    size_t count, capacity;
};

/*
 * Decodes text; the form is to be finished only when this returns true. Fields without "=" have an
 * empty value, empty ones are passed over. ERROR_INVALID: over a limit above, a percent sign that
 * begins no encoding, NUL, or not UTF-8; the text holds nothing of the form.
 */
bool openid_form_parse(struct span text, struct openid_form *ret, struct error *error) MUST_CHECK;

/* Frees what the form holds and zeroes it. */
void openid_form_finish(struct openid_form *form);

/* The value of the first field of that name, borrowed; NULL: there is none. */
const char *openid_form_value(const struct openid_form *form, const char *name);

/* How many fields have that name. */
size_t openid_form_count(const struct openid_form *form, const char *name);

/* Appends "name=value", encoded, and before it an "&" unless out is empty or ends with "?". */
void openid_form_append(struct buffer *out, const char *name, const char *value);

#endif
