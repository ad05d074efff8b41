#include <stdlib.h>
#include <string.h>

#include "membership/barrier.h"
#include "membership/identity.h"
#include "membership/login_passage.h"
#include "membership/observation.h"

/* One domain of a login. */
struct stop {
    const struct login_passage *passage;
    const char *domain;
    const struct login_sighting *sighting; /* that says "member", or NULL */
    struct membership_record before, old;  /* of the name; of the pinned name, if it is a rename */
    struct alias_record alias, old_alias;
    bool has_row, has_alias, has_old_row, has_old_alias;
};

static bool read_pair(const struct stop *stop, const char *name, struct membership_record *row,
                      bool *has_row, struct alias_record *alias, bool *has_alias,
                      struct error *error)
{
    struct snapshot *snapshot = stop->passage->planning->snapshot;
    enum store_result row_result = snapshot_membership(snapshot, stop->domain, name, row, error);
    enum store_result alias_result =
        snapshot_alias(snapshot, stop->domain, span_of(name), alias, error);
    *has_row = row_result == STORE_FOUND;
    *has_alias = alias_result == STORE_FOUND;
    return row_result != STORE_TROUBLE && alias_result != STORE_TROUBLE;
}

static bool read_stop(struct stop *stop, struct error *error)
{
    const struct login_passage *passage = stop->passage;
    return read_pair(stop, passage->request->name, &stop->before, &stop->has_row, &stop->alias,
                     &stop->has_alias, error) &&
           (!passage->is_rename ||
            read_pair(stop, passage->pinned_name, &stop->old, &stop->has_old_row, &stop->old_alias,
                      &stop->has_old_alias, error));
}

/* What was changed since Launchpad was asked knows more than the answer. */
static bool is_newer(const struct stop *stop)
{
    uint64_t asked = stop->passage->request->asked_generation;
    return (stop->has_row && stop->before.stamp.generation > asked) ||
           (stop->has_alias && stop->alias.stamp.generation > asked) ||
           (stop->has_old_row && stop->old.stamp.generation > asked) ||
           (stop->has_old_alias && stop->old_alias.stamp.generation > asked);
}

/* A single look gives and never takes: what it denies is neither believed nor a doubt. */
static struct membership_record fold(const struct stop *stop,
                                     const struct membership_record *before)
{
    const struct login_request *request = stop->passage->request;
    const struct listing_person person = {
        .date_created_us = request->date_created_us,
        .is_valid =
            request->is_valid || (before != NULL && before->live_since_s != 0 && before->is_valid),
        .is_ubuntu_coc_signer =
            request->is_ubuntu_coc_signer ||
            (before != NULL && before->live_since_s != 0 && before->is_ubuntu_coc_signer),
    };
    const struct observation observation = {.seen = &person, .observed_s = request->asked_s};
    struct membership_record after = observation_fold(before, &observation);
    if (before != NULL && !request->is_valid)
        after.invalid_since_s = before->invalid_since_s;
    if (before != NULL && !request->is_ubuntu_coc_signer)
        after.unsigned_since_s = before->unsigned_since_s;
    return after;
}

/* The name's row as it is to be where a team has the person. */
static struct membership_record observe(const struct stop *stop)
{
    const struct login_passage *passage = stop->passage;
    int64_t date_us = passage->request->date_created_us;
    bool is_own = stop->has_row && stop->before.date_created_us == date_us;
    if (stop->has_old_row && stop->old.date_created_us == date_us) {
        struct membership_record after = fold(stop, &stop->old);
        /* What an operator has let pass is a name and not an account. */
        after.is_name_allowed = is_own && stop->before.is_name_allowed;
        return after;
    }
    if (is_own && !passage->is_another_login)
        return fold(stop, &stop->before);
    struct membership_record after = fold(stop, NULL);
    after.is_admin = is_own && stop->before.is_admin;
    return after;
}

/* The old name of a renamed account is leaving, and delivered, as its listing would have it. */
static bool hand_over(const struct stop *stop, struct error *error)
{
    const struct login_passage *passage = stop->passage;
    struct planning planning = *passage->planning;
    struct membership_record old = stop->old;
    struct person_record person = passage->pinned;
    struct projection_result result;
    person.renamed_to = span_of(passage->request->name);
    person.login_identifier = (struct span){"", 0};
    old.extras = (struct span){"", 0};
    old.is_member = false;
    old.missing_since_s = 0;
    old.is_admin =
        house_lists_admin(house_find(planning.house, stop->domain), passage->pinned_name);
    planning.has_heir = true;
    return projection_plan_membership(&planning, stop->domain, passage->pinned_name, &person, &old,
                                      NULL, &result, error);
}

static bool plan_sighting(const struct stop *stop, struct error *error)
{
    const struct login_passage *passage = stop->passage;
    const char *name = passage->request->name;
    bool is_handed_over =
        stop->has_old_row && stop->old.date_created_us == passage->request->date_created_us;
    struct planning planning = *passage->planning;
    struct membership_record after = observe(stop);
    struct projection_result result;
    planning.is_another = passage->is_another_login;
    if (is_handed_over) {
        planning.extras_from = passage->pinned_name;
        planning.notices = NULL; /* it is told that the name is new, and not what is not */
    }
    if (!projection_plan_membership(&planning, stop->domain, name, &passage->person, &after, NULL,
                                    &result, error) ||
        (is_handed_over && !hand_over(stop, error)))
        return false;
    if ((passage->is_another_account || passage->is_another_login) && stop->has_alias)
        identity_tell_another(passage->planning, stop->domain, name);
    if (is_handed_over)
        rename_tell(passage->planning, &passage->rename, stop->domain, &passage->person,
                    result.verdict);
    return true;
}

/* Nothing of the former owner's is left; the listing's word of the account is. */
static bool plan_another_login(const struct stop *stop, struct error *error)
{
    const struct login_passage *passage = stop->passage;
    const struct membership_record *before = &stop->before;
    struct planning planning = *passage->planning;
    struct projection_result result;
    if (!stop->has_row || before->date_created_us != passage->request->date_created_us)
        return true;
    const struct membership_record after = {
        .is_member = before->is_member,
        .is_valid = before->is_valid,
        .is_ubuntu_coc_signer = before->is_ubuntu_coc_signer,
        .is_admin = before->is_admin,
        .extension = EXTENSION_APPEND,
        .date_created_us = before->date_created_us,
        .since_s = before->since_s,
        .missing_since_s = before->missing_since_s,
        .invalid_since_s = before->invalid_since_s,
        .unsigned_since_s = before->unsigned_since_s,
    };
    planning.is_another = true;
    if (stop->has_alias)
        identity_tell_another(passage->planning, stop->domain, passage->request->name);
    return projection_plan_membership(&planning, stop->domain, passage->request->name,
                                      &passage->person, &after, NULL, &result, error);
}

/* Where no team has the person now, or nothing may come: the rows follow the person's. */
static bool plan_follow(const struct stop *stop, struct error *error)
{
    const struct login_passage *passage = stop->passage;
    struct person_record old = passage->pinned;
    if (!passage->is_changed)
        return true;
    if (passage->is_another_login)
        return plan_another_login(stop, error);
    if (passage->is_rename) {
        old.renamed_to = span_of(passage->request->name);
        if (!projection_plan_domain(passage->planning, stop->domain, passage->pinned_name, &old,
                                    error))
            return false;
    }
    return projection_plan_domain(passage->planning, stop->domain, passage->request->name,
                                  &passage->person, error);
}

static const struct login_sighting *find_membership(const struct login_request *request,
                                                    const char *domain)
{
    for (size_t i = 0; i < request->sighting_count; i++)
        if (strcmp(request->sightings[i].domain, domain) == 0)
            return request->sightings[i].membership == LOGIN_MEMBERSHIP_YES ? &request->sightings[i]
                                                                            : NULL;
    return NULL;
}

struct walk {
    const struct login_passage *passage;
    bool is_fine;
    struct error *error;
};

static bool plan_domain(void *context, const char *domain, const struct domain_record *row)
{
    struct walk *walk = context;
    const struct login_passage *passage = walk->passage;
    enum barrier barrier = BARRIER_NONE;
    struct stop stop = {
        .passage = passage,
        .domain = domain,
        .sighting = find_membership(passage->request, domain),
    };
    (void)row;
    walk->is_fine = read_stop(&stop, walk->error) &&
                    (stop.sighting == NULL ||
                     barrier_find(passage->planning->house, passage->planning->snapshot, domain,
                                  passage->request->name, stop.sighting->team_date_created_us,
                                  &barrier, walk->error));
    if (!walk->is_fine)
        return false;
    walk->is_fine = stop.sighting != NULL && barrier == BARRIER_NONE && !is_newer(&stop)
                        ? plan_sighting(&stop, walk->error)
                        : plan_follow(&stop, walk->error);
    return walk->is_fine;
}

bool login_membership_plan(const struct login_passage *passage, struct error *error)
{
    struct walk walk = {passage, true, error};
    return snapshot_each_domain(passage->planning->snapshot, plan_domain, &walk, error) &&
           walk.is_fine;
}
