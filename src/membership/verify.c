#include "membership/verify.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* One walk through the cache. Visits cannot fail, so trouble is kept here and ends the walk. */
struct verifying {
    const struct planning *planning;
    const struct verify_watch *watch;
    struct error *error;
    bool is_troubled;
    size_t rows;
    char *domain; /* that was looked for last */
    bool has_domain;
};

static void tell(const struct verifying *verifying, const char *domain, const char *subject,
                 const char *text)
{
    verifying->watch->differs(verifying->watch->context, domain, subject, text);
}

static void count_row(struct verifying *verifying)
{
    verifying->watch->progress(verifying->watch->context, ++verifying->rows);
}

/* Returns whether the walk goes on. */
static bool note_trouble(struct verifying *verifying, enum store_result result)
{
    verifying->is_troubled = verifying->is_troubled || result == STORE_TROUBLE;
    return !verifying->is_troubled;
}

/* Rows of a domain stand together, so it is looked for once. */
static bool check_domain(struct verifying *verifying, const char *domain, const char *subject)
{
    struct domain_record row;
    if (verifying->domain == NULL || strcmp(verifying->domain, domain) != 0) {
        enum store_result result =
            snapshot_domain(verifying->planning->snapshot, domain, &row, verifying->error);
        free(verifying->domain);
        verifying->domain = memory_copy_text(domain);
        verifying->has_domain = result == STORE_FOUND;
        if (!note_trouble(verifying, result))
            return false;
    }
    if (!verifying->has_domain)
        tell(verifying, domain, subject, "stands in a domain that the cache does not have");
    return true;
}

/* ---- memberships ---- */

static void append_state(struct buffer *text, enum alias_state state, enum alias_reason reason,
                         bool is_delivered)
{
    buffer_append_text(text, alias_state_name(state));
    if (reason != REASON_NONE)
        buffer_appendf(text, " (%s)", alias_reason_name(reason));
    if (state == ALIAS_LEAVING)
        buffer_append_text(text, is_delivered ? ", delivered" : ", not delivered");
}

/* What is another about a member's own alias. */
static void describe_alias(const struct alias_record *alias, const char *name,
                           const struct membership_record *membership,
                           const struct projection_verdict *verdict, struct buffer *text)
{
    if (alias == NULL) {
        buffer_append_text(text, "has no alias; by the rules it is ");
        append_state(text, verdict->state, verdict->reason, verdict->deliver);
    } else if (alias->state != verdict->state || alias->reason != verdict->reason ||
               alias->deliver != verdict->deliver) {
        buffer_append_text(text, "is ");
        append_state(text, alias->state, alias->reason, alias->deliver);
        buffer_append_text(text, "; by the rules it is ");
        append_state(text, verdict->state, verdict->reason, verdict->deliver);
    } else if (!span_is_text(alias->owner, name)) {
        buffer_append_text(text, "belongs to another name");
    } else if (alias->extension != membership->extension) {
        buffer_append_text(text, "has another extension policy than its membership");
    } else {
        buffer_append_text(text, "has other targets than its person");
    }
}

static bool tell_own(struct verifying *verifying, const char *domain, const char *name,
                     const struct membership_record *membership,
                     const struct projection_verdict *verdict)
{
    struct alias_record alias;
    CLEANUP(buffer_finish) struct buffer text = {0};
    enum store_result result = snapshot_alias(verifying->planning->snapshot, domain, span_of(name),
                                              &alias, verifying->error);
    if (!note_trouble(verifying, result))
        return false;
    describe_alias(result == STORE_FOUND ? &alias : NULL, name, membership, verdict, &text);
    tell(verifying, domain, name, buffer_text(&text));
    return true;
}

/* Each extra that the membership names is there, and the person's. */
static bool check_extras(struct verifying *verifying, const char *domain, const char *name,
                         struct span extras)
{
    CLEANUP(memory_free_at) char *names = memory_copy_bytes(extras.data, extras.length);
    char *rest = NULL;
    for (char *local = names != NULL ? strtok_r(names, "\n", &rest) : NULL; local != NULL;
         local = strtok_r(NULL, "\n", &rest)) {
        struct alias_record alias;
        enum store_result result = snapshot_alias(verifying->planning->snapshot, domain,
                                                  span_of(local), &alias, verifying->error);
        if (!note_trouble(verifying, result))
            return false;
        if (result == STORE_ABSENT)
            tell(verifying, domain, local, "is an extra alias of a membership and not there");
        else if (alias.kind != ALIAS_EXTRA || !span_is_text(alias.owner, name))
            tell(verifying, domain, local, "is an extra alias of a membership and another's");
    }
    return true;
}

static bool check_projection(struct verifying *verifying, const char *domain, const char *name,
                             const struct membership_record *membership)
{
    struct projection_result result;
    if (!projection_preview(verifying->planning, domain, name, &result, verifying->error)) {
        if (verifying->error->kind != ERROR_INVALID)
            return note_trouble(verifying, STORE_TROUBLE);
        tell(verifying, domain, name, "belongs to a person whose targets do not open");
        return true;
    }
    if (result.is_own_changed && !tell_own(verifying, domain, name, membership, &result.verdict))
        return false;
    if (result.is_extra_changed)
        tell(verifying, domain, name, "has an extra alias that is not as the rules make it");
    if (result.is_membership_changed)
        tell(verifying, domain, name, "has a membership that is live or leaving for no reason");
    return true;
}

static bool visit_membership(void *context, const char *domain, const char *name,
                             const struct membership_record *membership)
{
    struct verifying *verifying = context;
    struct person_record person;
    count_row(verifying);
    enum store_result result =
        snapshot_person(verifying->planning->snapshot, name, &person, verifying->error);
    if (!note_trouble(verifying, result) || !check_domain(verifying, domain, name))
        return false;
    if (result == STORE_ABSENT) {
        tell(verifying, domain, name, "has a membership and no person");
        return true;
    }
    return person.date_created_us != membership->date_created_us ||
           (check_extras(verifying, domain, name, membership->extras) &&
            check_projection(verifying, domain, name, membership));
}

/* ---- aliases ---- */

static bool names_extra(struct span extras, const char *local)
{
    size_t length = strlen(local);
    while (extras.length != 0) {
        const char *end = memchr(extras.data, '\n', extras.length);
        size_t line = end != NULL ? (size_t)(end - extras.data) : extras.length;
        if (line == length && memcmp(extras.data, local, length) == 0)
            return true;
        size_t taken = end != NULL ? line + 1 : line;
        extras = (struct span){extras.data + taken, extras.length - taken};
    }
    return false;
}

/* An alias of a member or an extra has a membership behind it; one that is gone needs none. */
static bool check_owner(struct verifying *verifying, const char *domain, const char *local,
                        const struct alias_record *alias)
{
    struct membership_record membership;
    CLEANUP(memory_free_at)
    char *owner = memory_copy_bytes(alias->owner.data, alias->owner.length);
    enum store_result result =
        snapshot_membership(verifying->planning->snapshot, domain, owner != NULL ? owner : "",
                            &membership, verifying->error);
    if (!note_trouble(verifying, result))
        return false;
    if (alias->kind == ALIAS_MEMBER && !span_is_text(alias->owner, local))
        tell(verifying, domain, local, "is a member's alias and belongs to another name");
    else if (result == STORE_ABSENT)
        tell(verifying, domain, local, "is an alias without the membership of its owner");
    else if (alias->kind == ALIAS_EXTRA && !names_extra(membership.extras, local))
        tell(verifying, domain, local, "is an extra alias that its owner's membership lacks");
    return true;
}

static void check_static_targets(const struct verifying *verifying, const char *domain,
                                 const char *local, const struct alias_record *alias)
{
    CLEANUP(buffer_finish) struct buffer targets = {0};
    if (alias->sealed_targets.length != 0 &&
        keyring_unseal_alias(verifying->planning->ring, domain, span_of(local),
                             alias->sealed_targets, &targets) != UNSEAL_DONE)
        tell(verifying, domain, local, "is a static alias whose targets do not open");
}

static bool visit_alias(void *context, const char *domain, const char *local,
                        const struct alias_record *alias)
{
    struct verifying *verifying = context;
    count_row(verifying);
    if (!check_domain(verifying, domain, local))
        return false;
    if (alias->kind == ALIAS_STATIC) {
        check_static_targets(verifying, domain, local, alias);
        return true;
    }
    return (alias->kind == ALIAS_EXTRA && alias->state == ALIAS_GONE) ||
           check_owner(verifying, domain, local, alias);
}

/* ---- people and logins ---- */

static bool visit_person(void *context, const char *name, const struct person_record *person)
{
    struct verifying *verifying = context;
    struct login_record login;
    count_row(verifying);
    if (person->login_identifier.length == 0)
        return true;
    CLEANUP(memory_free_at)
    char *identifier =
        memory_copy_bytes(person->login_identifier.data, person->login_identifier.length);
    enum store_result result =
        snapshot_login(verifying->planning->snapshot, identifier, &login, verifying->error);
    if (!note_trouble(verifying, result))
        return false;
    if (result == STORE_ABSENT || !span_is_text(login.name, name))
        tell(verifying, "", name, "has a login that does not lead to it");
    return true;
}

static bool visit_login(void *context, const char *identifier, const struct login_record *login)
{
    struct verifying *verifying = context;
    struct person_record person;
    CLEANUP(memory_free_at) char *name = memory_copy_bytes(login->name.data, login->name.length);
    count_row(verifying);
    enum store_result result = snapshot_person(verifying->planning->snapshot,
                                               name != NULL ? name : "", &person, verifying->error);
    if (!note_trouble(verifying, result))
        return false;
    if (result == STORE_ABSENT || !span_is_text(person.login_identifier, identifier))
        tell(verifying, "", name != NULL ? name : "", "is led to by a login that it does not have");
    return true;
}

bool verify_cache(const struct planning *planning, const struct verify_watch *watch,
                  struct error *error)
{
    struct verifying verifying = {.planning = planning, .watch = watch, .error = error};
    struct snapshot *snapshot = planning->snapshot;
    bool is_fine =
        snapshot_each_membership(snapshot, NULL, visit_membership, &verifying, error) &&
        !verifying.is_troubled &&
        snapshot_each_alias(snapshot, NULL, visit_alias, &verifying, error) &&
        !verifying.is_troubled && snapshot_each_person(snapshot, visit_person, &verifying, error) &&
        !verifying.is_troubled && snapshot_each_login(snapshot, visit_login, &verifying, error) &&
        !verifying.is_troubled;
    free(verifying.domain);
    return is_fine;
}
