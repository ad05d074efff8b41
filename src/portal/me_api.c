#include "portal/me_api.h"

#include <stdlib.h>
#include <string.h>

#include "action/target.h"
#include "base/memory.h"
#include "membership/login_plan.h"
#include "membership/standing.h"
#include "portal/member.h"
#include "portal/waiting.h"
#include "report/json_value.h"

/* ---- addresses ---- */

/*
 * Where on Launchpad the person can do something about it; null: nowhere. name: that of now, as
 * the one of the session may be another's meanwhile.
 */
static json_t *next_url(const struct call *call, const char *name,
                        const struct standing_address *address)
{
    const char *web = call->portal->config->portal.launchpad_web;
    switch (address->step) {
    case STANDING_JOIN:
        return address->team != NULL ? json_sprintf("%s/~%s", web, address->team) : json_null();
    case STANDING_MEND:
        return json_sprintf("%s/~%s", web, name);
    case STANDING_SIGN:
        return json_sprintf("%s/codeofconduct", web);
    default:
        return json_null();
    }
}

static const char *kind_word(const struct standing_address *address)
{
    return address->is_former ? "former" : address->is_extra ? "extra" : "member";
}

static json_t *json_of_address(const struct call *call, const char *name,
                               const struct standing_address *address)
{
    return json_pack("{s:o,s:s,s:s?,s:s,s:s,s:o,s:o,s:o,s:o,s:o,s:s}", "address",
                     json_sprintf("%s@%s", address->local, address->domain), "domain",
                     address->domain, "team", address->team, "kind", kind_word(address), "state",
                     address->state != 0 ? alias_state_name(address->state) : "none", "reason",
                     json_from_optional(span_of(address->reason)), "next_url",
                     next_url(call, name, address), "since", json_from_time(address->since_s),
                     "live_since", json_from_time(address->live_since_s), "grace_end",
                     json_from_time(address->grace_end_s), "extension",
                     extension_policy_name(address->extension));
}

static json_t *list_addresses(const struct call *call, const char *name,
                              const struct standing *standing)
{
    json_t *addresses = json_array();
    for (size_t i = 0; i < standing->count; i++)
        json_array_append_new(addresses, json_of_address(call, name, &standing->addresses[i]));
    return addresses;
}

/* Nothing is there, and there is nothing to wait for. */
static bool is_member_of_none(const struct standing *standing)
{
    for (size_t i = 0; i < standing->count; i++)
        if (standing->addresses[i].state != 0 || standing->addresses[i].step != STANDING_JOIN)
            return false;
    return true;
}

/* ---- targets ---- */

/* The one whose proven targets are used. */
static enum target_source used_source(const struct target_list *targets)
{
    struct buffer lines = {0};
    enum target_source source = target_list_used(targets, &lines);
    buffer_finish(&lines);
    return source;
}

static json_t *list_targets(const struct standing *standing, const struct waiting_list *waiting)
{
    json_t *targets = json_array();
    enum target_source used = used_source(&standing->targets);
    for (size_t i = 0; i < standing->targets.count; i++) {
        const struct target_entry *entry = &standing->targets.entries[i];
        json_array_append_new(targets,
                              json_pack("{s:o,s:s,s:s,s:b,s:n}", "address",
                                        json_from_span(span_of(entry->address)), "source",
                                        target_source_name(entry->source), "proof",
                                        entry->is_proven ? "proven" : "waiting", "used",
                                        entry->is_proven && entry->source == used, "expires"));
    }
    for (size_t i = 0; i < waiting->count; i++)
        if (waiting->targets[i].address != NULL)
            json_array_append_new(targets,
                                  json_pack("{s:o,s:s,s:s,s:b,s:o}", "address",
                                            json_from_span(span_of(waiting->targets[i].address)),
                                            "source", target_source_name(TARGET_SOURCE_PERSON),
                                            "proof", "waiting", "used", 0, "expires",
                                            json_from_time(waiting->targets[i].until_s)));
    return targets;
}

/* ---- all of it ---- */

/* What the login found, unless it is what one sees anyway. */
static json_t *found_by_login(const struct session *session)
{
    return strcmp(session->found, login_outcome_word(LOGIN_MEMBER)) != 0
               ? json_from_optional(span_of(session->found))
               : json_null();
}

static json_t *json_of_me(const struct call *call, const struct member *member,
                          const struct standing *standing, const struct waiting_list *waiting)
{
    const char *name = member->is_known ? member->name.data : call->session.name;
    return json_pack("{s:s,s:o,s:o,s:i,s:b,s:b,s:s,s:b,s:o}", "name", name, "addresses",
                     list_addresses(call, name, standing), "targets",
                     list_targets(standing, waiting), "targets_max", TARGET_MAX_COUNT, "paused",
                     standing->is_paused, "banned", standing->is_banned, "login_name",
                     standing->login_name != NULL ? standing->login_name : name,
                     "is_member_of_none", is_member_of_none(standing), "found_by_login",
                     found_by_login(&call->session));
}

/* What the login has seen of the teams, as far as it says something of all of them. */
static struct login_sighting *sightings_of(const struct call *call, size_t *ret_count)
{
    const struct config *config = call->portal->config;
    *ret_count = 0;
    if (strcmp(call->session.found, login_outcome_word(LOGIN_CANNOT_TELL)) != 0)
        return NULL;
    struct login_sighting *sightings = memory_new(config->domain_count, sizeof(*sightings));
    for (; *ret_count < config->domain_count; ++*ret_count)
        sightings[*ret_count] =
            (struct login_sighting){config->domains[*ret_count].name, LOGIN_MEMBERSHIP_UNKNOWN, 0};
    return sightings;
}

static bool read_standing(struct call *call, const struct member *member, struct standing *ret,
                          struct error *error)
{
    size_t count;
    struct login_sighting *sightings = sightings_of(call, &count);
    bool is_read = standing_read(member->action.house, member->ring, call->snapshot,
                                 member->is_known ? member->name.data : NULL, call->session.name,
                                 sightings, count, ret, error);
    free(sightings);
    return is_read && (!ret->is_known || ret->are_targets_open ||
                       error_set(error, ERROR_TEMPORARY, "the targets of %s cannot be opened",
                                 member->name.data));
}

void me_api_show(struct call *call)
{
    struct error error = {0};
    struct member member;
    struct standing standing = {0};
    struct waiting_list waiting = {0};
    if (!member_begin(call, &member)) {
        member_finish(&member);
        return;
    }
    if (read_standing(call, &member, &standing, &error) &&
        waiting_read(call->portal->state, member.ring, member.identifier, call->now_s, &waiting,
                     &error))
        answer_json(call, 200, json_of_me(call, &member, &standing, &waiting));
    else
        answer_trouble(call, &error);
    waiting_finish(&waiting);
    standing_finish(&standing);
    member_finish(&member);
}
