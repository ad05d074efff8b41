#include "membership/refresh_person.h"

#include <string.h>

#include "membership/held_plan.h"
#include "membership/identity.h"
#include "membership/launchpad_target.h"
#include "membership/observation.h"

/* A person on the way through all domains. */
struct passage {
    const char *name;
    const struct listing_person **seen; /* per domain; NULL: absent, or the domain does not count */
    const struct rename *rename;        /* that the name is the old or new one of, or NULL */
    bool is_new_name;                   /* of rename */
    bool is_contradicted;               /* the listings do not agree on the account */
    bool has_person;
    struct person_record before, person; /* as it was and as it is to be */
    enum identity identity;
    /* Targets that were sealed anew, by a rename and by Launchpad's word, borrowed by person. */
    struct buffer sealed, folded;
    bool has_new_target; /* by Launchpad's word */
    bool is_applied;     /* in some domain */
};

/* One domain of a passage. */
struct stop {
    size_t index;
    struct membership_record before, after;
    struct alias_record alias;
    bool has_row, has_alias;
    const struct rename
        *rename;      /* the passage's, or an earlier one that this domain has not seen */
    bool is_new_name; /* of rename */
    bool is_left;     /* somebody has touched a name of it */
    /* Row of the old identity in a domain that the new one was not seen in. */
    bool is_strangers;
    /* Its account is in the listing under another name, which takes over what belongs to it. */
    bool has_heir;
    struct projection_result change;
};

static bool is_newer(const struct planner *planner, struct record_stamp stamp)
{
    return stamp.generation > planner->request->fetch_generation;
}

static const struct listing_person *find_seen(const struct listing *listing, const char *name)
{
    size_t low = 0;
    size_t high = listing->person_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(name, listing->people[middle].name);
        if (order == 0)
            return &listing->people[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

static const struct listing_person *find_admin(const struct refresh_domain *domain,
                                               const struct passage *passage)
{
    if (domain->admin_listing == NULL || domain->admin_listing->verdict != LISTING_USABLE)
        return NULL;
    const struct listing_person *admin = find_seen(domain->admin_listing, passage->name);
    return admin != NULL && admin->date_created_us == passage->person.date_created_us ? admin
                                                                                      : NULL;
}

static void leave_alone(struct refresh_domain *domain, const struct stop *stop)
{
    domain->left_alone++;
    if (stop->has_alias && stop->alias.kind == ALIAS_MEMBER)
        domain->states[stop->alias.state]++;
}

static bool read_stop(struct planner *planner, const struct passage *passage, struct stop *stop,
                      struct error *error)
{
    const char *domain = planner->request->domains[stop->index].domain;
    enum store_result has_row = snapshot_membership(planner->planning.snapshot, domain,
                                                    passage->name, &stop->before, error);
    enum store_result has_alias = snapshot_alias(planner->planning.snapshot, domain,
                                                 span_of(passage->name), &stop->alias, error);
    stop->has_row = has_row == STORE_FOUND;
    stop->has_alias = has_alias == STORE_FOUND;
    return has_row != STORE_TROUBLE && has_alias != STORE_TROUBLE;
}

static bool is_to_be_left(const struct planner *planner, const struct passage *passage,
                          const struct stop *stop)
{
    return (passage->is_contradicted && passage->seen[stop->index] != NULL) ||
           (passage->has_person && is_newer(planner, passage->before.stamp)) ||
           (stop->has_row && is_newer(planner, stop->before.stamp)) ||
           (stop->has_alias && is_newer(planner, stop->alias.stamp));
}

/* Rows of either name that were changed since the fetch began leave both names as they are. */
static bool rename_is_newer(const struct planner *planner, const struct rename *rename, bool *ret,
                            struct error *error)
{
    const char *const names[] = {rename->from, rename->to};
    *ret = false;
    for (size_t n = 0; n < ARRAY_LENGTH(names); n++) {
        struct person_record person = {0};
        if (snapshot_person(planner->planning.snapshot, names[n], &person, error) == STORE_TROUBLE)
            return false;
        *ret = *ret || is_newer(planner, person.stamp);
        for (size_t i = 0; i < planner->request->domain_count; i++) {
            const char *domain = planner->request->domains[i].domain;
            struct membership_record row = {0};
            struct alias_record alias = {0};
            if (snapshot_membership(planner->planning.snapshot, domain, names[n], &row, error) ==
                    STORE_TROUBLE ||
                snapshot_alias(planner->planning.snapshot, domain, span_of(names[n]), &alias,
                               error) == STORE_TROUBLE)
                return false;
            *ret = *ret || is_newer(planner, row.stamp) || is_newer(planner, alias.stamp);
        }
    }
    return true;
}

/* The old name's row is there and the new name's is not: the domain has not seen the rename yet. */
static bool is_to_be_handed_over(const struct planner *planner, const struct rename *rename,
                                 const char *domain, bool *ret, struct error *error)
{
    struct membership_record old, own;
    struct snapshot *snapshot = planner->planning.snapshot;
    enum store_result has_old = snapshot_membership(snapshot, domain, rename->from, &old, error);
    enum store_result has_own = snapshot_membership(snapshot, domain, rename->to, &own, error);
    *ret = has_old == STORE_FOUND && has_own == STORE_ABSENT &&
           old.date_created_us == rename->date_created_us;
    return has_old != STORE_TROUBLE && has_own != STORE_TROUBLE;
}

/* The earlier rename of the account that is still to be done in the domain; *ret NULL: none is. */
static bool find_late_rename(const struct planner *planner, const struct passage *passage,
                             const struct refresh_domain *domain, const struct rename **ret,
                             struct error *error)
{
    const struct rename_list *list = &planner->late_renames;
    int64_t date_us = passage->person.date_created_us;
    const struct rename *late = rename_list_first(list, date_us);
    bool is_late = false;
    *ret = NULL;
    for (; late != NULL && late != list->items + list->count && late->date_created_us == date_us;
         late++) {
        if (find_seen(domain->listing, late->to) == NULL ||
            find_seen(domain->listing, late->from) != NULL)
            continue;
        if (!is_to_be_handed_over(planner, late, domain->domain, &is_late, error))
            return false;
        if (!is_late)
            continue;
        *ret = late;
        return true;
    }
    return true;
}

/*
 * The rename that counts in this domain. One of an earlier refresh does where the listing did not
 * count then: the membership is taken over now, the targets were then.
 */
static bool find_rename(const struct planner *planner, const struct passage *passage,
                        struct stop *stop, struct error *error)
{
    const struct rename *late = NULL;
    stop->rename = passage->rename;
    stop->is_new_name = passage->is_new_name;
    if (stop->rename != NULL || passage->is_contradicted ||
        (planner->works[stop->index].holds & PLAN_HOLDS_ALL) != 0)
        return true;
    if (!find_late_rename(planner, passage, &planner->request->domains[stop->index], &late, error))
        return false;
    bool is_new_name = late != NULL && strcmp(late->to, passage->name) == 0;
    bool is_old_name = late != NULL && strcmp(late->from, passage->name) == 0;
    if (!is_new_name && !is_old_name)
        return true;
    stop->rename = late;
    stop->is_new_name = is_new_name;
    return rename_is_newer(planner, late, &stop->is_left, error);
}

/* The row of the old name in the domain, which the new name goes on with. False: the cache. */
static bool inherit(struct planner *planner, struct stop *stop, bool *ret_is_inherited,
                    struct error *error)
{
    struct membership_record old;
    enum store_result result = snapshot_membership(planner->planning.snapshot,
                                                   planner->request->domains[stop->index].domain,
                                                   stop->rename->from, &old, error);
    *ret_is_inherited =
        result == STORE_FOUND && old.date_created_us == stop->rename->date_created_us;
    if (*ret_is_inherited)
        stop->after = old;
    return result != STORE_TROUBLE;
}

/* Also where the name has been given to yet another account at once. */
static bool has_heir(const struct planner *planner, const struct passage *passage,
                     const struct stop *stop)
{
    const struct domain_work *work = &planner->works[stop->index];
    const struct rename *rename =
        stop->has_row
            ? rename_list_at(&planner->renames, stop->before.date_created_us, passage->name)
            : NULL;
    if (stop->rename != NULL && stop->rename != passage->rename)
        return !stop->is_new_name;
    return rename != NULL && strcmp(rename->from, passage->name) == 0 &&
           (work->holds & PLAN_HOLDS_ALL) == 0 &&
           find_seen(planner->request->domains[stop->index].listing, rename->to) != NULL;
}

/* Whether stop->after is an admin's; is_handed_over: the account stands there by its new name. */
static void observe_admin(const struct planner *planner, const struct passage *passage,
                          struct stop *stop, bool is_handed_over)
{
    const struct refresh_domain *domain = &planner->request->domains[stop->index];
    const struct house_domain *house = house_find(planner->planning.house, domain->domain);
    const struct listing *listing = domain->admin_listing;
    const struct listing_person *admin = find_admin(domain, passage);
    const struct observation of_admins = {
        .seen = admin,
        .observed_s = listing != NULL ? listing->fetch_began_s : 0,
        .is_time_trusted = planner->planning.is_time_trusted,
    };
    bool is_listed = house_lists_admin(house, passage->name);
    if (is_listed || listing == NULL || is_handed_over) {
        stop->after.is_admin = is_listed || admin != NULL;
        if (!stop->after.is_member)
            stop->after.missing_since_s = 0;
    } else if (listing->verdict == LISTING_USABLE) {
        /* An admin team that cannot be listed leaves its admins what they were. */
        observation_fold_admin(&stop->after, &of_admins);
    }
    if (passage->seen[stop->index] == NULL && admin != NULL)
        observation_fold_flags(&stop->after, &of_admins);
}

/* stop->after by the listing, the rename and the identity. */
static bool observe(struct planner *planner, const struct passage *passage, struct stop *stop,
                    struct error *error)
{
    const struct refresh_domain *domain = &planner->request->domains[stop->index];
    const struct listing_person *seen = passage->seen[stop->index];
    const struct observation observation = {
        .seen = seen,
        .observed_s = domain->listing->fetch_began_s,
        .is_time_trusted = planner->planning.is_time_trusted,
    };
    const struct membership_record *before = stop->has_row ? &stop->before : NULL;
    bool is_inherited = false;
    if (seen != NULL && stop->is_new_name && !inherit(planner, stop, &is_inherited, error))
        return false;
    if (is_inherited) {
        struct membership_record old = stop->after;
        stop->after = observation_fold(&old, &observation);
        /* What an operator has let pass is a name and not an account. */
        stop->after.is_name_allowed = before != NULL && before->is_name_allowed &&
                                      before->date_created_us == seen->date_created_us;
    } else if (seen != NULL && before != NULL && before->date_created_us != seen->date_created_us) {
        stop->after = observation_fold(NULL, &observation);
    } else {
        stop->after = observation_fold(before, &observation);
    }
    stop->has_heir = has_heir(planner, passage, stop);
    if (seen == NULL && stop->has_heir)
        stop->after.extras = (struct span){"", 0};
    bool is_handed_over =
        seen == NULL && stop->has_heir && stop->rename != NULL && !stop->is_new_name;
    if (is_handed_over) {
        stop->after.is_member = false;
        stop->after.missing_since_s = 0;
    }
    observe_admin(planner, passage, stop, is_handed_over);
    stop->is_strangers = seen == NULL && stop->has_row &&
                         stop->before.date_created_us != passage->person.date_created_us;
    return true;
}

/* What follows of stop->after; false with ERROR_INVALID if the targets do not open. */
static bool project(const struct planning *planning, const struct planner *planner,
                    const struct passage *passage, struct stop *stop, struct error *error)
{
    const struct refresh_domain *domain = &planner->request->domains[stop->index];
    struct planning with_heirs = *planning;
    with_heirs.extras_from = stop->is_new_name ? stop->rename->from : NULL;
    with_heirs.has_heir = stop->has_heir;
    return projection_plan_membership(&with_heirs, domain->domain, passage->name, &passage->person,
                                      &stop->after, domain->listing, &stop->change, error);
}

static bool is_loss(const struct passage *passage, const struct stop *stop)
{
    const struct projection_result *change = &stop->change;
    bool is_own_act = stop->rename != NULL && passage->identity != IDENTITY_ANOTHER;
    return !is_own_act && change->was_live && change->verdict.state != change->before &&
           change->verdict.state != ALIAS_ACTIVE;
}

static bool has_place(enum alias_state state)
{
    return state == ALIAS_ACTIVE || state == ALIAS_LEAVING || state == ALIAS_PENDING ||
           state == ALIAS_PAUSED;
}

static bool is_addition(const struct stop *stop)
{
    return !stop->is_new_name && !has_place(stop->change.before) &&
           has_place(stop->change.verdict.state);
}

static void count_for_gate(struct domain_work *work, const struct passage *passage,
                           const struct stop *stop)
{
    work->live += stop->change.was_live;
    work->held += has_place(stop->change.before);
    work->losses += is_loss(passage, stop);
    work->additions += is_addition(stop);
}

static void count_change(struct refresh_domain *domain, const struct stop *stop)
{
    const struct projection_result *change = &stop->change;
    bool was_active = change->before == ALIAS_ACTIVE;
    bool is_active = change->verdict.state == ALIAS_ACTIVE;
    domain->states[change->verdict.state]++;
    if (is_active && !was_active)
        domain->gained++;
    else if (was_active && !is_active)
        domain->lost++;
    else if (change->is_changed)
        domain->changed++;
    if (stop->after.missing_since_s != 0 || stop->after.invalid_since_s != 0 ||
        stop->after.unsigned_since_s != 0)
        domain->doubted++;
}

static bool is_held(const struct domain_work *work, const struct passage *passage,
                    const struct stop *stop)
{
    return (work->holds & PLAN_HOLDS_ALL) != 0 ||
           ((work->holds & PLAN_HOLDS_LOSSES) != 0 && is_loss(passage, stop)) ||
           ((work->holds & PLAN_HOLDS_ADDITIONS) != 0 && is_addition(stop));
}

static void hold(struct planner *planner, const struct passage *passage, const struct stop *stop)
{
    struct refresh_domain *domain = &planner->request->domains[stop->index];
    struct domain_work *work = &planner->works[stop->index];
    const struct listing_person *seen = passage->seen[stop->index];
    if (stop->has_alias && stop->alias.kind == ALIAS_MEMBER)
        domain->states[stop->alias.state]++;
    if (!stop->change.is_changed)
        return;
    work->losses += (work->holds & PLAN_HOLDS_ALL) != 0 && is_loss(passage, stop);
    work->additions += (work->holds & PLAN_HOLDS_ALL) != 0 && is_addition(stop);
    const struct plan_row row = {
        .name = span_of(passage->name),
        .is_seen = seen != NULL,
        .is_valid = seen != NULL && seen->is_valid,
        .is_ubuntu_coc_signer = seen != NULL && seen->is_ubuntu_coc_signer,
        .date_created_us = seen != NULL ? seen->date_created_us : 0,
        .alias_generation = stop->has_alias ? stop->alias.stamp.generation : 0,
        .membership_generation = stop->has_row ? stop->before.stamp.generation : 0,
        .before = stop->change.before,
        .after = stop->change.verdict.state,
        .reason = stop->change.verdict.reason,
    };
    plan_row_append(&work->rows, &row);
    domain->held++;
}

/* With holds: looks first, and leaves what is held. False with the error as project. */
static bool look_for_holds(struct planner *planner, const struct passage *passage,
                           struct stop *stop, bool *ret_is_held, struct error *error)
{
    struct domain_work *work = &planner->works[stop->index];
    *ret_is_held = false;
    if (work->holds == 0)
        return true;
    struct planning looking = planner->planning;
    looking.changeset = planner->scratch;
    looking.notices = NULL;
    changeset_clear(planner->scratch);
    /* One listing does not tell of a team that is another now or empty; what it says is the plan.
     */
    struct membership_record after = stop->after;
    if ((work->holds & PLAN_HOLDS_ALL) != 0 && passage->seen[stop->index] == NULL)
        stop->after.is_member = false;
    bool is_fine = project(&looking, planner, passage, stop, error);
    stop->after = after;
    *ret_is_held = is_fine && is_held(work, passage, stop);
    return is_fine;
}

static void tell_identity(const struct planner *planner, const struct passage *passage,
                          const struct stop *stop)
{
    const char *domain = planner->request->domains[stop->index].domain;
    if (passage->seen[stop->index] == NULL)
        return;
    if (passage->identity == IDENTITY_ANOTHER && stop->has_alias)
        identity_tell_another(&planner->planning, domain, passage->name);
    if (stop->is_new_name)
        rename_tell(&planner->planning, stop->rename, domain, &passage->person,
                    stop->change.verdict);
}

/* The doubt about a row of the old identity is noted, unless all of the domain waits; confirmed, it
 * goes without being delivered. */
static bool plan_stranger_doubt(struct planner *planner, const struct passage *passage,
                                const struct stop *stop)
{
    const struct refresh_domain *domain = &planner->request->domains[stop->index];
    bool is_all_held = (planner->works[stop->index].holds & PLAN_HOLDS_ALL) != 0;
    if (!stop->is_strangers || !stop->after.is_member || is_all_held)
        return false;
    if (stop->after.missing_since_s != stop->before.missing_since_s ||
        stop->after.extras.length != stop->before.extras.length)
        changeset_put_membership(planner->planning.changeset, domain->domain, passage->name,
                                 &stop->after);
    return true;
}

static bool plan_membership(struct planner *planner, struct passage *passage, size_t index,
                            struct error *error)
{
    struct refresh_domain *domain = &planner->request->domains[index];
    struct stop stop = {.index = index};
    bool is_waiting = false;
    if (!read_stop(planner, passage, &stop, error))
        return false;
    if (!stop.has_row && passage->seen[index] == NULL)
        return true;
    if (is_to_be_left(planner, passage, &stop)) {
        leave_alone(domain, &stop);
        return true;
    }
    if (!find_rename(planner, passage, &stop, error))
        return false;
    if (stop.is_left) {
        leave_alone(domain, &stop);
        return true;
    }
    if (!observe(planner, passage, &stop, error))
        return false;
    if (plan_stranger_doubt(planner, passage, &stop)) {
        leave_alone(domain, &stop);
        return true;
    }
    struct planning planning = planner->planning;
    if (stop.is_new_name)
        planning.notices = NULL; /* it is told that the name is new, and not what is not */
    if (!look_for_holds(planner, passage, &stop, &is_waiting, error) ||
        (!is_waiting && !project(&planning, planner, passage, &stop, error))) {
        /* A broken value is this person's trouble; a missing key is everybody's. */
        if (error->kind != ERROR_INVALID)
            return false;
        leave_alone(domain, &stop);
        return true;
    }
    if (planner->works[index].holds == 0)
        count_for_gate(&planner->works[index], passage, &stop);
    if (is_waiting) {
        hold(planner, passage, &stop);
        return true;
    }
    passage->is_applied = true;
    planner->works[index].is_projected = true;
    domain->renamed += stop.is_new_name;
    tell_identity(planner, passage, &stop);
    count_change(domain, &stop);
    return true;
}

/* ---- one person ---- */

/* The sightings of one refresh are of one account, or they contradict each other. */
static const struct listing_person *first_seen(const struct planner *planner,
                                               struct passage *passage)
{
    const struct listing_person *first = NULL;
    for (size_t i = 0; i < planner->request->domain_count; i++) {
        if (passage->seen[i] == NULL)
            continue;
        if (first == NULL)
            first = passage->seen[i];
        else if (first->date_created_us != passage->seen[i]->date_created_us)
            passage->is_contradicted = true;
    }
    return first;
}

/* The old name keeps its targets, to be delivered during grace, and says who it is now. */
static void go_by_another_name(struct passage *passage)
{
    passage->person.renamed_to = span_of(passage->rename->to);
    passage->person.login_identifier = (struct span){"", 0};
}

static bool take_over(struct planner *planner, struct passage *passage, struct error *error)
{
    struct person_record from;
    switch (snapshot_person(planner->planning.snapshot, passage->rename->from, &from, error)) {
    case STORE_TROUBLE:
        return false;
    case STORE_ABSENT:
        return true;
    case STORE_FOUND:
        break;
    }
    return rename_take_over(&planner->planning, passage->rename, &from, &passage->person,
                            &passage->sealed, error);
}

/* Whose account it is: passage->person as it is to be. *ret_is_left: nobody can tell now. */
static bool identify(struct planner *planner, struct passage *passage, bool *ret_is_left,
                     struct error *error)
{
    const struct listing_person *seen = first_seen(planner, passage);
    int64_t date_us = seen != NULL ? seen->date_created_us : passage->before.date_created_us;
    *ret_is_left = false;
    passage->person = passage->before;
    if (!passage->has_person && seen == NULL)
        return error_set(error, ERROR_TEMPORARY, "%s has a membership but no person row",
                         passage->name);
    passage->rename = rename_list_at(&planner->renames, date_us, passage->name);
    if (passage->is_contradicted)
        passage->rename = NULL;
    /* The account that had the name so far may go on under another one. */
    const struct rename *gone =
        rename_list_at(&planner->renames, passage->before.date_created_us, passage->name);
    if ((passage->rename != NULL &&
         !rename_is_newer(planner, passage->rename, ret_is_left, error)) ||
        (gone != NULL && !*ret_is_left && !rename_is_newer(planner, gone, ret_is_left, error)))
        return false;
    passage->is_new_name =
        passage->rename != NULL && strcmp(passage->rename->to, passage->name) == 0;
    if (*ret_is_left)
        return true;
    if (seen != NULL && !passage->is_contradicted)
        passage->identity = identity_see(&passage->person, date_us);
    if (passage->is_new_name)
        return take_over(planner, passage, error);
    if (passage->rename != NULL)
        go_by_another_name(passage);
    else if (seen != NULL)
        passage->person.renamed_to = (struct span){"", 0};
    return true;
}

/*
 * What Launchpad says of the preferred address. A name that is new with a rename has just taken the
 * targets of the old one and waits for the next refresh.
 */
static bool fold_target(const struct planner *planner, struct passage *passage, struct error *error)
{
    bool is_left = passage->is_contradicted || passage->is_new_name ||
                   (passage->has_person && is_newer(planner, passage->before.stamp));
    return is_left || launchpad_target_fold(&planner->planning, passage->name, passage->seen,
                                            planner->request->domain_count, &passage->person,
                                            &passage->folded, &passage->has_new_target, error);
}

struct elsewhere {
    const struct planner *planner;
    const struct passage *passage;
    bool is_fine;
    struct error *error;
};

static bool plan_in_other_domain(void *context, const char *domain, const struct domain_record *row)
{
    (void)row;
    struct elsewhere *elsewhere = context;
    const struct planner *planner = elsewhere->planner;
    for (size_t i = 0; i < planner->request->domain_count; i++)
        if (planner->works[i].is_projected &&
            strcmp(planner->request->domains[i].domain, domain) == 0)
            return true;
    struct planning planning = planner->planning;
    planning.is_time_trusted = false; /* as for an act: no listing is looked at */
    elsewhere->is_fine = projection_plan_domain(&planning, domain, elsewhere->passage->name,
                                                &elsewhere->passage->person, elsewhere->error) ||
                         elsewhere->error->kind == ERROR_INVALID;
    return elsewhere->is_fine;
}

/* Aliases in domains whose listing is held, unusable or was not asked for follow all the same. */
static bool plan_elsewhere(const struct planner *planner, const struct passage *passage,
                           struct error *error)
{
    struct elsewhere elsewhere = {planner, passage, true, error};
    return !passage->has_person || (snapshot_each_domain(planner->planning.snapshot,
                                                         plan_in_other_domain, &elsewhere, error) &&
                                    elsewhere.is_fine);
}

/* The person's row, once some domain has taken what it says. */
static bool put_person(struct planner *planner, const struct passage *passage, struct error *error)
{
    bool is_changed = !passage->has_person || passage->identity != IDENTITY_SAME ||
                      passage->rename != NULL || passage->has_new_target ||
                      passage->person.renamed_to.length != passage->before.renamed_to.length;
    if (!passage->is_applied || !is_changed)
        return true;
    if (passage->has_new_target)
        launchpad_target_put_event(&planner->planning, passage->name, &passage->person);
    if (!plan_elsewhere(planner, passage, error))
        return false;
    changeset_put_person(planner->planning.changeset, passage->name, &passage->person);
    return passage->identity != IDENTITY_ANOTHER ||
           identity_plan_another(&planner->planning, passage->name, &passage->before, error);
}

static bool plan_passage(struct planner *planner, struct passage *passage, struct error *error)
{
    size_t count = planner->request->domain_count;
    bool is_left = false;
    enum store_result result =
        snapshot_person(planner->planning.snapshot, passage->name, &passage->before, error);
    if (result == STORE_TROUBLE)
        return false;
    passage->has_person = result == STORE_FOUND;
    if (!passage->has_person)
        passage->before = (struct person_record){0};
    changeset_begin_group(planner->planning.changeset, !passage->has_person);
    if (!identify(planner, passage, &is_left, error)) {
        if (error->kind != ERROR_INVALID)
            return false;
        is_left = true;
    }
    if (!is_left && !fold_target(planner, passage, error))
        return false;
    for (size_t i = 0; i < count; i++) {
        struct stop stop = {.index = i};
        planner->works[i].is_projected = false;
        if (!planner->works[i].is_applied)
            continue;
        if (!is_left) {
            if (!plan_membership(planner, passage, i, error))
                return false;
        } else {
            if (!read_stop(planner, passage, &stop, error))
                return false;
            if (stop.has_row || passage->seen[i] != NULL)
                leave_alone(&planner->request->domains[i], &stop);
        }
    }
    return put_person(planner, passage, error);
}

bool refresh_person_plan(struct planner *planner, const char *name,
                         const struct listing_person **seen, struct error *error)
{
    struct passage passage = {.name = name, .seen = seen};
    bool is_fine = plan_passage(planner, &passage, error);
    buffer_finish(&passage.sealed);
    buffer_finish(&passage.folded);
    return is_fine;
}
