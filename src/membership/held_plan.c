#include "membership/held_plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "membership/identity.h"

static bool span_is(struct span a, struct span b)
{
    return a.length == b.length && (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}

/* They say the same, whenever they were made; whether one was discarded does not count. */
static bool is_same(const struct plan_record *a, const struct plan_record *b)
{
    const unsigned holds = PLAN_HOLDS_LOSSES | PLAN_HOLDS_ADDITIONS | PLAN_HOLDS_ALL;
    return (a->holds & holds) == (b->holds & holds) &&
           a->team_date_created_us == b->team_date_created_us && span_is(a->team, b->team) &&
           span_is(a->rows, b->rows);
}

static void tell(const struct planning *planning, const char *act, const char *domain,
                 struct span detail)
{
    struct event_record event = {
        .at_s = planning->now_s,
        .actor = span_of(planning->actor),
        .act = span_of(act),
        .domain = span_of(domain),
        .detail = detail,
    };
    changeset_event(planning->changeset, &event);
}

bool held_plan_keep(const struct planning *planning, const char *domain,
                    const struct plan_record *plan, bool *ret_is_discarded, struct error *error)
{
    struct plan_record before = {0};
    enum store_result result = snapshot_plan(planning->snapshot, domain, &before, error);
    *ret_is_discarded = false;
    if (result == STORE_TROUBLE)
        return false;
    if (result == STORE_FOUND && is_same(&before, plan)) {
        *ret_is_discarded = (before.holds & PLAN_DISCARDED) != 0;
        return true;
    }
    changeset_begin_group(planning->changeset, false);
    changeset_put_plan(planning->changeset, domain, plan);
    tell(planning, "plan.held", domain, plan->reason);
    return true;
}

bool held_plan_drop(const struct planning *planning, const char *domain, struct error *error)
{
    struct plan_record before;
    enum store_result result = snapshot_plan(planning->snapshot, domain, &before, error);
    if (result != STORE_FOUND)
        return result == STORE_ABSENT;
    changeset_begin_group(planning->changeset, false);
    changeset_delete_plan(planning->changeset, domain);
    tell(planning, "plan.outdated", domain, (struct span){"", 0});
    return true;
}

/* ---- release ---- */

/* One name of a plan on its way. */
struct releasing {
    const struct planning *planning;
    const char *domain;
    const char *name;
    const struct plan_row *row;
    struct person_record person;
    struct membership_record membership;
    bool has_person, has_membership;
};

static bool look(struct releasing *releasing, bool *ret_is_unchanged, struct error *error)
{
    struct snapshot *snapshot = releasing->planning->snapshot;
    struct alias_record alias = {0};
    releasing->person = (struct person_record){0};
    releasing->membership = (struct membership_record){0};
    enum store_result has_alias =
        snapshot_alias(snapshot, releasing->domain, span_of(releasing->name), &alias, error);
    enum store_result has_row = snapshot_membership(snapshot, releasing->domain, releasing->name,
                                                    &releasing->membership, error);
    enum store_result has_person =
        snapshot_person(snapshot, releasing->name, &releasing->person, error);
    if (has_alias == STORE_TROUBLE || has_row == STORE_TROUBLE || has_person == STORE_TROUBLE)
        return false;
    releasing->has_person = has_person == STORE_FOUND;
    releasing->has_membership = has_row == STORE_FOUND;
    *ret_is_unchanged = (has_alias == STORE_FOUND ? alias.stamp.generation : 0) ==
                            releasing->row->alias_generation &&
                        (releasing->has_membership ? releasing->membership.stamp.generation : 0) ==
                            releasing->row->membership_generation;
    return true;
}

/* As if two listings had said so. */
static struct membership_record believe(const struct releasing *releasing, enum identity identity)
{
    const struct plan_row *row = releasing->row;
    bool is_inherited =
        releasing->has_membership && identity != IDENTITY_ANOTHER &&
        (!row->is_seen || releasing->membership.date_created_us == row->date_created_us);
    struct membership_record membership = {.extension = EXTENSION_APPEND};
    if (is_inherited)
        membership = releasing->membership;
    membership.missing_since_s = 0;
    if (!row->is_seen) {
        membership.is_member = false;
        return membership;
    }
    if (!membership.is_member)
        membership.since_s = releasing->planning->now_s;
    membership.is_member = true;
    membership.is_valid = row->is_valid;
    membership.is_ubuntu_coc_signer = row->is_ubuntu_coc_signer;
    membership.date_created_us = row->date_created_us;
    membership.invalid_since_s = 0;
    membership.unsigned_since_s = 0;
    return membership;
}

static bool release_name(struct releasing *releasing, bool *ret_is_applied, struct error *error)
{
    const struct planning *planning = releasing->planning;
    struct person_record person = releasing->person;
    struct projection_result result;
    enum identity identity = IDENTITY_SAME;
    *ret_is_applied = false;
    if (!releasing->row->is_seen && !releasing->has_membership)
        return true;
    if (releasing->row->is_seen)
        identity = identity_see(&person, releasing->row->date_created_us);
    struct membership_record membership = believe(releasing, identity);
    changeset_begin_group(planning->changeset, !releasing->has_person);
    if (!projection_plan_membership(planning, releasing->domain, releasing->name, &person,
                                    &membership, NULL, &result, error))
        return error->kind == ERROR_INVALID;
    *ret_is_applied = true;
    if (identity != IDENTITY_SAME || !releasing->has_person)
        changeset_put_person(planning->changeset, releasing->name, &person);
    if (identity != IDENTITY_ANOTHER)
        return true;
    if (planning->notices != NULL)
        notice_list_add(planning->notices, NOTICE_ANOTHER_PERSON, releasing->domain,
                        releasing->name, "", "", (struct span){"", 0});
    return identity_plan_another(planning, releasing->name, &releasing->person, error);
}

static bool release_row(const struct planning *planning, const char *domain,
                        const struct plan_row *row, struct held_plan_result *ret,
                        struct error *error)
{
    CLEANUP(memory_free_at) char *name = memory_copy_bytes(row->name.data, row->name.length);
    struct releasing releasing = {.planning = planning, .domain = domain, .name = name, .row = row};
    bool is_unchanged = false;
    bool is_applied = false;
    if (!look(&releasing, &is_unchanged, error) ||
        (is_unchanged && !release_name(&releasing, &is_applied, error)))
        return false;
    if (is_applied) {
        ret->applied++;
        return true;
    }
    ret->skipped++;
    buffer_appendf(&ret->skipped_names, "%s%s", ret->skipped_names.length == 0 ? "" : "\n", name);
    return true;
}

/* The team that the listing was of is the right one from now on. */
static bool accept_team(const struct planning *planning, const char *domain,
                        const struct plan_record *plan, struct error *error)
{
    struct domain_record row = {0};
    if (snapshot_domain(planning->snapshot, domain, &row, error) == STORE_TROUBLE)
        return false;
    row.team = plan->team;
    row.team_date_created_us = plan->team_date_created_us;
    changeset_put_domain(planning->changeset, domain, &row);
    return true;
}

bool held_plan_release(const struct planning *planning, const char *domain,
                       const struct plan_record *plan, struct held_plan_result *ret,
                       struct error *error)
{
    struct span rest = plan->rows;
    struct plan_row row;
    while (plan_row_take(&rest, &row))
        if (!release_row(planning, domain, &row, ret, error))
            return false;
    if (rest.length != 0)
        return error_set(error, ERROR_TEMPORARY, "the held plan of %s cannot be understood",
                         domain);
    changeset_begin_group(planning->changeset, false);
    if ((plan->holds & PLAN_HOLDS_ALL) != 0 && !accept_team(planning, domain, plan, error))
        return false;
    changeset_delete_plan(planning->changeset, domain);
    struct buffer detail = {0};
    buffer_appendf(&detail, "%zu applied, %zu skipped", ret->applied, ret->skipped);
    tell(planning, "plan.released", domain, (struct span){detail.data, detail.length});
    buffer_finish(&detail);
    return true;
}
