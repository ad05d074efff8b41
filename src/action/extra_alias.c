#include "action/extra_alias.h"

#include "action/alias_row.h"
#include "action/person.h"
#include "action/update.h"

/* What stands at the address; *ret_is_done: it is just what is wanted. */
static bool check_row(const struct planning *planning, const struct extra_alias *alias,
                      bool *ret_is_done, struct error *error)
{
    struct alias_record row;
    *ret_is_done = false;
    enum store_result result =
        snapshot_alias(planning->snapshot, alias->domain, span_of(alias->local), &row, error);
    if (result != STORE_FOUND)
        return result == STORE_ABSENT;
    if (row.kind == ALIAS_EXTRA && span_is_text(row.owner, alias->name)) {
        *ret_is_done = row.state != ALIAS_GONE && row.extension == alias->extension;
        return row.state == ALIAS_GONE || *ret_is_done ||
               error_set(error, ERROR_INVALID,
                         "it is there already, with another extension policy");
    }
    if (alias_is_reservation(&row))
        return error_set(error, ERROR_INVALID, "it was reserved by hand: alias remove lifts that");
    if (row.kind == ALIAS_STATIC || row.owner.length == 0)
        return error_set(error, ERROR_INVALID,
                         "it is or was a static alias, or an erased person's");
    return error_set(error, ERROR_INVALID, "it is or was an alias of %.*s", (int)row.owner.length,
                     row.owner.data);
}

static bool check_is_no_member(const struct planning *planning, const struct extra_alias *alias,
                               struct error *error)
{
    struct membership_record membership;
    enum store_result result =
        snapshot_membership(planning->snapshot, alias->domain, alias->local, &membership, error);
    return result == STORE_ABSENT ||
           (result == STORE_FOUND &&
            error_set(error, ERROR_INVALID, "it is the name of somebody who is or was a member"));
}

static bool check_address(const struct planning *planning, const struct extra_alias *alias,
                          struct error *error)
{
    const struct alias_request request = {alias->domain, alias->local};
    if (!check_is_no_member(planning, alias, error) || !alias_check_name(planning, &request, error))
        return false;
    return alias->may_be_reserved ||
           !house_is_reserved(house_find(planning->house, alias->domain), alias->local) ||
           error_set(error, ERROR_INVALID, "it is a reserved name");
}

static size_t count_lines(struct span lines)
{
    size_t count = lines.length != 0;
    for (size_t i = 0; i < lines.length; i++)
        count += lines.data[i] == '\n';
    return count;
}

/* Whose it is to be must be somebody it can go to. */
static bool check_owner(const struct planning *planning, const struct extra_alias *alias,
                        const struct person_record *person, struct membership_record *ret,
                        struct error *error)
{
    enum store_result result =
        snapshot_membership(planning->snapshot, alias->domain, alias->name, ret, error);
    if (result == STORE_TROUBLE)
        return false;
    if (result == STORE_ABSENT || ret->date_created_us != person->date_created_us ||
        (!ret->is_member && !ret->is_admin))
        return error_set(error, ERROR_INVALID, "%s is no member of %s", alias->name, alias->domain);
    return count_lines(ret->extras) < MEMBERSHIP_MAX_EXTRAS ||
           error_set(error, ERROR_INVALID, "%s has %d extra aliases in %s already", alias->name,
                     MEMBERSHIP_MAX_EXTRAS, alias->domain);
}

static bool plan_extra(const struct planning *planning, const struct extra_alias *alias,
                       const struct person_record *person, struct error *error)
{
    struct membership_record membership;
    struct projection_result result;
    CLEANUP(buffer_finish) struct buffer extras = {0};
    CLEANUP(buffer_finish) struct buffer detail = {0};
    if (!check_owner(planning, alias, person, &membership, error))
        return false;
    buffer_append(&extras, membership.extras.data, membership.extras.length);
    buffer_appendf(&extras, "%s%s", extras.length != 0 ? "\n" : "", alias->local);
    membership.extras = (struct span){extras.data, extras.length};
    buffer_appendf(&detail, "for %s", alias->name);
    changeset_begin_group(planning->changeset, false);
    action_event(planning, "alias.add", alias->domain, alias->local, buffer_text(&detail));
    return projection_plan_extra(planning, alias->domain, alias->name, person, &membership,
                                 alias->local, alias->extension, &result, error);
}

static bool plan_addition(void *context, const struct planning *planning, struct error *error)
{
    const struct extra_alias *alias = context;
    struct person_record person;
    bool is_done;
    if (house_find(planning->house, alias->domain) == NULL)
        return error_set(error, ERROR_INVALID, "%s is not in the configuration", alias->domain);
    if (!person_find(planning, alias->name, &person, error) ||
        !check_row(planning, alias, &is_done, error))
        return false;
    return is_done ||
           (check_address(planning, alias, error) && plan_extra(planning, alias, &person, error));
}

bool action_add_extra_alias(const struct action *action, const struct extra_alias *alias,
                            struct store_update_result *ret, struct error *error)
{
    struct extra_alias request = *alias;
    return action_update(action, plan_addition, &request, ret, error);
}
