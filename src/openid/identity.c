#include "openid/identity.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "openid/message.h"
#include "openid/namespace.h"

/* Room for "count.", "value." and ".1" around the longest alias that is looked at. */
#define ALIAS_MAX_BYTES 64

/* A signed field of an extension; NULL: absent, unsigned or empty. */
static const char *extension_value(const struct openid_form *form, const char *alias,
                                   const char *prefix, const char *field, const char *suffix)
{
    struct buffer name = {0};
    buffer_appendf(&name, "%s.%s%s%s", alias, prefix, field, suffix);
    const char *value = openid_message_signed_value(form, buffer_text(&name));
    buffer_finish(&name);
    return value;
}

/* The alias that the signed fields give to a namespace, borrowed; NULL: none. */
static const char *alias_of(const struct openid_form *form, const char *namespace)
{
    for (size_t i = 0; i < form->count; i++) {
        const char *name = openid_message_name(&form->fields[i]);
        if (name == NULL || strncmp(name, "ns.", 3) != 0 || strchr(name + 3, '.') != NULL ||
            strlen(name + 3) > ALIAS_MAX_BYTES || strcmp(form->fields[i].value, namespace) != 0)
            continue;
        if (openid_message_signed_value(form, name) != NULL)
            return name + 3;
    }
    return NULL;
}

static char *sreg_value(const struct openid_form *form, const char *alias, const char *field)
{
    const char *value = alias != NULL ? extension_value(form, alias, "", field, "") : NULL;
    return value != NULL && value[0] != '\0' ? memory_copy_text(value) : NULL;
}

/* The first value of an attribute, in the form with a count or the one without (AX 1.0, 5.2). */
static const char *ax_value(const struct openid_form *form, const char *alias, const char *type)
{
    struct buffer prefix = {0};
    buffer_appendf(&prefix, "%s.type.", alias);
    const char *value = NULL;
    for (size_t i = 0; i < form->count && value == NULL; i++) {
        const char *name = openid_message_name(&form->fields[i]);
        if (name == NULL || strncmp(name, buffer_text(&prefix), prefix.length) != 0 ||
            strcmp(form->fields[i].value, type) != 0 ||
            openid_message_signed_value(form, name) == NULL)
            continue;
        const char *attribute = name + prefix.length;
        const char *count = extension_value(form, alias, "count.", attribute, "");
        if (count == NULL)
            value = extension_value(form, alias, "value.", attribute, "");
        else if (strcmp(count, "0") != 0)
            value = extension_value(form, alias, "value.", attribute, ".1");
    }
    buffer_finish(&prefix);
    return value;
}

static enum openid_identity_verified read_verified(const struct openid_form *form)
{
    const char *alias = alias_of(form, OPENID_NAMESPACE_AX);
    const char *mode = alias != NULL ? extension_value(form, alias, "", "mode", "") : NULL;
    if (mode == NULL || strcmp(mode, "fetch_response") != 0)
        return OPENID_IDENTITY_NOT_SAID;
    const char *value = ax_value(form, alias, OPENID_AX_ACCOUNT_VERIFIED);
    if (value == NULL)
        return OPENID_IDENTITY_NOT_SAID;
    /* The other one is "no" (identityprovider/forms.py); a word we do not know proves nothing. */
    return strcmp(value, "token_via_email") == 0 ? OPENID_IDENTITY_VERIFIED
                                                 : OPENID_IDENTITY_UNVERIFIED;
}

static void read_teams(const struct openid_form *form, struct openid_identity *identity)
{
    const char *alias = alias_of(form, OPENID_NAMESPACE_TEAMS);
    const char *list = alias != NULL ? extension_value(form, alias, "", "is_member", "") : NULL;
    if (list == NULL)
        return;
    identity->teams_told = true;
    size_t capacity = 0;
    for (const char *at = list; *at != '\0'; at += at[0] == ',') {
        size_t length = strcspn(at, ",");
        if (length != 0) {
            identity->teams = memory_grow(identity->teams, identity->team_count, &capacity,
                                          sizeof(*identity->teams));
            identity->teams[identity->team_count++] = memory_copy_bytes(at, length);
        }
        at += length;
    }
}

void openid_identity_read(const struct openid_form *form, struct openid_identity *ret)
{
    const char *sreg = alias_of(form, OPENID_NAMESPACE_SREG);
    *ret = (struct openid_identity){
        .claimed_id = memory_copy_text(openid_message_signed_value(form, "claimed_id")),
        .nickname = sreg_value(form, sreg, "nickname"),
        .email = sreg_value(form, sreg, "email"),
        .fullname = sreg_value(form, sreg, "fullname"),
        .email_verified = read_verified(form),
    };
    read_teams(form, ret);
}

void openid_identity_finish(struct openid_identity *identity)
{
    free(identity->claimed_id);
    free(identity->nickname);
    free(identity->email);
    free(identity->fullname);
    for (size_t i = 0; i < identity->team_count; i++)
        free(identity->teams[i]);
    free(identity->teams);
    *identity = (struct openid_identity){0};
}
