#include "membership/refresh_plan.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "membership/observation.h"
#include "membership/projection.h"

/* Names of all people that listings or rows of the domains to be applied know, sorted. */
struct name_list {
    char **names;
    size_t count, capacity;
};

/* One planning. */
struct planner {
    struct refresh_request *request;
    struct snapshot *snapshot;
    struct changeset *changeset;
    size_t *cursors; /* per domain: the next person of its listing */
    struct name_list names;
};

static void add_name(struct name_list *list, const char *name)
{
    list->names = memory_grow(list->names, list->count, &list->capacity, sizeof(*list->names));
    list->names[list->count++] = memory_copy_text(name);
}

static bool add_row_name(void *context, const char *domain, const char *name,
                         const struct membership_record *record)
{
    (void)domain;
    (void)record;
    add_name(context, name);
    return true;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void sort_names(struct name_list *list)
{
    if (list->count == 0)
        return;
    qsort(list->names, list->count, sizeof(*list->names), compare_names);
    size_t kept = 1;
    for (size_t i = 1; i < list->count; i++) {
        if (strcmp(list->names[i], list->names[kept - 1]) == 0)
            free(list->names[i]);
        else
            list->names[kept++] = list->names[i];
    }
    list->count = kept;
}

static void finish_names(struct name_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->names[i]);
    free(list->names);
}

/* ---- whole domains ---- */

static void set_outcome(struct refresh_domain *domain, enum run_outcome outcome, const char *format,
                        ...) PRINTF_LIKE(3, 4);

static void set_outcome(struct refresh_domain *domain, enum run_outcome outcome, const char *format,
                        ...)
{
    va_list args;
    va_start(args, format);
    domain->outcome = outcome;
    vsnprintf(domain->reason, sizeof(domain->reason), format, args);
    va_end(args);
}

static void clear_results(struct refresh_domain *domain)
{
    domain->outcome = RUN_APPLIED;
    domain->reason[0] = '\0';
    memset(domain->states, 0, sizeof(domain->states));
    domain->gained = domain->lost = domain->changed = domain->doubted = domain->left_alone = 0;
}

/* Holds everything of a domain whose team is not the one that was pinned. */
static void hold_if_another_team(struct refresh_domain *domain, const struct domain_record *row)
{
    if (row->team.length != strlen(domain->team) ||
        memcmp(row->team.data, domain->team, row->team.length) != 0)
        set_outcome(domain, RUN_HELD, "the configuration now says team ~%s, the cache ~%.*s",
                    domain->team, (int)row->team.length, row->team.data);
    else if (row->team_date_created_us != 0 &&
             row->team_date_created_us != domain->listing->team_date_created_us)
        set_outcome(domain, RUN_HELD, "~%s is not the team it was: it was created at another time",
                    domain->team);
}

static void put_domain(struct planner *planner, const struct refresh_domain *domain,
                       struct domain_record row)
{
    row.team = span_of(domain->team);
    row.team_date_created_us = domain->listing->team_date_created_us;
    row.filled_s = planner->request->now_s;
    changeset_begin_group(planner->changeset, false);
    changeset_put_domain(planner->changeset, domain->domain, &row);
}

/* Decides whether the listing of a domain is applied. */
static bool plan_domain(struct planner *planner, struct refresh_domain *domain, struct error *error)
{
    const struct listing *listing = domain->listing;
    struct domain_record row = {0};
    clear_results(domain);
    if (listing->verdict == LISTING_UNUSABLE) {
        set_outcome(domain, RUN_UNUSABLE, "%s", listing->reason);
        return true;
    }
    enum store_result result = snapshot_domain(planner->snapshot, domain->domain, &row, error);
    if (result == STORE_TROUBLE)
        return false;
    if (listing->person_count == 0)
        set_outcome(domain, RUN_HELD, "~%s has no members, which is not believed", domain->team);
    else if (result == STORE_FOUND && row.filled_s != 0)
        hold_if_another_team(domain, &row);
    domain->is_first_fill = row.filled_s == 0;
    return true;
}

/*
 * The row that says "filled" comes last: a first fill that is cut into pieces and ends between two
 * of them is none.
 */
static bool put_first_fills(struct planner *planner, struct error *error)
{
    for (size_t i = 0; i < planner->request->domain_count; i++) {
        const struct refresh_domain *domain = &planner->request->domains[i];
        struct domain_record row = {0};
        if (domain->outcome != RUN_APPLIED || !domain->is_first_fill)
            continue;
        if (snapshot_domain(planner->snapshot, domain->domain, &row, error) == STORE_TROUBLE)
            return false;
        put_domain(planner, domain, row);
    }
    return true;
}

/* ---- one person ---- */

static bool is_newer(const struct planner *planner, struct record_stamp stamp)
{
    return stamp.generation > planner->request->fetch_generation;
}

static void count_change(struct refresh_domain *domain, const struct projection_result *change,
                         const struct membership_record *membership)
{
    bool was_active = change->before == ALIAS_ACTIVE;
    bool is_active = change->verdict.state == ALIAS_ACTIVE;
    domain->states[change->verdict.state]++;
    if (is_active && !was_active)
        domain->gained++;
    else if (was_active && !is_active)
        domain->lost++;
    else if (change->is_changed)
        domain->changed++;
    if (membership->missing_since_s != 0 || membership->invalid_since_s != 0 ||
        membership->unsigned_since_s != 0)
        domain->doubted++;
}

static void leave_alone(struct refresh_domain *domain, const struct alias_record *alias)
{
    domain->left_alone++;
    if (alias != NULL && alias->kind == ALIAS_MEMBER)
        domain->states[alias->state]++;
}

/* The person in one domain; person is the row as it is to be. */
static bool plan_membership(struct planner *planner, struct refresh_domain *domain,
                            const char *name, const struct person_record *person,
                            const struct listing_person *seen, struct error *error)
{
    struct membership_record before;
    struct alias_record alias;
    enum store_result has_row =
        snapshot_membership(planner->snapshot, domain->domain, name, &before, error);
    enum store_result has_alias =
        snapshot_alias(planner->snapshot, domain->domain, span_of(name), &alias, error);
    if (has_row == STORE_TROUBLE || has_alias == STORE_TROUBLE)
        return false;
    if (has_row == STORE_ABSENT && seen == NULL)
        return true;
    bool is_another = seen != NULL && seen->date_created_us != person->date_created_us;
    if (is_another || is_newer(planner, person->stamp) ||
        (has_row == STORE_FOUND && is_newer(planner, before.stamp)) ||
        (has_alias == STORE_FOUND && is_newer(planner, alias.stamp))) {
        leave_alone(domain, has_alias == STORE_FOUND ? &alias : NULL);
        return true;
    }
    const struct membership_record *row = has_row == STORE_FOUND ? &before : NULL;
    struct membership_record after = observation_fold(row, seen, domain->listing->fetch_began_s);
    const struct planning planning = {
        .house = planner->request->house,
        .ring = planner->request->ring,
        .actor = "refresh",
        .now_s = planner->request->now_s,
        .is_time_trusted = true,
        .snapshot = planner->snapshot,
        .changeset = planner->changeset,
    };
    struct projection_result change;
    if (!projection_plan_membership(&planning, domain->domain, name, person, &after,
                                    domain->listing, &change, error)) {
        /* A broken value is this person's trouble; a missing key is everybody's. */
        if (error->kind != ERROR_INVALID)
            return false;
        leave_alone(domain, has_alias == STORE_FOUND ? &alias : NULL);
        return true;
    }
    count_change(domain, &change, &after);
    return true;
}

/* The next person of a domain's listing if it has that name; names come in sorted order. */
static const struct listing_person *take_seen(struct planner *planner, size_t domain,
                                              const char *name)
{
    const struct listing *listing = planner->request->domains[domain].listing;
    size_t *cursor = &planner->cursors[domain];
    if (*cursor == listing->person_count || strcmp(listing->people[*cursor].name, name) != 0)
        return NULL;
    return &listing->people[(*cursor)++];
}

/* Any sighting of a new person tells when the account was made; false if there is none. */
static bool pin_identity(struct person_record *person, const struct listing_person **seen,
                         size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (seen[i] != NULL) {
            person->date_created_us = seen[i]->date_created_us;
            return true;
        }
    return false;
}

static bool plan_person(struct planner *planner, const char *name,
                        const struct listing_person **seen, struct error *error)
{
    struct refresh_request *request = planner->request;
    struct person_record person = {0};
    enum store_result result = snapshot_person(planner->snapshot, name, &person, error);
    if (result == STORE_TROUBLE)
        return false;
    if (result == STORE_ABSENT && !pin_identity(&person, seen, request->domain_count))
        return error_set(error, ERROR_TEMPORARY, "%s has a membership but no person row", name);
    changeset_begin_group(planner->changeset, result == STORE_ABSENT);
    if (result == STORE_ABSENT)
        changeset_put_person(planner->changeset, name, &person);
    for (size_t i = 0; i < request->domain_count; i++)
        if (request->domains[i].outcome == RUN_APPLIED &&
            !plan_membership(planner, &request->domains[i], name, &person, seen[i], error))
            return false;
    return true;
}

static bool plan_people(struct planner *planner, struct error *error)
{
    size_t count = planner->request->domain_count;
    const struct listing_person **seen = memory_new(count, sizeof(struct listing_person *));
    planner->cursors = memory_new(count, sizeof(size_t));
    bool is_fine = true;
    for (size_t i = 0; i < planner->names.count && is_fine; i++) {
        const char *name = planner->names.names[i];
        for (size_t domain = 0; domain < count; domain++)
            seen[domain] = planner->request->domains[domain].outcome == RUN_APPLIED
                               ? take_seen(planner, domain, name)
                               : NULL;
        is_fine = plan_person(planner, name, seen, error);
    }
    free(planner->cursors);
    free(seen);
    return is_fine;
}

static bool collect_names(struct planner *planner, struct error *error)
{
    for (size_t i = 0; i < planner->request->domain_count; i++) {
        const struct refresh_domain *domain = &planner->request->domains[i];
        if (domain->outcome != RUN_APPLIED)
            continue;
        for (size_t person = 0; person < domain->listing->person_count; person++)
            add_name(&planner->names, domain->listing->people[person].name);
        if (!snapshot_each_membership(planner->snapshot, domain->domain, add_row_name,
                                      &planner->names, error))
            return false;
    }
    sort_names(&planner->names);
    return true;
}

bool refresh_plan(void *request, struct snapshot *snapshot, struct changeset *changeset,
                  struct error *error)
{
    struct planner planner = {.request = request, .snapshot = snapshot, .changeset = changeset};
    bool is_fine = true;
    for (size_t i = 0; i < planner.request->domain_count && is_fine; i++)
        is_fine = plan_domain(&planner, &planner.request->domains[i], error);
    is_fine = is_fine && collect_names(&planner, error) && plan_people(&planner, error) &&
              put_first_fills(&planner, error);
    finish_names(&planner.names);
    return is_fine;
}
