#include "openid/login.h"

#include <string.h>

#include "openid/form.h"
#include "openid/namespace.h"

#define IDENTIFIER_SELECT OPENID_NAMESPACE_2_0 "/identifier_select"

void openid_login_append_return_to(const struct openid_login *login, struct buffer *out)
{
    struct buffer argument = {0};
    openid_form_append(&argument, "state", login->state);
    buffer_appendf(out, "%s?%s", login->return_to, buffer_text(&argument));
    buffer_finish(&argument);
}

static void append_attributes(struct buffer *out)
{
    /* What is required is ticked when an unknown site asks, so it is what we cannot do without. */
    openid_form_append(out, "openid.ns.sreg", OPENID_NAMESPACE_SREG);
    openid_form_append(out, "openid.sreg.required", "nickname,email");
    openid_form_append(out, "openid.sreg.optional", "fullname");
    openid_form_append(out, "openid.ns.ax", OPENID_NAMESPACE_AX);
    openid_form_append(out, "openid.ax.mode", "fetch_request");
    openid_form_append(out, "openid.ax.type.account_verified", OPENID_AX_ACCOUNT_VERIFIED);
    openid_form_append(out, "openid.ax.required", "account_verified");
}

static void append_teams(struct buffer *out, const char *const *teams, size_t team_count)
{
    struct buffer list = {0};
    for (size_t i = 0; i < team_count; i++)
        buffer_appendf(&list, "%s%s", i != 0 ? "," : "", teams[i]);
    openid_form_append(out, "openid.ns.lp", OPENID_NAMESPACE_TEAMS);
    openid_form_append(out, "openid.lp.query_membership", buffer_text(&list));
    buffer_finish(&list);
}

void openid_login_append_request_url(const struct openid_login *login,
                                     const struct openid_provider *provider,
                                     const char *const *teams, size_t team_count,
                                     struct buffer *out)
{
    struct buffer return_to = {0};
    openid_login_append_return_to(login, &return_to);
    buffer_append_text(out, provider->endpoint);
    if (strchr(provider->endpoint, '?') == NULL)
        buffer_append_char(out, '?');
    openid_form_append(out, "openid.ns", OPENID_NAMESPACE_2_0);
    openid_form_append(out, "openid.mode", "checkid_setup");
    openid_form_append(out, "openid.claimed_id", IDENTIFIER_SELECT);
    openid_form_append(out, "openid.identity", IDENTIFIER_SELECT);
    openid_form_append(out, "openid.return_to", buffer_text(&return_to));
    openid_form_append(out, "openid.realm", login->realm);
    append_attributes(out);
    if (team_count != 0)
        append_teams(out, teams, team_count);
    buffer_finish(&return_to);
}
