#include "membership/projection.h"

#include <stdlib.h>
#include <string.h>

#include "address/address.h"
#include "base/memory.h"
#include "membership/gate.h"
#include "membership/target_list.h"

#define DAY_S INT64_C(86400)

/* What is known of one person in one domain while its rows are planned. */
struct scene {
    const struct planning *planning;
    const struct house_domain *house_domain; /* NULL: not configured any more */
    const char *domain;
    const char *name;
    const struct person_record *person;
    struct membership_record membership; /* as it is to be */
    const struct listing *listing;       /* or NULL */
    const char *new_extra;               /* an extra that has no row yet, or NULL */
    enum extension_policy new_extension; /* of new_extra */
    struct alias_record alias;           /* the row that stands at the name, if has_alias */
    bool has_alias;
    bool is_another;         /* the name was somebody else's until now: nothing is inherited */
    enum alias_reason unfit; /* why the name is no member's alias; NONE: it is */
    struct buffer used;      /* the targets that are used, one a line */
};

/* ---- row 2: names ---- */

static int compare_to_person(const void *name, const void *person)
{
    return strcmp(name, ((const struct listing_person *)person)->name);
}

static bool is_listed(const struct listing *listing, const char *name)
{
    return listing != NULL && listing->person_count != 0 &&
           bsearch(name, listing->people, listing->person_count, sizeof(*listing->people),
                   compare_to_person) != NULL;
}

/* The domain knows the name: it has an alias, a membership, or stands in the listing. */
static bool is_known(struct snapshot *snapshot, const char *domain, const char *name,
                     const struct listing *listing, bool *ret, struct error *error)
{
    struct alias_record alias;
    struct membership_record membership;
    enum store_result has_alias = snapshot_alias(snapshot, domain, span_of(name), &alias, error);
    enum store_result has_row = snapshot_membership(snapshot, domain, name, &membership, error);
    if (has_alias == STORE_TROUBLE || has_row == STORE_TROUBLE)
        return false;
    *ret = has_alias == STORE_FOUND || has_row == STORE_FOUND || is_listed(listing, name);
    return true;
}

bool projection_is_extension(const struct planning *planning, const char *domain, const char *name,
                             const struct listing *listing, bool *ret, struct error *error)
{
    const struct house_domain *house_domain = house_find(planning->house, domain);
    const char *delimiters = planning->house->recipient_delimiter;
    CLEANUP(memory_free_at) char *cut = memory_copy_text(name);
    bool found = false;
    for (size_t length = address_next_cut(name, strlen(name), delimiters); length != 0 && !found;
         length = address_next_cut(name, length, delimiters)) {
        cut[length] = '\0';
        if (house_is_role(house_domain, cut))
            found = true;
        else if (!is_known(planning->snapshot, domain, cut, listing, &found, error))
            return false;
    }
    *ret = found;
    return true;
}

static bool is_of_others(const struct alias_record *alias)
{
    return alias->kind != ALIAS_MEMBER;
}

bool projection_is_unfit(const struct planning *planning, const char *domain, const char *name,
                         const struct listing *listing, enum alias_reason *ret, struct error *error)
{
    const struct house_domain *house_domain = house_find(planning->house, domain);
    struct alias_record alias;
    bool is_taken = false;
    *ret = REASON_NONE;
    enum store_result result =
        snapshot_alias(planning->snapshot, domain, span_of(name), &alias, error);
    if (result == STORE_TROUBLE ||
        !projection_is_extension(planning, domain, name, listing, &is_taken, error))
        return false;
    if (!address_is_legal_local(name, strlen(name)))
        *ret = REASON_ILLEGAL_LOCAL_PART;
    else if (house_is_role(house_domain, name) || (result == STORE_FOUND && is_of_others(&alias)) ||
             is_taken)
        *ret = REASON_TAKEN;
    else if (house_is_reserved(house_domain, name))
        *ret = REASON_RESERVED;
    return true;
}

/* Who was accepted under the name keeps it: it worked a minute ago. */
static bool holds_address(const struct scene *scene)
{
    if (!scene->has_alias || is_of_others(&scene->alias) || scene->is_another)
        return false;
    switch (scene->alias.state) {
    case ALIAS_ACTIVE:
    case ALIAS_LEAVING:
    case ALIAS_PAUSED:
        return true;
    case ALIAS_PENDING:
        return scene->membership.live_since_s != 0;
    case ALIAS_REFUSED:
    case ALIAS_GONE:
        return false;
    }
    return false;
}

/* Roles answer before any alias, and what no mail can reach nobody can hold or be allowed. */
static bool is_impossible(const struct scene *scene)
{
    return scene->unfit == REASON_ILLEGAL_LOCAL_PART ||
           house_is_role(scene->house_domain, scene->name);
}

/* A static or extra alias stands there; only its tombstone may be given to an allowed member. */
static bool is_occupied(const struct scene *scene)
{
    return scene->has_alias && is_of_others(&scene->alias) &&
           !(scene->membership.is_name_allowed && scene->alias.state == ALIAS_GONE);
}

static bool name_is_unfit(const struct scene *scene)
{
    if (scene->unfit == REASON_NONE)
        return false;
    return is_impossible(scene) || is_occupied(scene) ||
           (!scene->membership.is_name_allowed && !holds_address(scene));
}

/* ---- the other rows, for all aliases of the person in the domain ---- */

/* Why a membership does not entitle to an alias; REASON_NONE if it does. */
static enum alias_reason lack_of(const struct membership_record *membership)
{
    bool is_kept_as_admin = membership->is_admin && membership->live_since_s != 0;
    if (!membership->is_member && !is_kept_as_admin)
        return REASON_NOT_MEMBER;
    if (!membership->is_valid)
        return REASON_NOT_VALID;
    if (!membership->is_ubuntu_coc_signer)
        return REASON_COC_NOT_SIGNED;
    return REASON_NONE;
}

typedef bool rule(const struct scene *scene, struct projection_verdict *verdict);

/* Row 1. */
static bool is_banned(const struct scene *scene, struct projection_verdict *verdict)
{
    *verdict = (struct projection_verdict){ALIAS_REFUSED, REASON_BANNED, false};
    return scene->person->is_banned;
}

static int64_t grace_of(const struct scene *scene)
{
    return scene->house_domain != NULL ? scene->house_domain->grace_s : INT64_MAX;
}

/* Row 6: also the absence must have been seen on many days, else a clock alone could end it. */
static bool grace_is_over(const struct scene *scene, struct projection_verdict *verdict)
{
    const struct membership_record *membership = &scene->membership;
    *verdict = (struct projection_verdict){ALIAS_GONE, REASON_GRACE_OVER, false};
    return lack_of(membership) != REASON_NONE && membership->live_since_s != 0 &&
           membership->leaving_since_s != 0 && scene->planning->is_time_trusted &&
           scene->planning->now_s - membership->leaving_since_s >= grace_of(scene) &&
           membership->lacking_days >= gate_listing_days(grace_of(scene));
}

/* Row 5: entitlement lost by somebody who was live; still delivered while there are targets. */
static bool is_leaving(const struct scene *scene, struct projection_verdict *verdict)
{
    enum alias_reason lack = lack_of(&scene->membership);
    bool rejects = scene->house_domain != NULL && scene->house_domain->rejects_in_grace;
    *verdict = (struct projection_verdict){
        .state = ALIAS_LEAVING,
        .reason = lack == REASON_NOT_MEMBER && scene->person->renamed_to.length != 0
                      ? REASON_RENAMED
                      : lack,
        .deliver = !rejects && !scene->person->is_paused && scene->used.length != 0,
    };
    return lack != REASON_NONE && scene->membership.live_since_s != 0;
}

/* Never live and no member any more: nothing to deliver, the name stays known. */
static bool left_before_live(const struct scene *scene, struct projection_verdict *verdict)
{
    *verdict = (struct projection_verdict){ALIAS_GONE, lack_of(&scene->membership), false};
    return verdict->reason == REASON_NOT_MEMBER;
}

/* Row 7. */
static bool is_refused(const struct scene *scene, struct projection_verdict *verdict)
{
    *verdict = (struct projection_verdict){ALIAS_REFUSED, lack_of(&scene->membership), false};
    return verdict->reason != REASON_NONE;
}

/* Row 8. */
static bool is_paused(const struct scene *scene, struct projection_verdict *verdict)
{
    *verdict = (struct projection_verdict){ALIAS_PAUSED, REASON_PAUSED, false};
    return scene->person->is_paused;
}

/* Row 9. */
static bool lacks_target(const struct scene *scene, struct projection_verdict *verdict)
{
    *verdict = (struct projection_verdict){ALIAS_PENDING, REASON_NO_TARGET, false};
    return scene->used.length == 0;
}

/* Row 10. */
static bool is_active(const struct scene *scene, struct projection_verdict *verdict)
{
    (void)scene;
    *verdict = (struct projection_verdict){ALIAS_ACTIVE, REASON_NONE, false};
    return true;
}

/* In the order of the rule table; the first that holds decides, the last always holds. */
static rule *const rules[] = {
    is_banned,  grace_is_over, is_leaving,   left_before_live,
    is_refused, is_paused,     lacks_target, is_active,
};

static struct projection_verdict judge(const struct scene *scene)
{
    struct projection_verdict verdict;
    for (size_t i = 0; i < ARRAY_LENGTH(rules); i++)
        if (rules[i](scene, &verdict))
            break;
    return verdict;
}

/* A name that is gone stays so, for its reason, until the person is entitled again. */
static struct projection_verdict stay_gone(const struct scene *scene,
                                           const struct alias_record *before,
                                           struct projection_verdict verdict)
{
    bool is_again = lack_of(&scene->membership) == REASON_NONE || scene->person->is_banned;
    if (before == NULL || before->state != ALIAS_GONE || is_again || scene->is_another)
        return verdict;
    return (struct projection_verdict){ALIAS_GONE, before->reason, false};
}

/* ---- rows ---- */

/* Records are the same when their bytes behind version and generation are. */
static bool same_but_stamp(const struct buffer *a, const struct buffer *b)
{
    const size_t stamp_bytes = 1 + 8;
    return a->length == b->length &&
           memcmp(a->data + stamp_bytes, b->data + stamp_bytes, a->length - stamp_bytes) == 0;
}

static bool alias_is_same(const struct alias_record *a, const struct alias_record *b)
{
    struct buffer bytes_a = {0}, bytes_b = {0};
    alias_record_encode(&bytes_a, a);
    alias_record_encode(&bytes_b, b);
    bool is_same = same_but_stamp(&bytes_a, &bytes_b);
    buffer_finish(&bytes_a);
    buffer_finish(&bytes_b);
    return is_same;
}

static bool membership_is_same(const struct membership_record *a, const struct membership_record *b)
{
    struct buffer bytes_a = {0}, bytes_b = {0};
    membership_record_encode(&bytes_a, a);
    membership_record_encode(&bytes_b, b);
    bool is_same = same_but_stamp(&bytes_a, &bytes_b);
    buffer_finish(&bytes_a);
    buffer_finish(&bytes_b);
    return is_same;
}

static bool person_is_same(const struct person_record *a, const struct person_record *b)
{
    struct buffer bytes_a = {0}, bytes_b = {0};
    person_record_encode(&bytes_a, a);
    person_record_encode(&bytes_b, b);
    bool is_same = a->stamp.layout == b->stamp.layout && same_but_stamp(&bytes_a, &bytes_b);
    buffer_finish(&bytes_a);
    buffer_finish(&bytes_b);
    return is_same;
}

/* The value that stands there opens to just these targets; else it is to be sealed anew. */
static bool has_same_targets(const struct scene *scene, const char *local,
                             const struct alias_record *before)
{
    if (before == NULL || before->sealed_targets.length == 0)
        return false;
    struct buffer now = {0};
    bool is_same = keyring_unseal_alias(scene->planning->ring, scene->domain, span_of(local),
                                        before->sealed_targets, &now) == UNSEAL_DONE &&
                   now.length == scene->used.length &&
                   memcmp(now.data, scene->used.data, now.length) == 0;
    buffer_finish(&now);
    return is_same;
}

static void tell_event(const struct scene *scene, const char *local,
                       const struct projection_verdict *verdict)
{
    char act[32] = "alias.";
    strcat(act, alias_state_name(verdict->state));
    struct event_record event = {
        .at_s = scene->planning->now_s,
        .actor = span_of(scene->planning->actor),
        .act = span_of(act),
        .domain = span_of(scene->domain),
        .subject = span_of(scene->planning->names_nobody ? EVENT_ERASED_SUBJECT : local),
        .detail = span_of(alias_reason_name(verdict->reason)),
    };
    changeset_event(scene->planning->changeset, &event);
}

/* What the rule table says is told; false: nobody is. */
static bool notice_of(const struct projection_verdict *verdict, enum alias_state before,
                      enum notice_kind *ret)
{
    switch (verdict->state) {
    case ALIAS_ACTIVE:
        *ret = NOTICE_ACTIVE;
        return before != ALIAS_PAUSED;
    case ALIAS_LEAVING:
        *ret = NOTICE_LEAVING;
        return verdict->reason != REASON_RENAMED;
    case ALIAS_GONE:
        *ret = NOTICE_GONE;
        return before == ALIAS_LEAVING;
    case ALIAS_REFUSED:
        *ret = verdict->reason == REASON_BANNED ? NOTICE_BANNED
               : verdict->reason == REASON_ILLEGAL_LOCAL_PART || verdict->reason == REASON_TAKEN ||
                       verdict->reason == REASON_RESERVED
                   ? NOTICE_NAME_REFUSED
                   : NOTICE_REFUSED;
        return true;
    case ALIAS_PAUSED:
    case ALIAS_PENDING:
        return false;
    }
    return false;
}

static void tell_notice(const struct scene *scene, const struct projection_verdict *verdict,
                        enum alias_state before)
{
    enum notice_kind kind;
    if (scene->planning->notices != NULL && notice_of(verdict, before, &kind))
        notice_list_add(scene->planning->notices, kind, scene->domain, scene->name,
                        alias_reason_name(verdict->reason), "",
                        (struct span){scene->used.data, scene->used.length});
}

/* The row of one alias, where it differs; *ret_is_changed is not touched if it does not. */
static void plan_alias(const struct scene *scene, const char *local, enum alias_kind kind,
                       const struct alias_record *before, struct projection_verdict verdict,
                       enum extension_policy extension, bool *ret_is_changed)
{
    bool is_new_state = before == NULL || before->state != verdict.state;
    bool is_new_reason = is_new_state || before->reason != verdict.reason;
    struct buffer sealed = {0};
    struct alias_record alias = {
        .kind = kind,
        .state = verdict.state,
        .reason = verdict.reason,
        .deliver = verdict.deliver,
        .extension = extension,
        .since_s = is_new_state ? scene->planning->now_s : before->since_s,
        .owner = span_of(scene->name),
    };
    if (alias_record_is_live(&alias)) {
        if (has_same_targets(scene, local, before)) {
            alias.sealed_targets = before->sealed_targets;
        } else {
            keyring_seal_alias(scene->planning->ring, scene->domain, span_of(local),
                               (struct span){scene->used.data, scene->used.length}, &sealed);
            alias.sealed_targets = (struct span){sealed.data, sealed.length};
        }
    }
    if (before == NULL || !alias_is_same(before, &alias)) {
        *ret_is_changed = true;
        changeset_put_alias(scene->planning->changeset, scene->domain, local, &alias);
    }
    if (is_new_reason)
        tell_event(scene, local, &verdict);
    if (is_new_state || (is_new_reason && verdict.state == ALIAS_REFUSED))
        tell_notice(scene, &verdict, before != NULL ? before->state : 0);
    buffer_finish(&sealed);
}

/* One that another name has taken over meanwhile is left, although a list still holds it. */
static bool is_own_extra(const struct scene *scene, const struct alias_record *alias)
{
    const char *from = scene->planning->extras_from;
    return alias->kind == ALIAS_EXTRA && (span_is_text(alias->owner, scene->name) ||
                                          (from != NULL && span_is_text(alias->owner, from)));
}

/* The further aliases of one person; the names were checked when they were given. */
static bool plan_extras(const struct scene *scene, struct span extras,
                        struct projection_verdict standing, bool *ret_is_changed,
                        struct error *error)
{
    CLEANUP(memory_free_at) char *names = memory_copy_bytes(extras.data, extras.length);
    char *rest = NULL;
    if (names == NULL)
        return true;
    for (char *local = strtok_r(names, "\n", &rest); local != NULL;
         local = strtok_r(NULL, "\n", &rest)) {
        struct alias_record before;
        enum store_result result = snapshot_alias(scene->planning->snapshot, scene->domain,
                                                  span_of(local), &before, error);
        if (result == STORE_TROUBLE)
            return false;
        if (scene->new_extra != NULL && strcmp(scene->new_extra, local) == 0)
            plan_alias(scene, local, ALIAS_EXTRA, result == STORE_FOUND ? &before : NULL, standing,
                       scene->new_extension, ret_is_changed);
        else if (result == STORE_FOUND && is_own_extra(scene, &before)) /* its policy is its own */
            plan_alias(scene, local, ALIAS_EXTRA, &before, stay_gone(scene, &before, standing),
                       before.extension, ret_is_changed);
    }
    return true;
}

/* Live, leaving and lacking since, as they follow from the standing. */
static void settle(struct scene *scene, const struct projection_verdict *standing, bool is_unfit)
{
    struct membership_record *membership = &scene->membership;
    bool has_some_alias = !is_unfit || membership->extras.length != 0;
    bool is_over = standing->state == ALIAS_GONE || standing->state == ALIAS_REFUSED;
    if (is_over)
        membership->live_since_s = 0;
    else if (standing->state == ALIAS_ACTIVE && membership->live_since_s == 0 && has_some_alias)
        membership->live_since_s = scene->planning->now_s;
    if (standing->state != ALIAS_LEAVING) {
        membership->leaving_since_s = 0;
        membership->lacking_days = 0;
        membership->lacking_day = 0;
    } else if (membership->leaving_since_s == 0) {
        membership->leaving_since_s = scene->planning->now_s;
    }
}

/* A day on which a usable listing says that the person lacks something; before judging. */
static void count_lacking_day(struct scene *scene)
{
    struct membership_record *membership = &scene->membership;
    if (scene->listing == NULL || !scene->planning->is_time_trusted ||
        membership->live_since_s == 0 || lack_of(membership) == REASON_NONE)
        return;
    int64_t day = scene->listing->fetch_began_s / DAY_S;
    if (day == membership->lacking_day)
        return;
    membership->lacking_day = day;
    if (membership->lacking_days < UINT16_MAX)
        membership->lacking_days++;
}

static bool open_targets(struct scene *scene, struct error *error)
{
    struct target_list list;
    bool is_open =
        target_list_open(scene->planning->ring, scene->name, scene->person, &list, error);
    if (is_open)
        target_list_used(&list, &scene->used);
    target_list_finish(&list);
    return is_open;
}

static bool look(struct scene *scene, struct error *error)
{
    enum store_result result = snapshot_alias(scene->planning->snapshot, scene->domain,
                                              span_of(scene->name), &scene->alias, error);
    scene->has_alias = result == STORE_FOUND;
    return result != STORE_TROUBLE &&
           projection_is_unfit(scene->planning, scene->domain, scene->name, scene->listing,
                               &scene->unfit, error) &&
           /* A ban needs no targets, and must not fail for a key that is missing. */
           (scene->person->is_banned || open_targets(scene, error));
}

static bool is_live_state(const struct alias_record *alias)
{
    return alias->kind != ALIAS_STATIC && alias_record_is_live(alias);
}

static bool plan_scene(struct scene *scene, const struct membership_record *before,
                       struct projection_result *ret, struct error *error)
{
    *ret = (struct projection_result){0};
    scene->is_another =
        before != NULL && (scene->planning->is_another ||
                           before->date_created_us != scene->membership.date_created_us);
    if (!look(scene, error))
        return false;
    count_lacking_day(scene);
    struct projection_verdict standing = judge(scene);
    const struct alias_record *alias = scene->has_alias ? &scene->alias : NULL;
    /* A banned account must not take away what is another's extension: such a name stays taken. */
    bool is_unfit =
        (!scene->person->is_banned || scene->unfit == REASON_TAKEN) && name_is_unfit(scene);
    ret->verdict = is_unfit ? (struct projection_verdict){ALIAS_REFUSED, scene->unfit, false}
                            : stay_gone(scene, alias, standing);
    if (alias != NULL && !is_of_others(alias)) {
        ret->before = alias->state;
        ret->was_live = is_live_state(alias);
    }
    static const struct projection_verdict not_inherited = {ALIAS_GONE, REASON_ANOTHER_PERSON,
                                                            false};
    if (!plan_extras(scene, scene->membership.extras, standing, &ret->is_extra_changed, error) ||
        (scene->is_another && !scene->planning->has_heir &&
         !plan_extras(scene, before->extras, not_inherited, &ret->is_extra_changed, error)))
        return false;
    if (!is_occupied(scene)) {
        plan_alias(scene, scene->name, ALIAS_MEMBER, alias, ret->verdict,
                   scene->membership.extension, &ret->is_own_changed);
        ret->is_live = ret->verdict.state == ALIAS_ACTIVE || ret->verdict.deliver;
    }
    ret->is_changed = ret->is_own_changed || ret->is_extra_changed;
    settle(scene, &standing, is_unfit);
    ret->is_membership_changed = before == NULL || !membership_is_same(before, &scene->membership);
    if (ret->is_membership_changed)
        changeset_put_membership(scene->planning->changeset, scene->domain, scene->name,
                                 &scene->membership);
    return true;
}

static bool plan_against_row(struct scene *scene, struct projection_result *ret,
                             struct error *error)
{
    struct membership_record before;
    enum store_result result =
        snapshot_membership(scene->planning->snapshot, scene->domain, scene->name, &before, error);
    bool is_fine = result != STORE_TROUBLE &&
                   plan_scene(scene, result == STORE_FOUND ? &before : NULL, ret, error);
    buffer_finish(&scene->used);
    return is_fine;
}

bool projection_plan_membership(const struct planning *planning, const char *domain,
                                const char *name, const struct person_record *person,
                                const struct membership_record *membership,
                                const struct listing *listing, struct projection_result *ret,
                                struct error *error)
{
    const struct person_record stranger = {.date_created_us = membership->date_created_us};
    bool is_strangers = person->date_created_us != membership->date_created_us;
    struct scene scene = {
        .planning = planning,
        .house_domain = house_find(planning->house, domain),
        .domain = domain,
        .name = name,
        .person = is_strangers ? &stranger : person,
        .membership = *membership,
        .listing = listing,
    };
    return plan_against_row(&scene, ret, error);
}

bool projection_plan_extra(const struct planning *planning, const char *domain, const char *name,
                           const struct person_record *person,
                           const struct membership_record *membership, const char *local,
                           enum extension_policy extension, struct projection_result *ret,
                           struct error *error)
{
    struct scene scene = {
        .planning = planning,
        .house_domain = house_find(planning->house, domain),
        .domain = domain,
        .name = name,
        .person = person,
        .membership = *membership,
        .new_extra = local,
        .new_extension = extension,
    };
    return plan_against_row(&scene, ret, error);
}

bool projection_preview(const struct planning *planning, const char *domain, const char *name,
                        struct projection_result *ret, struct error *error)
{
    struct person_record person;
    struct membership_record membership;
    enum store_result has_person = snapshot_person(planning->snapshot, name, &person, error);
    enum store_result has_row =
        snapshot_membership(planning->snapshot, domain, name, &membership, error);
    if (has_person == STORE_TROUBLE || has_row == STORE_TROUBLE)
        return false;
    if (has_person == STORE_ABSENT || has_row == STORE_ABSENT)
        return error_set(error, ERROR_INVALID, "%s has no person or no membership row", name);
    struct planning scratch = *planning;
    scratch.changeset = changeset_create();
    scratch.notices = NULL;
    bool is_fine =
        projection_plan_membership(&scratch, domain, name, &person, &membership, NULL, ret, error);
    changeset_destroy(scratch.changeset);
    return is_fine;
}

/* ---- all domains of a person ---- */

struct domain_names {
    char **names;
    size_t count, capacity;
};

static bool add_domain(void *context, const char *domain, const struct domain_record *record)
{
    (void)record;
    struct domain_names *list = context;
    list->names = memory_grow(list->names, list->count, &list->capacity, sizeof(*list->names));
    list->names[list->count++] = memory_copy_text(domain);
    return true;
}

bool projection_plan_domain(const struct planning *planning, const char *domain, const char *name,
                            const struct person_record *person, struct error *error)
{
    struct membership_record membership;
    struct projection_result result;
    switch (snapshot_membership(planning->snapshot, domain, name, &membership, error)) {
    case STORE_TROUBLE:
        return false;
    case STORE_ABSENT:
        return true;
    case STORE_FOUND:
        break;
    }
    /* A row of somebody else under the same name waits for that domain's listing. */
    return membership.date_created_us != person->date_created_us ||
           projection_plan_membership(planning, domain, name, person, &membership, NULL, &result,
                                      error);
}

bool projection_plan_person(const struct planning *planning, const char *name,
                            const struct person_record *person, struct error *error)
{
    struct person_record before;
    struct domain_names domains = {0};
    enum store_result result = snapshot_person(planning->snapshot, name, &before, error);
    if (result == STORE_TROUBLE)
        return false;
    changeset_begin_group(planning->changeset, result == STORE_ABSENT);
    if (result == STORE_ABSENT || !person_is_same(&before, person))
        changeset_put_person(planning->changeset, name, person);
    bool is_fine = snapshot_each_domain(planning->snapshot, add_domain, &domains, error);
    for (size_t i = 0; i < domains.count; i++) {
        is_fine =
            is_fine && projection_plan_domain(planning, domains.names[i], name, person, error);
        free(domains.names[i]);
    }
    free(domains.names);
    return is_fine;
}
