#include "action/import.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "action/alias_row.h"
#include "action/import_resolve.h"
#include "action/static_alias.h"
#include "action/target.h"
#include "action/update.h"
#include "address/address.h"
#include "address/role.h"
#include "base/memory.h"
#include "membership/loop.h"

/* The static aliases that the rows so far are to make. */
struct planned_list {
    struct loop_alias *aliases;
    size_t count, capacity;
};

struct import {
    const struct action *action;
    const struct planning *planning;
    struct import_request *request;
    struct snapshot *snapshot;   /* of planning */
    struct changeset *changeset; /* of planning */
    size_t *by_address; /* rows in the order of their folded local part, then of their line */
    struct address *addresses;
    bool *has_domain_row; /* per configured domain: its row is there or was just put */
    /* The last row that gave a person targets; they belong to the person, in all domains. */
    const struct import_row *matched;
    const struct address *matched_address;
    struct buffer matched_lines;
    struct planned_list planned;
};

static bool refuse(struct import_row *row, const char *format, ...) PRINTF_LIKE(2, 3);

static bool refuse(struct import_row *row, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    row->fate = IMPORT_REFUSED;
    vsnprintf(row->reason, sizeof(row->reason), format, args);
    va_end(args);
    return false;
}

/* Index of the domain among ours, or domain_count. */
static size_t find_domain(const struct action *action, const char *domain)
{
    size_t i = 0;
    while (i < action->house->domain_count && strcmp(action->house->domains[i].name, domain) != 0)
        i++;
    return i;
}

/* What can be said of a row without the cache; true if nothing speaks against it. */
static bool check_address(const struct import *import, struct import_row *row,
                          struct address *address)
{
    size_t length = strlen(row->address);
    if (length != 0 && row->address[0] == '@')
        return refuse(row, "a catch-all is set in the configuration: catch-all");
    if (address_parse(row->address, length, address) != ADDRESS_FULL ||
        !address_is_legal_local(address->local, address->local_length))
        return refuse(row, "not an address that Postfix asks for");
    if (find_domain(import->action, address->domain) == import->action->house->domain_count)
        return refuse(row, "its domain is not in the configuration");
    if (address_is_role(address->local, address->local_length))
        return refuse(row, "%s is a role address, set in the configuration: role", address->local);
    return true;
}

/* A domain that comes by import only has no listing, but must stand in the table to be ours. */
static void put_domain_row(struct import *import, size_t domain)
{
    if (import->has_domain_row[domain])
        return;
    import->has_domain_row[domain] = true;
    struct domain_record row = {.team = span_of(import->action->house->domains[domain].team)};
    changeset_begin_group(import->changeset, true);
    changeset_put_domain(import->changeset, import->action->house->domains[domain].name, &row);
}

/* The final targets of a row one by one, or a refusal of it. False: the cache cannot be read. */
static bool resolve_targets(struct import *import, struct import_row *row, struct buffer *lines,
                            struct error *error)
{
    const struct import_index index = {import->planning, import->request->rows, import->addresses,
                                       import->by_address, import->request->row_count};
    size_t place = 0;
    switch (import_resolve(&index, row, lines, &place, error)) {
    case IMPORT_RESOLVED:
        return true;
    case IMPORT_LEADS_NOWHERE:
        refuse(row, "target %zu lies in a domain of ours and leads nowhere", place);
        return true;
    case IMPORT_CIRCLE:
        refuse(row, "target %zu lies in a domain of ours and leads in a circle", place);
        return true;
    case IMPORT_UNREADABLE:
        break;
    }
    if (error->kind != ERROR_INVALID)
        return false;
    refuse(row, "target %zu lies in a domain of ours, and its targets do not open", place);
    return true;
}

/* The lines of a row's targets, or a refusal of it. False: the cache cannot be read. */
static bool check_member_targets(struct import *import, struct import_row *row,
                                 struct buffer *lines, struct error *error)
{
    struct error wrong;
    CLEANUP(buffer_finish) struct buffer resolved = {0};
    CLEANUP(memory_free_at) const char **targets = NULL;
    size_t count = 0, capacity = 0;
    char *rest = NULL;
    if (!resolve_targets(import, row, &resolved, error))
        return false;
    if (row->fate == IMPORT_REFUSED)
        return true;
    buffer_text(&resolved);
    for (char *line = strtok_r(resolved.data, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        targets = memory_grow(targets, count, &capacity, sizeof(*targets));
        targets[count++] = line;
    }
    if (!target_check_all(import->action, targets, count, true, lines, &wrong))
        refuse(row, "%s", wrong.text);
    return true;
}

static bool lines_are(const struct buffer *a, const struct buffer *b)
{
    return a->length == b->length && memcmp(a->data, b->data, a->length) == 0;
}

/* Rows of one person are neighbours; the first gives the targets, others must agree with it. */
static bool import_member(struct import *import, struct import_row *row,
                          const struct address *address, struct error *error)
{
    struct buffer lines = {0};
    bool is_repeat =
        import->matched != NULL && strcmp(import->matched_address->local, address->local) == 0;
    row->fate = IMPORT_MATCHED;
    bool is_fine = check_member_targets(import, row, &lines, error);
    if (is_fine && row->fate == IMPORT_MATCHED && is_repeat) {
        if (!lines_are(&lines, &import->matched_lines))
            refuse(row, "line %u gives the same person other targets, and they count",
                   import->matched->line);
    } else if (is_fine && row->fate == IMPORT_MATCHED) {
        is_fine = target_plan_person(import->planning, address->local,
                                     (struct span){lines.data, lines.length}, error);
        import->matched = row;
        import->matched_address = address;
        buffer_clear(&import->matched_lines);
        buffer_append(&import->matched_lines, lines.data, lines.length);
    }
    buffer_finish(&lines);
    return is_fine;
}

/* The static alias that stands there has just these targets. */
static bool is_same_static(const struct import *import, const struct address *address,
                           const struct alias_record *before, const struct buffer *lines)
{
    struct buffer plain = {0};
    struct span local = {address->local, address->local_length};
    bool is_same = keyring_unseal_alias(import->action->ring, address->domain, local,
                                        before->sealed_targets, &plain) == UNSEAL_DONE &&
                   plain.length == lines->length &&
                   memcmp(plain.data, lines->data, plain.length) == 0;
    buffer_finish(&plain);
    return is_same;
}

static void put_static(struct import *import, const struct address *address,
                       const struct alias_record *before, const struct buffer *lines)
{
    if (before != NULL && is_same_static(import, address, before, lines))
        return;
    struct buffer sealed = {0};
    keyring_seal_alias(import->action->ring, address->domain,
                       (struct span){address->local, address->local_length},
                       (struct span){lines->data, lines->length}, &sealed);
    bool is_there = before != NULL && before->state == ALIAS_ACTIVE;
    struct alias_record alias = {
        .kind = ALIAS_STATIC,
        .state = ALIAS_ACTIVE,
        .extension = is_there ? before->extension : EXTENSION_DROP,
        .since_s = is_there ? before->since_s : import->action->now_s,
        .sealed_targets = {sealed.data, sealed.length},
    };
    changeset_begin_group(import->changeset, before == NULL);
    changeset_put_alias(import->changeset, address->domain, address->local, &alias);
    action_event(import->planning, "alias.static", address->domain, address->local, "import");
    buffer_finish(&sealed);
}

static void plan_alias(struct import *import, const struct address *address,
                       const struct buffer *lines)
{
    struct planned_list *list = &import->planned;
    list->aliases =
        memory_grow(list->aliases, list->count, &list->capacity, sizeof(*list->aliases));
    list->aliases[list->count++] = (struct loop_alias){
        .domain = address->domain, /* borrowed from import->addresses */
        .local = address->local,
        .extension = EXTENSION_DROP,
        .targets = {memory_copy_bytes(lines->data, lines->length), lines->length},
    };
}

static void unplan_alias(struct planned_list *list)
{
    free((char *)list->aliases[--list->count].targets.data);
}

static void finish_planned(struct planned_list *list)
{
    while (list->count != 0)
        unplan_alias(list);
    free(list->aliases);
}

/* Refuses the row that closes a circle; rows before it count. False: the cache cannot be read. */
static bool check_ends(struct import *import, struct import_row *row, const struct address *address,
                       const struct buffer *lines, struct error *error)
{
    enum loop_end end;
    plan_alias(import, address, lines);
    const struct loop_scene scene = {import->snapshot, import->action->house, import->action->ring,
                                     import->planned.aliases, import->planned.count};
    if (!loop_follow(&scene, address->domain, address->local, &end, error))
        return false;
    if (end == LOOP_END_LOOP) {
        unplan_alias(&import->planned);
        refuse(row, "a target of it leads back: mail would go in circles");
    }
    return true;
}

static bool import_static(struct import *import, struct import_row *row,
                          const struct address *address, struct error *error)
{
    struct alias_record before;
    struct error wrong;
    enum store_result result =
        snapshot_alias(import->snapshot, address->domain,
                       (struct span){address->local, address->local_length}, &before, error);
    if (result == STORE_TROUBLE)
        return false;
    /* A member's name that is gone belongs to nobody; the operator's word may make it static. */
    if (result == STORE_FOUND && before.kind == ALIAS_MEMBER && before.state == ALIAS_GONE)
        result = STORE_ABSENT;
    if (result == STORE_FOUND && before.kind != ALIAS_STATIC) {
        refuse(row, "the address belongs to %s, who is or was a member", address->local);
        return true;
    }
    if (result == STORE_FOUND && alias_is_reservation(&before)) {
        refuse(row, "the address was reserved by hand");
        return true;
    }
    if (row->target_count > STATIC_TARGET_MAX_COUNT) {
        refuse(row, "more than %d targets", STATIC_TARGET_MAX_COUNT);
        return true;
    }
    CLEANUP(buffer_finish) struct buffer lines = {0};
    if (!target_check_all(import->action, (const char *const *)row->targets, row->target_count,
                          false, &lines, &wrong)) {
        refuse(row, "%s", wrong.text);
        return true;
    }
    row->fate = IMPORT_STATIC;
    if (!check_ends(import, row, address, &lines, error))
        return false;
    if (row->fate == IMPORT_STATIC) {
        put_domain_row(import, find_domain(import->action, address->domain));
        put_static(import, address, result == STORE_FOUND ? &before : NULL, &lines);
    }
    return true;
}

/* A static alias answers before any member's. */
static bool stands_static(struct import *import, const struct address *address, bool *ret,
                          struct error *error)
{
    struct alias_record alias;
    enum store_result result =
        snapshot_alias(import->snapshot, address->domain,
                       (struct span){address->local, address->local_length}, &alias, error);
    *ret = result == STORE_FOUND && alias.kind == ALIAS_STATIC;
    return result != STORE_TROUBLE;
}

static bool import_row(struct import *import, struct import_row *row, const struct address *address,
                       struct error *error)
{
    struct domain_record domain = {0};
    struct membership_record membership;
    enum store_result has_domain =
        snapshot_domain(import->snapshot, address->domain, &domain, error);
    if (has_domain == STORE_TROUBLE)
        return false;
    if (has_domain == STORE_FOUND)
        import->has_domain_row[find_domain(import->action, address->domain)] = true;
    if (import->request->is_all_static)
        return import_static(import, row, address, error);
    if (domain.filled_s == 0) {
        refuse(row, "no refresh has filled its domain, so its members are not known yet");
        return true;
    }
    enum store_result is_member =
        snapshot_membership(import->snapshot, address->domain, address->local, &membership, error);
    if (is_member == STORE_TROUBLE)
        return false;
    bool has_static;
    if (!stands_static(import, address, &has_static, error))
        return false;
    /* Who left without ever having been live has nothing that targets could go to. */
    if (is_member == STORE_FOUND && !has_static &&
        (membership.is_member || membership.live_since_s != 0))
        return import_member(import, row, address, error);
    return import_static(import, row, address, error);
}

/* ---- order: by local part, then as in the file, so that rows of one person are neighbours ---- */

struct sort_context {
    const struct address *addresses;
};

static int compare_rows(const void *a, const void *b, void *context)
{
    const struct address *addresses = ((struct sort_context *)context)->addresses;
    size_t left = *(const size_t *)a, right = *(const size_t *)b;
    int order = strcmp(addresses[left].local, addresses[right].local);
    return order != 0 ? order : (left > right) - (left < right);
}

/* The row before by_address[place] with the very same address, or NULL. */
static const struct import_row *find_same_address(const struct import *import, size_t place)
{
    const struct address *address = &import->addresses[import->by_address[place]];
    while (place-- > 0) {
        size_t earlier = import->by_address[place];
        if (strcmp(import->addresses[earlier].local, address->local) != 0)
            return NULL;
        if (strcmp(import->addresses[earlier].domain, address->domain) == 0)
            return &import->request->rows[earlier];
    }
    return NULL;
}

static bool import_rows(struct import *import, struct error *error)
{
    for (size_t i = 0; i < import->request->row_count; i++) {
        size_t index = import->by_address[i];
        struct import_row *row = &import->request->rows[index];
        if (row->fate == IMPORT_REFUSED)
            continue;
        const struct import_row *same = find_same_address(import, i);
        if (same != NULL)
            refuse(row, "the address stands in line %u already", same->line);
        else if (!import_row(import, row, &import->addresses[index], error))
            return false;
    }
    return true;
}

struct import_context {
    const struct action *action;
    struct import_request *request;
};

static bool plan_import(void *context, const struct planning *planning, struct error *error)
{
    const struct import_context *from = context;
    struct import_request *request = from->request;
    struct import import = {
        .action = from->action,
        .planning = planning,
        .request = request,
        .snapshot = planning->snapshot,
        .changeset = planning->changeset,
        .by_address = memory_new(request->row_count, sizeof(size_t)),
        .addresses = memory_new(request->row_count, sizeof(struct address)),
        .has_domain_row = memory_new(from->action->house->domain_count, sizeof(bool)),
    };
    for (size_t i = 0; i < request->row_count; i++) {
        struct import_row *row = &request->rows[i];
        row->fate = IMPORT_STATIC;
        row->reason[0] = '\0';
        import.by_address[i] = i;
        if (!check_address(&import, row, &import.addresses[i]))
            import.addresses[i].local[0] = import.addresses[i].domain[0] = '\0';
    }
    struct sort_context sort_context = {import.addresses};
    qsort_r(import.by_address, request->row_count, sizeof(size_t), compare_rows, &sort_context);
    bool is_fine = import_rows(&import, error);
    finish_planned(&import.planned);
    free(import.by_address);
    free(import.addresses);
    free(import.has_domain_row);
    buffer_finish(&import.matched_lines);
    return is_fine;
}

bool action_import(const struct action *action, struct import_request *request, bool is_dry,
                   struct store_update_result *ret, struct error *error)
{
    struct import_context context = {action, request};
    return is_dry ? action_preview(action, plan_import, &context, ret, error)
                  : action_update(action, plan_import, &context, ret, error);
}
