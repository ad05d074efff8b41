#include "action/alias_remove.h"

#include <string.h>

#include "action/alias_row.h"
#include "action/person.h"
#include "action/update.h"
#include "base/memory.h"

void alias_put_tombstone(const struct planning *planning, const char *domain, const char *local,
                         const struct alias_record *before, const char *owner)
{
    const struct alias_record tombstone = {
        .kind = before->kind,
        .state = ALIAS_GONE,
        .reason = REASON_REMOVED,
        .extension = before->extension,
        .since_s = before->state == ALIAS_GONE ? before->since_s : planning->now_s,
        .owner = span_of(owner),
    };
    changeset_put_alias(planning->changeset, domain, local, &tombstone);
}

/* The list of extras without one of them; lines is to be finished by the caller. */
static void drop_line(struct span extras, const char *local, struct buffer *lines)
{
    CLEANUP(memory_free_at) char *text = memory_copy_bytes(extras.data, extras.length);
    char *rest = NULL;
    for (char *line = text != NULL ? strtok_r(text, "\n", &rest) : NULL; line != NULL;
         line = strtok_r(NULL, "\n", &rest))
        if (strcmp(line, local) != 0)
            buffer_appendf(lines, "%s%s", lines->length == 0 ? "" : "\n", line);
}

/* The owner has it no more; what the rules say of the others may change with it. */
static bool take_from_owner(const struct planning *planning, const struct alias_request *request,
                            const char *owner, struct error *error)
{
    struct membership_record membership;
    struct person_record person;
    struct projection_result result;
    CLEANUP(buffer_finish) struct buffer lines = {0};
    enum store_result has_row =
        snapshot_membership(planning->snapshot, request->domain, owner, &membership, error);
    if (has_row != STORE_FOUND)
        return has_row == STORE_ABSENT;
    if (!person_find(planning, owner, &person, error))
        return false;
    drop_line(membership.extras, request->local, &lines);
    membership.extras = (struct span){lines.data, lines.length};
    return projection_plan_membership(planning, request->domain, owner, &person, &membership, NULL,
                                      &result, error);
}

static bool plan_removal(void *context, const struct planning *planning, struct error *error)
{
    const struct alias_request *request = context;
    struct alias_record row;
    if (!alias_find(planning, request, &row, error))
        return false;
    if (row.kind == ALIAS_MEMBER)
        return error_set(error, ERROR_INVALID,
                         "the alias is a member's own; pause or ban the person instead");
    changeset_begin_group(planning->changeset, false);
    if (alias_is_reservation(&row)) {
        changeset_delete_alias(planning->changeset, request->domain, request->local);
        action_event(planning, "alias.unreserve", request->domain, request->local, "");
        return true;
    }
    if (row.state == ALIAS_GONE)
        return true;
    CLEANUP(memory_free_at) char *owner = memory_copy_bytes(row.owner.data, row.owner.length);
    if (row.kind == ALIAS_EXTRA && !take_from_owner(planning, request, owner, error))
        return false;
    alias_put_tombstone(planning, request->domain, request->local, &row,
                        owner != NULL ? owner : "");
    action_event(planning, "alias.remove", request->domain, request->local, "");
    return true;
}

bool action_alias_remove(const struct action *action, const char *domain, const char *local,
                         struct store_update_result *ret, struct error *error)
{
    struct alias_request request = {domain, local};
    return action_update(action, plan_removal, &request, ret, error);
}
