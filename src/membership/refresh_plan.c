#include "membership/refresh_plan.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "membership/gate.h"
#include "membership/held_plan.h"
#include "membership/prune.h"
#include "membership/refresh_person.h"

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

static void clear_counts(struct refresh_domain *domain)
{
    memset(domain->states, 0, sizeof(domain->states));
    domain->gained = domain->lost = domain->changed = domain->held = 0;
    domain->doubted = domain->renamed = domain->left_alone = 0;
}

/* Why a domain that was filled is not that of its listing any more; NULL: it is. */
static bool is_another_team(struct refresh_domain *domain, const struct domain_record *row)
{
    if (row->filled_s == 0)
        return false;
    if (row->team.length != strlen(domain->team) ||
        memcmp(row->team.data, domain->team, row->team.length) != 0) {
        set_outcome(domain, RUN_HELD, "the configuration now says team ~%s, the cache ~%.*s",
                    domain->team, (int)row->team.length, row->team.data);
        return true;
    }
    if (row->team_date_created_us == 0 ||
        row->team_date_created_us == domain->listing->team_date_created_us)
        return false;
    set_outcome(domain, RUN_HELD, "~%s is not the team it was: it was created at another time",
                domain->team);
    return true;
}

static bool is_frozen(const struct planner *planner, struct refresh_domain *domain,
                      const struct domain_record *row)
{
    const struct house_domain *house = house_find(planner->planning.house, domain->domain);
    if (row->is_held) {
        set_outcome(domain, RUN_HELD, "%.*s; lpalias plan release %s ends this",
                    (int)row->hold_reason.length, row->hold_reason.data, domain->domain);
        return true;
    }
    if (house == NULL || !house->wants_proof || row->proof == PROOF_SEEN)
        return false;
    set_outcome(domain, RUN_HELD, "%s; lpalias domain verify %s says more",
                row->proof == PROOF_LOST
                    ? "its TXT record has gone: the domain is frozen until it is there again"
                    : "its TXT record has not been seen yet",
                domain->domain);
    return true;
}

/* Decides whether the listing of a domain counts. */
static bool plan_domain(struct planner *planner, size_t index, struct error *error)
{
    struct refresh_domain *domain = &planner->request->domains[index];
    struct domain_work *work = &planner->works[index];
    const struct listing *listing = domain->listing;
    clear_counts(domain);
    domain->outcome = RUN_APPLIED;
    domain->reason[0] = '\0';
    if (snapshot_domain(planner->planning.snapshot, domain->domain, &work->row, error) ==
        STORE_TROUBLE)
        return false;
    domain->is_applied = false;
    domain->is_first_fill = work->row.filled_s == 0;
    if (listing->verdict == LISTING_UNUSABLE) {
        set_outcome(domain, RUN_UNUSABLE, "%s", listing->reason);
        return true;
    }
    if (is_frozen(planner, domain, &work->row))
        return true;
    work->is_applied = true;
    if (listing->person_count == 0)
        set_outcome(domain, RUN_HELD, "~%s has no members, which is not believed", domain->team);
    else if (!is_another_team(domain, &work->row))
        return true;
    work->holds = PLAN_HOLDS_ALL;
    return true;
}

/* Of any of the domains; 0: there was none. A row that cannot be read says nothing of the clock. */
static bool last_attempt_s(const struct planner *planner, int64_t *ret_s, struct error *error)
{
    *ret_s = 0;
    for (size_t i = 0; i < planner->request->domain_count; i++) {
        struct run_record run;
        switch (snapshot_run(planner->planning.snapshot, planner->request->domains[i].domain, &run,
                             error)) {
        case STORE_TROUBLE:
            return false;
        case STORE_ABSENT:
            break;
        case STORE_FOUND:
            if (run.attempt_s > *ret_s)
                *ret_s = run.attempt_s;
            break;
        }
    }
    return true;
}

/* The next person of a domain's listing if it has that name; names come in sorted order. */
static const struct listing_person *take_seen(struct planner *planner, size_t domain,
                                              const char *name)
{
    const struct listing *listing = planner->request->domains[domain].listing;
    struct domain_work *work = &planner->works[domain];
    if (!work->is_applied || work->cursor == listing->person_count ||
        strcmp(listing->people[work->cursor].name, name) != 0)
        return NULL;
    return &listing->people[work->cursor++];
}

static bool plan_people(struct planner *planner, struct error *error)
{
    size_t count = planner->request->domain_count;
    const struct listing_person **seen = memory_new(count, sizeof(struct listing_person *));
    bool is_fine = true;
    for (size_t domain = 0; domain < count; domain++)
        planner->works[domain].cursor = 0;
    for (size_t i = 0; i < planner->names.count && is_fine; i++) {
        const char *name = planner->names.names[i];
        for (size_t domain = 0; domain < count; domain++)
            seen[domain] = take_seen(planner, domain, name);
        is_fine = refresh_person_plan(planner, name, seen, error);
    }
    free(seen);
    return is_fine;
}

static bool collect_names(struct planner *planner, struct error *error)
{
    for (size_t i = 0; i < planner->request->domain_count; i++) {
        const struct refresh_domain *domain = &planner->request->domains[i];
        if (!planner->works[i].is_applied)
            continue;
        for (size_t person = 0; person < domain->listing->person_count; person++)
            add_name(&planner->names, domain->listing->people[person].name);
        if (!snapshot_each_membership(planner->planning.snapshot, domain->domain, add_row_name,
                                      &planner->names, error))
            return false;
    }
    sort_names(&planner->names);
    return true;
}

/* A domain of which everything is held tells nothing of names. */
static bool find_renames(struct planner *planner, struct error *error)
{
    size_t count = 0;
    const struct listing **listings =
        memory_new(planner->request->domain_count, sizeof(struct listing *));
    for (size_t i = 0; i < planner->request->domain_count; i++)
        if (planner->works[i].is_applied && planner->works[i].holds == 0)
            listings[count++] = planner->request->domains[i].listing;
    bool is_fine =
        rename_list_find(planner->planning.snapshot, listings, count, &planner->renames, error);
    free(listings);
    return is_fine &&
           rename_list_find_late(planner->planning.snapshot, &planner->late_renames, error);
}

/* ---- the gate ---- */

static void hold_what_is_too_much(const struct planner *planner, size_t index)
{
    const struct house *house = planner->planning.house;
    struct refresh_domain *domain = &planner->request->domains[index];
    struct domain_work *work = &planner->works[index];
    size_t recent = gate_recent_losses(work->row.losses, planner->planning.now_s);
    if (gate_holds_losses(house, work->live, recent, work->losses))
        work->holds |= PLAN_HOLDS_LOSSES;
    if (gate_holds_additions(house, work->held, work->additions, domain->is_first_fill))
        work->holds |= PLAN_HOLDS_ADDITIONS;
    struct buffer reason = {0};
    if ((work->holds & PLAN_HOLDS_LOSSES) != 0)
        buffer_appendf(&reason,
                       "%zu of %zu live aliases would be lost (%zu went in the last 24 hours), "
                       "more than %u%%",
                       work->losses, work->live, recent, house->max_removals_percent);
    if ((work->holds & PLAN_HOLDS_ADDITIONS) != 0)
        buffer_appendf(&reason, "%s%zu names would come to %zu, more than %u%%",
                       reason.length != 0 ? "; " : "", work->additions, work->held,
                       house->max_additions_percent);
    if (work->holds != 0)
        set_outcome(domain, RUN_HELD, "%s", buffer_text(&reason));
    buffer_finish(&reason);
}

/* True if some domain holds something, so that all is to be planned again with that known. */
static bool find_holds(struct planner *planner)
{
    bool is_some = false;
    for (size_t i = 0; i < planner->request->domain_count; i++) {
        if (planner->works[i].is_applied && planner->works[i].holds == 0)
            hold_what_is_too_much(planner, i);
        is_some = is_some || planner->works[i].holds != 0;
    }
    return is_some;
}

static void begin_changeset(struct planner *planner)
{
    changeset_clear(planner->planning.changeset);
    changeset_keep_undo(planner->planning.changeset, planner->planning.now_s);
    if (planner->planning.notices != NULL)
        notice_list_clear(planner->planning.notices);
    for (size_t i = 0; i < planner->request->domain_count; i++) {
        struct domain_work *work = &planner->works[i];
        clear_counts(&planner->request->domains[i]);
        buffer_clear(&work->rows);
        /* What the gate was asked with stays. */
        if ((work->holds & (PLAN_HOLDS_LOSSES | PLAN_HOLDS_ADDITIONS)) == 0)
            work->live = work->held = work->losses = work->additions = 0;
    }
}

/* ---- rows of the domains ---- */

static bool keep_plan(struct planner *planner, size_t index, struct error *error)
{
    struct refresh_domain *domain = &planner->request->domains[index];
    struct domain_work *work = &planner->works[index];
    bool is_discarded;
    const struct plan_record plan = {
        .holds = work->holds,
        .made_s = planner->planning.now_s,
        .listing_s = domain->listing->fetch_began_s,
        .team_date_created_us = domain->listing->team_date_created_us,
        .losses = (uint32_t)work->losses,
        .additions = (uint32_t)work->additions,
        .team = span_of(domain->team),
        .reason = span_of(domain->reason),
        .rows = {work->rows.data, work->rows.length},
    };
    /* An empty team that nobody has an alias of any more is as it is. */
    if (work->rows.length == 0 && domain->listing->person_count == 0 && work->row.filled_s != 0) {
        set_outcome(domain, RUN_APPLIED, "%s", "");
        return held_plan_drop(&planner->planning, domain->domain, error);
    }
    if (!held_plan_keep(&planner->planning, domain->domain, &plan, &is_discarded, error))
        return false;
    if (is_discarded)
        set_outcome(domain, RUN_APPLIED, "%s", "");
    return true;
}

/*
 * The row that says "filled" comes last: a first fill that is cut into pieces and ends between two
 * of them is none.
 */
static bool put_domain(struct planner *planner, size_t index, struct error *error)
{
    struct refresh_domain *domain = &planner->request->domains[index];
    struct domain_work *work = &planner->works[index];
    if (!work->is_applied)
        return true;
    if (work->holds != 0 && !keep_plan(planner, index, error))
        return false;
    if (work->holds == 0 && !held_plan_drop(&planner->planning, domain->domain, error))
        return false;
    if ((work->holds & PLAN_HOLDS_ALL) != 0)
        return true;
    domain->is_applied = true;
    size_t losses = (work->holds & PLAN_HOLDS_LOSSES) != 0 ? 0 : work->losses;
    if (!domain->is_first_fill && losses == 0)
        return true;
    struct buffer noted = {0};
    if (domain->is_first_fill) {
        work->row.team = span_of(domain->team);
        work->row.team_date_created_us = domain->listing->team_date_created_us;
        work->row.filled_s = planner->planning.now_s;
    }
    gate_note_losses(work->row.losses, planner->planning.now_s, losses, &noted);
    work->row.losses = (struct span){noted.data, noted.length};
    changeset_begin_group(planner->planning.changeset, false);
    changeset_put_domain(planner->planning.changeset, domain->domain, &work->row);
    buffer_finish(&noted);
    return true;
}

static bool plan_all(struct planner *planner, struct error *error)
{
    size_t count = planner->request->domain_count;
    for (size_t i = 0; i < count; i++)
        if (!plan_domain(planner, i, error))
            return false;
    if (!collect_names(planner, error) || !find_renames(planner, error))
        return false;
    begin_changeset(planner);
    if (!plan_people(planner, error))
        return false;
    if (find_holds(planner)) {
        begin_changeset(planner);
        if (!plan_people(planner, error))
            return false;
    }
    for (size_t i = 0; i < count; i++)
        if (!put_domain(planner, i, error))
            return false;
    return true;
}

bool refresh_plan(void *request, const struct planning *planning, struct error *error)
{
    struct planner planner = {
        .request = request,
        .planning = *planning,
        .scratch = changeset_create(),
    };
    size_t count = planner.request->domain_count;
    planner.works = memory_new(count, sizeof(*planner.works));
    int64_t attempt_s;
    bool is_fine = last_attempt_s(&planner, &attempt_s, error);
    planner.planning.is_time_trusted = is_fine && gate_trusts_clock(attempt_s, planning->now_s);
    is_fine = is_fine && plan_all(&planner, error) && prune_plan(&planner.planning, error);
    for (size_t i = 0; i < count; i++)
        buffer_finish(&planner.works[i].rows);
    free(planner.works);
    finish_names(&planner.names);
    rename_list_finish(&planner.renames);
    rename_list_finish(&planner.late_renames);
    changeset_destroy(planner.scratch);
    return is_fine;
}
