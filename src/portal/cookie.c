#include "portal/cookie.h"

#include <inttypes.h>
#include <string.h>

bool cookie_find(const char *header, const char *name, struct buffer *ret_value)
{
    size_t name_length = strlen(name);
    size_t found = 0;
    size_t begin = ret_value->length;
    for (const char *at = header; at != NULL && *at != '\0';) {
        at += strspn(at, " ;");
        size_t length = strcspn(at, ";");
        if (length > name_length && strncmp(at, name, name_length) == 0 && at[name_length] == '=') {
            buffer_append(ret_value, at + name_length + 1, length - name_length - 1);
            found++;
        }
        at += length;
    }
    if (found != 1)
        ret_value->length = begin;
    return found == 1;
}

void cookie_append(struct buffer *out, const char *name, const char *value,
                   enum cookie_same_site same_site, int64_t max_age_s)
{
    buffer_appendf(out, "%s=%s; Path=/; Secure; HttpOnly; SameSite=%s; Max-Age=%" PRId64, name,
                   value, same_site == COOKIE_LAX ? "Lax" : "None", max_age_s);
}
