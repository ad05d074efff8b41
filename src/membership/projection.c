#include "membership/projection.h"

#include <stdlib.h>
#include <string.h>

#include "address/address.h"
#include "address/role.h"
#include "base/memory.h"

/* ---- the rules ---- */

static bool is_of_others(const struct alias_record *alias)
{
    return alias != NULL && alias->kind != ALIAS_MEMBER;
}

/* Why a membership does not entitle to an alias; REASON_NONE if it does. */
static enum alias_reason lack_of(const struct membership_record *membership)
{
    if (!membership->is_member)
        return REASON_NOT_MEMBER;
    if (!membership->is_valid)
        return REASON_NOT_VALID;
    if (!membership->is_ubuntu_coc_signer)
        return REASON_COC_NOT_SIGNED;
    return REASON_NONE;
}

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

bool projection_collides(struct snapshot *snapshot, const char *domain, const char *name,
                         const char *delimiters, const struct listing *listing, bool *ret,
                         struct error *error)
{
    bool collides = false;
    CLEANUP(memory_free_at) char *cut = memory_copy_text(name);
    for (size_t length = address_next_cut(name, strlen(name), delimiters); length != 0 && !collides;
         length = address_next_cut(name, length, delimiters)) {
        cut[length] = '\0';
        if (address_is_role(cut, length))
            collides = true;
        else if (!is_known(snapshot, domain, cut, listing, &collides, error))
            return false;
    }
    *ret = collides;
    return true;
}

typedef bool rule(const struct projection_facts *facts, struct projection_verdict *verdict);

/*
 * Row 2: not a legal local part, or the address belongs to a role, to a static alias, or as an
 * extension to another member. Who was live before that other one came keeps the address.
 */
static bool name_is_unfit(const struct projection_facts *facts, struct projection_verdict *verdict)
{
    size_t length = strlen(facts->name);
    *verdict = (struct projection_verdict){.state = ALIAS_REFUSED};
    if (!address_is_legal_local(facts->name, length))
        verdict->reason = REASON_ILLEGAL_LOCAL_PART;
    else if (address_is_role(facts->name, length) || is_of_others(facts->alias) ||
             (facts->collides && facts->membership->live_since_s == 0))
        verdict->reason = REASON_TAKEN;
    return verdict->reason != REASON_NONE;
}

/* Row 5: entitlement lost by somebody who was live; still delivered while there are targets. */
static bool is_leaving(const struct projection_facts *facts, struct projection_verdict *verdict)
{
    *verdict = (struct projection_verdict){ALIAS_LEAVING, lack_of(facts->membership),
                                           facts->person->sealed_targets.length != 0};
    return verdict->reason != REASON_NONE && facts->membership->live_since_s != 0;
}

/* Never live and no member any more: nothing to deliver, the name stays known. */
static bool left_before_live(const struct projection_facts *facts,
                             struct projection_verdict *verdict)
{
    *verdict = (struct projection_verdict){ALIAS_GONE, lack_of(facts->membership), false};
    return verdict->reason == REASON_NOT_MEMBER;
}

/* Row 7: a member who was never live and is not entitled. */
static bool is_refused(const struct projection_facts *facts, struct projection_verdict *verdict)
{
    *verdict = (struct projection_verdict){ALIAS_REFUSED, lack_of(facts->membership), false};
    return verdict->reason != REASON_NONE;
}

/* Row 9. */
static bool lacks_target(const struct projection_facts *facts, struct projection_verdict *verdict)
{
    *verdict = (struct projection_verdict){ALIAS_PENDING, REASON_NO_TARGET, false};
    return facts->person->sealed_targets.length == 0;
}

/* Row 10. */
static bool is_active(const struct projection_facts *facts, struct projection_verdict *verdict)
{
    (void)facts;
    *verdict = (struct projection_verdict){ALIAS_ACTIVE, REASON_NONE, false};
    return true;
}

/* In the order of the rule table; the first that holds decides, the last always holds. */
static rule *const rules[] = {
    name_is_unfit, is_leaving, left_before_live, is_refused, lacks_target, is_active,
};

/* The state by the rules alone. */
static struct projection_verdict judge(const struct projection_facts *facts)
{
    struct projection_verdict verdict;
    for (size_t i = 0; i < ARRAY_LENGTH(rules); i++)
        if (rules[i](facts, &verdict))
            break;
    return verdict;
}

/* ---- the rows that follow ---- */

/* Opens both values and compares; absent values are equal to each other only. */
static bool targets_differ(const struct projection_facts *facts, const struct keyring *ring,
                           struct buffer *ret_plain, bool *ret_differ, struct error *error)
{
    struct span have = facts->alias != NULL ? facts->alias->sealed_targets : (struct span){0};
    enum unseal_result result =
        keyring_unseal_person(ring, facts->name, facts->person->sealed_targets, ret_plain);
    if (result != UNSEAL_DONE) {
        unseal_result_to_error(result, error);
        return error_prefix(error, "person %s", facts->name);
    }
    *ret_differ = true;
    if (have.length == 0)
        return true;
    struct buffer now = {0};
    result = keyring_unseal_alias(ring, facts->domain, span_of(facts->name), have, &now);
    /* One that does not open is replaced: the person's value is the one that counts. */
    if (result == UNSEAL_DONE)
        *ret_differ =
            now.length != ret_plain->length || memcmp(now.data, ret_plain->data, now.length) != 0;
    buffer_finish(&now);
    return true;
}

/* The sealed targets that the alias row is to carry, in *ret; sealed is what ret may borrow. */
static bool alias_targets(const struct projection_facts *facts, const struct keyring *ring,
                          struct buffer *sealed, struct span *ret, struct error *error)
{
    struct buffer plain = {0};
    bool differ = true;
    if (!targets_differ(facts, ring, &plain, &differ, error)) {
        buffer_finish(&plain);
        return false;
    }
    *ret = differ ? (struct span){0} : facts->alias->sealed_targets;
    if (differ) {
        keyring_seal_alias(ring, facts->domain, span_of(facts->name),
                           (struct span){plain.data, plain.length}, sealed);
        *ret = (struct span){sealed->data, sealed->length};
    }
    buffer_finish(&plain);
    return true;
}

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

/* Live and leaving since, as the verdict makes them. */
static struct membership_record settle(const struct projection_change *change, int64_t now_s)
{
    struct membership_record settled = *change->facts.membership;
    enum alias_state state = change->verdict.state;
    if (state == ALIAS_ACTIVE && settled.live_since_s == 0)
        settled.live_since_s = now_s;
    if (state != ALIAS_LEAVING)
        settled.leaving_since_s = 0;
    else if (settled.leaving_since_s == 0)
        settled.leaving_since_s = now_s;
    return settled;
}

static void tell_state(const struct projection_change *change, const char *actor, int64_t now_s,
                       struct changeset *changeset)
{
    char act[32] = "alias.";
    strcat(act, alias_state_name(change->verdict.state));
    struct event_record event = {
        .at_s = now_s,
        .actor = span_of(actor),
        .act = span_of(act),
        .domain = span_of(change->facts.domain),
        .subject = span_of(change->facts.name),
        .detail = span_of(alias_reason_name(change->verdict.reason)),
    };
    changeset_event(changeset, &event);
}

static bool plan_alias(struct projection_change *change, const struct keyring *ring,
                       const char *actor, int64_t now_s, struct changeset *changeset,
                       struct error *error)
{
    const struct projection_facts *facts = &change->facts;
    const struct alias_record *before = facts->alias;
    bool is_new_state = before == NULL || before->state != change->verdict.state;
    struct buffer sealed = {0};
    struct alias_record alias = {
        .kind = ALIAS_MEMBER,
        .state = change->verdict.state,
        .reason = change->verdict.reason,
        .deliver = change->verdict.deliver,
        .extension = facts->person->extension,
        .since_s = is_new_state ? now_s : before->since_s,
        .owner = span_of(facts->name),
    };
    if (alias_record_is_live(&alias) && facts->person->sealed_targets.length != 0 &&
        !alias_targets(facts, ring, &sealed, &alias.sealed_targets, error)) {
        buffer_finish(&sealed);
        return false;
    }
    change->is_changed = before == NULL || !alias_is_same(before, &alias);
    if (change->is_changed)
        changeset_put_alias(changeset, facts->domain, facts->name, &alias);
    if (is_new_state)
        tell_state(change, actor, now_s, changeset);
    buffer_finish(&sealed);
    return true;
}

bool projection_plan(struct projection_change *change, const struct keyring *ring,
                     const char *actor, int64_t now_s, struct changeset *changeset,
                     struct error *error)
{
    change->verdict = judge(&change->facts);
    change->is_changed = false;
    /* First what can fail: then nothing at all has been put. */
    if (!is_of_others(change->facts.alias) &&
        !plan_alias(change, ring, actor, now_s, changeset, error))
        return false;
    struct membership_record settled = settle(change, now_s);
    if (change->membership_before == NULL ||
        !membership_is_same(change->membership_before, &settled))
        changeset_put_membership(changeset, change->facts.domain, change->facts.name, &settled);
    return true;
}
