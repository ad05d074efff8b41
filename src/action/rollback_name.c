#include "action/rollback_name.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "action/update.h"
#include "base/memory.h"
#include "membership/target_list.h"

/* Why a name is skipped. */
#define CHANGED_SINCE "its rows were changed since"
#define PERSON_SINCE  "the person was changed since: targets, ban, pause or account"
#define ERASED_SINCE  "the person was erased since"
#define IN_USE        "the account or the targets that it has now are in use in other domains"

/* A name's rows as they are now. */
struct look {
    struct person_record person;
    struct membership_record membership;
    struct alias_record alias; /* at the name itself */
    bool has_person, has_membership, has_alias;
    const struct undo_row *undo_person; /* NULL: the refresh left the row alone */
    const struct undo_row *undo_membership;
    bool is_fresh; /* the domain knew nothing of the name before */
};

enum row_standing {
    STANDS_AS_BEFORE, /* as before the refresh */
    STANDS_AS_MADE,   /* as the refresh left it */
    STANDS_CHANGED,
};

static bool span_is(struct span a, struct span b)
{
    return a.length == b.length && (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}

/* Of a row whose stamp is generation and whose bytes are now; absent: both empty. */
static enum row_standing standing_of(const struct undo_row *row, uint64_t generation,
                                     struct buffer *now)
{
    const size_t stamp_bytes = 1 + 8;
    bool is_absent = now->length == 0;
    if (is_absent || row->was_absent)
        return is_absent && row->was_absent                  ? STANDS_AS_BEFORE
               : !is_absent && generation == row->changed_by ? STANDS_AS_MADE
                                                             : STANDS_CHANGED;
    if (now->length == row->before.length &&
        memcmp(now->data + stamp_bytes, row->before.data + stamp_bytes,
               now->length - stamp_bytes) == 0)
        return STANDS_AS_BEFORE;
    return generation == row->changed_by ? STANDS_AS_MADE : STANDS_CHANGED;
}

static bool malformed(struct error *error)
{
    return error_set(error, ERROR_TEMPORARY, "a record of table \"undo\" cannot be understood");
}

/* ---- rows of the domain ---- */

/* An alias that the refresh took from another name, as that one is called so now. */
static bool was_anothers(const struct undo_row *row)
{
    struct alias_record before;
    return row->table == UNDO_ALIAS && !row->was_absent &&
           alias_record_decode(row->before, &before) && before.owner.length != 0 &&
           !span_is_text(before.owner, row->name);
}

static bool look(const struct rollback_scene *scene, const struct rollback_name *name,
                 struct look *ret, struct error *error)
{
    struct snapshot *snapshot = scene->planning->snapshot;
    const char *own = name->rows[0].name;
    enum store_result person = snapshot_person(snapshot, own, &ret->person, error);
    enum store_result membership =
        snapshot_membership(snapshot, scene->domain, own, &ret->membership, error);
    enum store_result alias =
        snapshot_alias(snapshot, scene->domain, span_of(own), &ret->alias, error);
    if (person == STORE_TROUBLE || membership == STORE_TROUBLE || alias == STORE_TROUBLE)
        return false;
    ret->has_person = person == STORE_FOUND;
    ret->has_membership = membership == STORE_FOUND;
    ret->has_alias = alias == STORE_FOUND;
    ret->is_fresh = true;
    for (size_t i = 0; i < name->row_count; i++) {
        const struct undo_row *row = &name->rows[i];
        if (row->table == UNDO_PERSON)
            ret->undo_person = row;
        else if (row->table == UNDO_MEMBERSHIP)
            ret->undo_membership = row;
        if (row->table != UNDO_PERSON && !was_anothers(row))
            ret->is_fresh = ret->is_fresh && row->was_absent;
    }
    ret->is_fresh = ret->is_fresh && ret->undo_membership != NULL;
    return true;
}

static bool alias_standing(const struct rollback_scene *scene, const struct undo_row *row,
                           enum row_standing *ret, struct error *error)
{
    struct alias_record alias = {0};
    struct buffer now = {0};
    enum store_result result = snapshot_alias(scene->planning->snapshot, scene->domain,
                                              span_of(row->local), &alias, error);
    if (result == STORE_FOUND)
        alias_record_encode(&now, &alias);
    *ret = standing_of(row, alias.stamp.generation, &now);
    buffer_finish(&now);
    return result != STORE_TROUBLE;
}

/* What an operator says of a membership is what it was. */
static bool is_said_the_same(const struct membership_record *now, const struct undo_row *row)
{
    struct membership_record before = {.extension = EXTENSION_APPEND,
                                       .date_created_us = now->date_created_us};
    if (!row->was_absent && !membership_record_decode(row->before, &before))
        return false;
    return now->extension == before.extension && now->is_name_allowed == before.is_name_allowed &&
           now->date_created_us == before.date_created_us && span_is(now->extras, before.extras);
}

static enum row_standing membership_standing(const struct look *look)
{
    struct buffer now = {0};
    if (look->has_membership)
        membership_record_encode(&now, &look->membership);
    enum row_standing standing =
        standing_of(look->undo_membership, look->membership.stamp.generation, &now);
    buffer_finish(&now);
    if (standing == STANDS_CHANGED && look->has_membership &&
        is_said_the_same(&look->membership, look->undo_membership))
        return STANDS_AS_MADE;
    return standing;
}

static bool has_undo_of(const struct rollback_name *name, const char *local)
{
    for (size_t i = 0; i < name->row_count; i++)
        if (name->rows[i].table == UNDO_ALIAS && strcmp(name->rows[i].local, local) == 0)
            return true;
    return false;
}

/* An alias that the refresh left alone must have been left alone since. */
static bool check_untouched(const struct rollback_scene *scene, const struct rollback_name *name,
                            const char *local, bool *is_changed, struct error *error)
{
    struct alias_record alias;
    if (has_undo_of(name, local))
        return true;
    enum store_result result =
        snapshot_alias(scene->planning->snapshot, scene->domain, span_of(local), &alias, error);
    if (result == STORE_FOUND && span_is(alias.owner, span_of(name->rows[0].name)) &&
        alias.stamp.generation >= scene->generation)
        *is_changed = true;
    return result != STORE_TROUBLE;
}

static bool check_other_aliases(const struct rollback_scene *scene,
                                const struct rollback_name *name, const struct look *look,
                                bool *is_changed, struct error *error)
{
    CLEANUP(memory_free_at)
    char *extras = memory_copy_bytes(look->membership.extras.data, look->membership.extras.length);
    char *rest = NULL;
    if (!check_untouched(scene, name, name->rows[0].name, is_changed, error))
        return false;
    for (char *local = extras != NULL ? strtok_r(extras, "\n", &rest) : NULL; local != NULL;
         local = strtok_r(NULL, "\n", &rest))
        if (!check_untouched(scene, name, local, is_changed, error))
            return false;
    return true;
}

/* How all rows of the name in the domain stand: AS_BEFORE all, CHANGED one at least. */
static bool domain_standing(const struct rollback_scene *scene, const struct rollback_name *name,
                            const struct look *look, enum row_standing *ret, struct error *error)
{
    bool is_changed = false;
    bool is_due = false;
    for (size_t i = 0; i < name->row_count; i++) {
        enum row_standing standing = STANDS_AS_BEFORE;
        if (name->rows[i].table == UNDO_ALIAS &&
            !alias_standing(scene, &name->rows[i], &standing, error))
            return false;
        if (name->rows[i].table == UNDO_MEMBERSHIP)
            standing = membership_standing(look);
        is_changed = is_changed || standing == STANDS_CHANGED;
        is_due = is_due || standing == STANDS_AS_MADE;
    }
    if (look->undo_membership == NULL && look->membership.stamp.generation >= scene->generation)
        is_changed = true;
    if (!check_other_aliases(scene, name, look, &is_changed, error))
        return false;
    *ret = is_changed ? STANDS_CHANGED : is_due ? STANDS_AS_MADE : STANDS_AS_BEFORE;
    return true;
}

/* ---- the person ---- */

/* Some other domain's rows of the name: any at all, or of the refresh or later. */
struct elsewhere {
    bool is_known;
    bool is_newer;
};

static bool look_elsewhere(const struct rollback_scene *scene, const char *name,
                           struct elsewhere *ret, struct error *error)
{
    struct snapshot *snapshot = scene->planning->snapshot;
    *ret = (struct elsewhere){false, false};
    for (size_t i = 0; i < scene->domain_count; i++) {
        struct membership_record membership;
        struct alias_record alias;
        const char *domain = scene->domains[i];
        if (strcmp(domain, scene->domain) == 0)
            continue;
        enum store_result has_row = snapshot_membership(snapshot, domain, name, &membership, error);
        enum store_result has_alias =
            snapshot_alias(snapshot, domain, span_of(name), &alias, error);
        if (has_row == STORE_TROUBLE || has_alias == STORE_TROUBLE)
            return false;
        ret->is_known = ret->is_known || has_row == STORE_FOUND;
        ret->is_newer =
            ret->is_newer ||
            (has_row == STORE_FOUND && membership.stamp.generation >= scene->generation) ||
            (has_row == STORE_FOUND && has_alias == STORE_FOUND &&
             alias.stamp.generation >= scene->generation);
    }
    return true;
}

/* As opened: a rotation of the keys has sealed them anew. What does not open is not the same. */
static bool has_same_targets(const struct rollback_scene *scene, const char *name,
                             const struct person_record *a, const struct person_record *b)
{
    struct target_list targets_a, targets_b;
    struct error ignored;
    if (span_is(a->sealed_targets, b->sealed_targets))
        return true;
    bool is_same = target_list_open(scene->planning->ring, name, a, &targets_a, &ignored);
    is_same = target_list_open(scene->planning->ring, name, b, &targets_b, &ignored) && is_same &&
              target_list_equal(&targets_a, &targets_b);
    target_list_finish(&targets_a);
    target_list_finish(&targets_b);
    return is_same;
}

/* All that an alias follows from says the same. */
static bool is_same_to_aliases(const struct rollback_scene *scene, const char *name,
                               const struct person_record *a, const struct person_record *b)
{
    return a->date_created_us == b->date_created_us && a->is_banned == b->is_banned &&
           a->is_paused == b->is_paused && has_same_targets(scene, name, a, b);
}

static bool decide_person(const struct rollback_scene *scene, struct rollback_name *name,
                          const struct look *look, struct error *error)
{
    const struct undo_row *undo = look->undo_person;
    struct elsewhere elsewhere;
    name->person = ROLLBACK_PERSON_STAYS;
    if (undo == NULL || !look->has_person || look->person.stamp.generation != undo->changed_by)
        return true;
    if (!look_elsewhere(scene, name->rows[0].name, &elsewhere, error))
        return false;
    if (undo->was_absent && !elsewhere.is_known)
        name->person = ROLLBACK_PERSON_GOES;
    else if (!undo->was_absent && !elsewhere.is_newer)
        name->person = ROLLBACK_PERSON_RETURNS;
    return true;
}

/* Why rows that were there before must not go back; NULL: they may. False: undo is damaged. */
static bool check_person(const struct rollback_scene *scene, const struct rollback_name *name,
                         const struct look *look, const char **ret, struct error *error)
{
    struct person_record before = look->person;
    *ret = NULL;
    if (!look->has_person)
        *ret = ERASED_SINCE;
    else if (look->undo_person == NULL && look->person.stamp.generation >= scene->generation)
        *ret = PERSON_SINCE;
    else if (look->undo_person != NULL && look->undo_person->was_absent)
        *ret = CHANGED_SINCE;
    if (*ret != NULL || name->person == ROLLBACK_PERSON_RETURNS || look->undo_person == NULL)
        return true;
    if (!person_record_decode(look->undo_person->before, &before))
        return malformed(error);
    if (!is_same_to_aliases(scene, name->rows[0].name, &before, &look->person))
        *ret =
            look->person.stamp.generation == look->undo_person->changed_by ? IN_USE : PERSON_SINCE;
    return true;
}

/* ---- the decision ---- */

static const struct undo_row *own_alias(const struct rollback_name *name)
{
    for (size_t i = 0; i < name->row_count; i++)
        if (name->rows[i].table == UNDO_ALIAS &&
            strcmp(name->rows[i].local, name->rows[i].name) == 0)
            return &name->rows[i];
    return NULL;
}

static bool note_states(struct rollback_name *name, const struct look *look, struct error *error)
{
    const struct undo_row *row = own_alias(name);
    struct alias_record then = look->alias;
    bool is_live = look->has_alias && alias_record_is_live(&look->alias);
    name->now = look->has_alias ? look->alias.state : 0;
    name->then = name->now;
    if (row == NULL)
        return true;
    if (!row->was_absent && !alias_record_decode(row->before, &then))
        return malformed(error);
    name->then = row->was_absent ? 0 : then.state;
    name->is_live_again = !is_live && !row->was_absent && alias_record_is_live(&then);
    return true;
}

bool rollback_name_decide(const struct rollback_scene *scene, struct rollback_name *name,
                          struct error *error)
{
    struct look seen = {0};
    enum row_standing standing;
    if (!look(scene, name, &seen, error) || !note_states(name, &seen, error) ||
        !domain_standing(scene, name, &seen, &standing, error))
        return false;
    name->skipped_because = standing == STANDS_CHANGED ? CHANGED_SINCE : NULL;
    if (standing == STANDS_AS_MADE &&
        (!decide_person(scene, name, &seen, error) ||
         (!seen.is_fresh && !check_person(scene, name, &seen, &name->skipped_because, error))))
        return false;
    name->fate = standing == STANDS_AS_BEFORE    ? ROLLBACK_ALREADY
                 : name->skipped_because != NULL ? ROLLBACK_SKIPPED
                                                 : ROLLBACK_DUE;
    name->is_membership_removed =
        seen.has_membership && seen.undo_membership != NULL && seen.undo_membership->was_absent;
    return true;
}

/* ---- putting ---- */

static void tell_alias(const struct rollback_scene *scene, const char *local,
                       enum alias_state before, const struct alias_record *after)
{
    char act[32] = "alias.removed";
    char detail[64];
    if (after != NULL && after->state == before)
        return;
    if (after != NULL)
        snprintf(act, sizeof(act), "alias.%s", alias_state_name(after->state));
    snprintf(detail, sizeof(detail), "as before generation %" PRIu64, scene->generation);
    action_event(scene->planning, act, scene->domain, local, detail);
}

static bool put_alias(const struct rollback_scene *scene, const struct undo_row *row,
                      struct error *error)
{
    struct alias_record now, before;
    enum row_standing standing;
    struct changeset *changeset = scene->planning->changeset;
    enum store_result result =
        snapshot_alias(scene->planning->snapshot, scene->domain, span_of(row->local), &now, error);
    if (result == STORE_TROUBLE || !alias_standing(scene, row, &standing, error))
        return false;
    if (standing == STANDS_AS_BEFORE)
        return true;
    if (row->was_absent) {
        changeset_delete_alias(changeset, scene->domain, row->local);
        tell_alias(scene, row->local, now.state, NULL);
        return true;
    }
    if (!alias_record_decode(row->before, &before))
        return malformed(error);
    changeset_put_alias(changeset, scene->domain, row->local, &before);
    tell_alias(scene, row->local, result == STORE_FOUND ? now.state : 0, &before);
    return true;
}

static bool put_membership(const struct rollback_scene *scene, const struct undo_row *row,
                           struct error *error)
{
    struct membership_record before;
    if (row->was_absent) {
        changeset_delete_membership(scene->planning->changeset, scene->domain, row->name);
        return true;
    }
    if (!membership_record_decode(row->before, &before))
        return malformed(error);
    changeset_put_membership(scene->planning->changeset, scene->domain, row->name, &before);
    return true;
}

/* The login that the person has now goes, unless it is the same that comes back. */
static bool drop_login(const struct rollback_scene *scene, const char *name,
                       const struct person_record *now, struct span kept, struct error *error)
{
    struct login_record login;
    if (now->login_identifier.length == 0 || span_is(now->login_identifier, kept))
        return true;
    CLEANUP(memory_free_at)
    char *identifier = memory_copy_bytes(now->login_identifier.data, now->login_identifier.length);
    enum store_result result = snapshot_login(scene->planning->snapshot, identifier, &login, error);
    if (result == STORE_FOUND && span_is(login.name, span_of(name)))
        changeset_delete_login(scene->planning->changeset, identifier);
    return result != STORE_TROUBLE;
}

static bool put_person(const struct rollback_scene *scene, const struct rollback_name *name,
                       const struct undo_row *row, struct error *error)
{
    struct person_record now, before = {0};
    struct snapshot *snapshot = scene->planning->snapshot;
    if (name->person == ROLLBACK_PERSON_STAYS)
        return true;
    if (snapshot_person(snapshot, row->name, &now, error) != STORE_FOUND)
        return false;
    if (name->person == ROLLBACK_PERSON_RETURNS && !person_record_decode(row->before, &before))
        return malformed(error);
    if (!drop_login(scene, row->name, &now, before.login_identifier, error))
        return false;
    if (name->person == ROLLBACK_PERSON_RETURNS)
        changeset_put_person(scene->planning->changeset, row->name, &before);
    else
        changeset_delete_person(scene->planning->changeset, row->name);
    return true;
}

bool rollback_name_put(const struct rollback_scene *scene, const struct rollback_name *name,
                       struct error *error)
{
    bool is_fine = true;
    changeset_begin_group(scene->planning->changeset, name->is_live_again);
    for (size_t i = 0; i < name->row_count && is_fine; i++) {
        const struct undo_row *row = &name->rows[i];
        switch (row->table) {
        case UNDO_ALIAS:
            is_fine = put_alias(scene, row, error);
            break;
        case UNDO_MEMBERSHIP:
            is_fine = put_membership(scene, row, error);
            break;
        case UNDO_PERSON:
            is_fine = put_person(scene, name, row, error);
            break;
        }
    }
    return is_fine;
}
