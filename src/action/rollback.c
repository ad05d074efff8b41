#include "action/rollback.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "action/rollback_name.h"
#include "action/update.h"
#include "base/memory.h"
#include "membership/held_plan.h"

struct rollback_request {
    const char *domain;
    uint64_t generation; /* as it was asked for */
    struct rollback_result *result;
};

/* One roll-back on its way. */
struct rollback {
    struct rollback_scene scene;
    struct undo_set set;
    struct rollback_name *names;
    size_t name_count;
    char **domains;
    size_t domain_count, domain_capacity;
    size_t memberships; /* that the domain has now */
};

static void rollback_finish(struct rollback *rollback)
{
    for (size_t i = 0; i < rollback->domain_count; i++)
        free(rollback->domains[i]);
    free(rollback->domains);
    free(rollback->names);
    undo_set_finish(&rollback->set);
}

void rollback_result_finish(struct rollback_result *result)
{
    for (size_t i = 0; i < result->count; i++)
        free(result->entries[i].name);
    free(result->entries);
    *result = (struct rollback_result){0};
}

static bool add_domain(void *context, const char *domain, const struct domain_record *record)
{
    struct rollback *rollback = context;
    (void)record;
    rollback->domains = memory_grow(rollback->domains, rollback->domain_count,
                                    &rollback->domain_capacity, sizeof(*rollback->domains));
    rollback->domains[rollback->domain_count++] = memory_copy_text(domain);
    return true;
}

static bool count_membership(void *context, const char *domain, const char *name,
                             const struct membership_record *record)
{
    (void)domain, (void)name, (void)record;
    ++*(size_t *)context;
    return true;
}

/* ---- deciding ---- */

static bool decide_all(struct rollback *rollback, struct error *error)
{
    const struct undo_set *set = &rollback->set;
    size_t end = 0;
    rollback->names = memory_new(set->count, sizeof(*rollback->names));
    for (size_t from = 0; from < set->count; from = end) {
        end = undo_set_name_end(set, from);
        struct rollback_name *name = &rollback->names[rollback->name_count++];
        *name = (struct rollback_name){.rows = &set->rows[from], .row_count = end - from};
        if (!rollback_name_decide(&rollback->scene, name, error))
            return false;
    }
    return true;
}

static int compare_to_name(const void *wanted, const void *name)
{
    return strcmp(wanted, ((const struct rollback_name *)name)->rows[0].name);
}

/* NULL: the refresh changed nothing of that name here. */
static struct rollback_name *find_name(const struct rollback *rollback, const char *wanted)
{
    return rollback->name_count == 0 ? NULL
                                     : bsearch(wanted, rollback->names, rollback->name_count,
                                               sizeof(*rollback->names), compare_to_name);
}

static bool skip(struct rollback_name *name)
{
    if (name->fate != ROLLBACK_DUE)
        return false;
    name->fate = ROLLBACK_SKIPPED;
    name->skipped_because = "an alias of it has changed hands, and the other name stays";
    return true;
}

/* An alias goes back to who had it before only if both names go back. *ret: some is skipped now. */
static bool tie_names(struct rollback *rollback, struct rollback_name *name, bool *ret,
                      struct error *error)
{
    for (size_t i = 0; i < name->row_count; i++) {
        const struct undo_row *row = &name->rows[i];
        struct alias_record before;
        if (row->table != UNDO_ALIAS || row->was_absent)
            continue;
        if (!alias_record_decode(row->before, &before))
            return error_set(error, ERROR_TEMPORARY,
                             "a record of table \"undo\" cannot be understood");
        if (before.owner.length == 0 || span_is_text(before.owner, row->name))
            continue;
        CLEANUP(memory_free_at)
        char *owner = memory_copy_bytes(before.owner.data, before.owner.length);
        struct rollback_name *other = find_name(rollback, owner);
        if (other == NULL || other->fate == ROLLBACK_SKIPPED)
            *ret = skip(name) || *ret;
        else if (name->fate == ROLLBACK_SKIPPED)
            *ret = skip(other) || *ret;
    }
    return true;
}

static bool tie_all(struct rollback *rollback, struct error *error)
{
    bool is_some = true;
    while (is_some) {
        is_some = false;
        for (size_t i = 0; i < rollback->name_count; i++)
            if (!tie_names(rollback, &rollback->names[i], &is_some, error))
                return false;
    }
    return true;
}

static void report(const struct rollback *rollback, struct rollback_result *result)
{
    result->generation = rollback->set.generation;
    result->refresh_s = rollback->set.at_s;
    result->entries = memory_new(rollback->name_count, sizeof(*result->entries));
    for (size_t i = 0; i < rollback->name_count; i++) {
        const struct rollback_name *name = &rollback->names[i];
        result->already += name->fate == ROLLBACK_ALREADY;
        result->restored += name->fate == ROLLBACK_DUE;
        result->skipped += name->fate == ROLLBACK_SKIPPED;
        if (name->fate == ROLLBACK_ALREADY)
            continue;
        result->entries[result->count++] = (struct rollback_entry){
            .name = memory_copy_text(name->rows[0].name),
            .now = name->now,
            .then = name->fate == ROLLBACK_SKIPPED ? name->now : name->then,
            .skipped_because = name->skipped_because,
        };
    }
}

/* ---- putting ---- */

/* The refresh that is taken back was the first: the next one may fill the domain again. */
static bool is_unfilled(const struct rollback *rollback)
{
    size_t removed = 0;
    for (size_t i = 0; i < rollback->name_count; i++)
        removed +=
            rollback->names[i].fate == ROLLBACK_DUE && rollback->names[i].is_membership_removed;
    return removed == rollback->memberships;
}

/* First of all, so that no refresh comes between the pieces of a large roll-back. */
static bool hold_domain(const struct rollback *rollback, struct domain_record *row,
                        const struct rollback_result *result, struct error *error)
{
    const struct planning *planning = rollback->scene.planning;
    CLEANUP(buffer_finish) struct buffer reason = {0};
    CLEANUP(buffer_finish) struct buffer detail = {0};
    buffer_appendf(&reason, "rolled back to before generation %" PRIu64, result->generation);
    buffer_appendf(&detail, "to before generation %" PRIu64 ": %zu names went back, %zu skipped",
                   result->generation, result->restored, result->skipped);
    row->is_held = true;
    row->hold_reason = span_of(buffer_text(&reason));
    if (is_unfilled(rollback)) {
        row->filled_s = 0;
        row->team_date_created_us = 0;
    }
    changeset_begin_group(planning->changeset, true);
    changeset_put_domain(planning->changeset, rollback->scene.domain, row);
    action_event(planning, "domain.rollback", rollback->scene.domain, "", buffer_text(&detail));
    /* What was held was made for rows that are not there any more. */
    return held_plan_drop(planning, rollback->scene.domain, error);
}

/* The person of that name has a row that stays as it is. */
static bool is_staying(const struct rollback *rollback, const char *wanted)
{
    const struct rollback_name *name = find_name(rollback, wanted);
    return name == NULL || name->fate != ROLLBACK_DUE || name->person == ROLLBACK_PERSON_STAYS;
}

/* The login goes back with the person, unless somebody who stays has it now. */
static bool put_login(const struct rollback *rollback, const char *name, const struct undo_row *row,
                      struct error *error)
{
    struct person_record before;
    struct login_record login;
    const struct planning *planning = rollback->scene.planning;
    if (!person_record_decode(row->before, &before) || before.login_identifier.length == 0)
        return true;
    CLEANUP(memory_free_at)
    char *identifier =
        memory_copy_bytes(before.login_identifier.data, before.login_identifier.length);
    enum store_result result = snapshot_login(planning->snapshot, identifier, &login, error);
    if (result == STORE_TROUBLE)
        return false;
    CLEANUP(memory_free_at)
    char *holder =
        result == STORE_FOUND ? memory_copy_bytes(login.name.data, login.name.length) : NULL;
    if (holder != NULL && strcmp(holder, name) == 0)
        return true;
    if (holder == NULL || !is_staying(rollback, holder)) {
        login = (struct login_record){.name = span_of(name)};
        changeset_put_login(planning->changeset, identifier, &login);
    } else {
        before.login_identifier = (struct span){"", 0};
        changeset_put_person(planning->changeset, name, &before);
    }
    return true;
}

/* After all rows: a login may have gone with one name and come back with another. */
static bool put_logins(const struct rollback *rollback, struct error *error)
{
    changeset_begin_group(rollback->scene.planning->changeset, false);
    for (size_t i = 0; i < rollback->name_count; i++) {
        const struct rollback_name *name = &rollback->names[i];
        if (name->fate != ROLLBACK_DUE || name->person != ROLLBACK_PERSON_RETURNS)
            continue;
        for (size_t at = 0; at < name->row_count; at++)
            if (name->rows[at].table == UNDO_PERSON &&
                !put_login(rollback, name->rows[at].name, &name->rows[at], error))
                return false;
    }
    return true;
}

static bool put_all(const struct rollback *rollback, struct domain_record *row,
                    const struct rollback_result *result, struct error *error)
{
    if (!hold_domain(rollback, row, result, error))
        return false;
    for (size_t i = 0; i < rollback->name_count; i++)
        if (rollback->names[i].fate == ROLLBACK_DUE &&
            !rollback_name_put(&rollback->scene, &rollback->names[i], error))
            return false;
    return put_logins(rollback, error);
}

/* ---- the act ---- */

static bool find_domain(const struct rollback_request *request, const struct planning *planning,
                        struct domain_record *ret, struct error *error)
{
    switch (snapshot_domain(planning->snapshot, request->domain, ret, error)) {
    case STORE_TROUBLE:
        return false;
    case STORE_ABSENT:
        return error_set(error, ERROR_INVALID, "%s is not in the cache", request->domain);
    case STORE_FOUND:
        break;
    }
    return true;
}

static bool gather(struct rollback *rollback, const struct rollback_request *request,
                   const struct planning *planning, struct error *error)
{
    if (!undo_set_gather(planning->snapshot, request->domain, request->generation, &rollback->set,
                         error))
        return false;
    if (rollback->set.generation == 0)
        return error_set(error, ERROR_INVALID, "no refresh that changed an alias of %s is kept",
                         request->domain);
    if (rollback->set.count == 0)
        return error_set(error, ERROR_INVALID,
                         "the refresh of generation %" PRIu64 " changed nothing of %s",
                         request->generation, request->domain);
    return snapshot_each_domain(planning->snapshot, add_domain, rollback, error) &&
           snapshot_each_membership(planning->snapshot, request->domain, count_membership,
                                    &rollback->memberships, error);
}

static bool plan_with(struct rollback *rollback, const struct rollback_request *request,
                      const struct planning *planning, struct error *error)
{
    struct domain_record row;
    if (!find_domain(request, planning, &row, error) || !gather(rollback, request, planning, error))
        return false;
    rollback->scene = (struct rollback_scene){
        .planning = planning,
        .domain = request->domain,
        .generation = rollback->set.generation,
        .domains = rollback->domains,
        .domain_count = rollback->domain_count,
    };
    if (!decide_all(rollback, error) || !tie_all(rollback, error))
        return false;
    report(rollback, request->result);
    return request->result->restored == 0 || put_all(rollback, &row, request->result, error);
}

static bool plan_rollback(void *context, const struct planning *planning, struct error *error)
{
    const struct rollback_request *request = context;
    struct rollback rollback = {0};
    rollback_result_finish(request->result);
    bool is_fine = plan_with(&rollback, request, planning, error);
    rollback_finish(&rollback);
    return is_fine;
}

bool action_rollback(const struct action *action, const char *domain, uint64_t generation,
                     bool is_dry, struct rollback_result *result, struct store_update_result *ret,
                     struct error *error)
{
    struct rollback_request request = {domain, generation, result};
    return is_dry ? action_preview(action, plan_rollback, &request, ret, error)
                  : action_update(action, plan_rollback, &request, ret, error);
}
