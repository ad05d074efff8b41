#include "action/target.h"

#include <stdlib.h>
#include <string.h>

#include "action/key.h"
#include "action/person.h"
#include "action/update.h"
#include "address/address.h"
#include "base/memory.h"
#include "membership/target_check.h"
#include "membership/target_list.h"

static bool has_line(const struct buffer *lines, struct span wanted)
{
    for (size_t at = 0; at < lines->length;) {
        const char *line = lines->data + at;
        const char *end = memchr(line, '\n', lines->length - at);
        size_t length = end != NULL ? (size_t)(end - line) : lines->length - at;
        if (length == wanted.length && memcmp(line, wanted.data, length) == 0)
            return true;
        at += length + 1;
    }
    return false;
}

bool target_check_all(const struct action *action, const char *const *targets, size_t count,
                      bool is_member, struct buffer *ret_lines, struct error *error)
{
    struct buffer canonical = {0};
    size_t kept = 0;
    bool is_fine = count != 0 || error_set(error, ERROR_INVALID, "no target is given");
    for (size_t i = 0; i < count && is_fine; i++) {
        buffer_clear(&canonical);
        const char *wrong = address_check_target(targets[i], strlen(targets[i]), &canonical);
        if (wrong != NULL)
            is_fine = error_set(error, ERROR_INVALID, "target %zu: %s", i + 1, wrong);
        else if (is_member && target_check_is_configured(action->house, buffer_text(&canonical)))
            is_fine = error_set(error, ERROR_INVALID,
                                "target %zu lies in a domain of ours, which could loop", i + 1);
        if (!is_fine || has_line(ret_lines, (struct span){canonical.data, canonical.length}))
            continue;
        if (is_member && ++kept > TARGET_MAX_COUNT)
            is_fine = error_set(error, ERROR_INVALID, "more than %d targets", TARGET_MAX_COUNT);
        if (ret_lines->length != 0)
            buffer_append_char(ret_lines, '\n');
        buffer_append(ret_lines, canonical.data, canonical.length);
    }
    buffer_finish(&canonical);
    return is_fine;
}

/* Replaces the operator's targets by lines. */
static void set_operator_targets(struct target_list *list, struct span lines)
{
    CLEANUP(memory_free_at) char *text = memory_copy_bytes(lines.data, lines.length);
    char *rest = NULL;
    target_list_clear_source(list, TARGET_SOURCE_OPERATOR);
    for (char *line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest))
        target_list_add(list, TARGET_SOURCE_OPERATOR, true, line);
}

bool target_plan_person(const struct planning *planning, const char *name, struct span lines,
                        struct error *error)
{
    struct person_record person;
    struct target_list before, after;
    enum store_result result = snapshot_person(planning->snapshot, name, &person, error);
    if (result == STORE_TROUBLE)
        return false;
    if (result == STORE_ABSENT)
        return error_set(error, ERROR_INVALID,
                         "no person of the name %s is known; a refresh brings members", name);
    /* What does not open is replaced: an operator mends it just so. */
    struct error unopened;
    if (!target_list_open(planning->ring, name, &person, &before, &unopened)) {
        target_list_finish(&before);
        if (!key_check_ring(planning->snapshot, planning->ring, person.sealed_targets, error))
            return false;
    }
    if (!target_list_open(planning->ring, name, &person, &after, &unopened))
        target_list_finish(&after);
    set_operator_targets(&after, lines);
    bool is_fine = true;
    if (!target_list_equal(&before, &after) ||
        (after.count == 0 && person.sealed_targets.length != 0)) {
        struct buffer sealed = {0};
        target_list_seal(&after, planning->ring, name, &sealed, &person);
        changeset_begin_group(planning->changeset, false);
        action_event(planning, lines.length != 0 ? "target.set" : "target.clear", "", name, "");
        is_fine = projection_plan_person(planning, name, &person, error);
        buffer_finish(&sealed);
    }
    target_list_finish(&before);
    target_list_finish(&after);
    return is_fine;
}

/* As target_check_all, for domains that stand in the cache and not in the configuration. */
static bool check_served(struct snapshot *snapshot, struct span lines, struct error *error)
{
    CLEANUP(memory_free_at) char *text = memory_copy_bytes(lines.data, lines.length);
    char *rest = NULL;
    size_t place = 0;
    for (char *line = strtok_r(text, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        bool is_served;
        place++;
        if (!target_check_is_served(snapshot, line, &is_served, error))
            return false;
        if (is_served)
            return error_set(error, ERROR_INVALID,
                             "target %zu lies in a domain that the cache still serves", place);
    }
    return true;
}

/* ---- the person's own ---- */

static bool check_own(const struct planning *planning, const char *address, struct buffer *lines,
                      struct error *error)
{
    bool is_served;
    const char *wrong = address_check_target(address, strlen(address), lines);
    if (wrong != NULL)
        return error_set(error, ERROR_INVALID, "the address: %s", wrong);
    if (!target_check_is_served(planning->snapshot, buffer_text(lines), &is_served, error))
        return false;
    return (!is_served && !target_check_is_configured(planning->house, buffer_text(lines))) ||
           error_set(error, ERROR_INVALID,
                     "the address lies in a domain of ours, which could loop");
}

/* What of the list is the person's own; the address itself as *ret_entry, if it is there. */
static size_t count_own(const struct target_list *list, const char *address,
                        const struct target_entry **ret_entry)
{
    size_t count = 0;
    *ret_entry = NULL;
    for (size_t i = 0; i < list->count; i++) {
        if (list->entries[i].source != TARGET_SOURCE_PERSON)
            continue;
        count++;
        if (strcmp(list->entries[i].address, address) == 0)
            *ret_entry = &list->entries[i];
    }
    return count;
}

static bool change_own(struct target_list *list, const char *address, enum target_step step,
                       bool *ret_is_changed, struct error *error)
{
    const struct target_entry *entry;
    size_t count = count_own(list, address, &entry);
    bool is_proven = entry != NULL && entry->is_proven;
    *ret_is_changed = false;
    if (step == TARGET_DROP && entry == NULL)
        return error_set(error, ERROR_INVALID, "the address is none of the person's own");
    if (step == TARGET_DROP) {
        target_list_remove(list, TARGET_SOURCE_PERSON, address);
        *ret_is_changed = true;
        return true;
    }
    if (entry == NULL && count >= TARGET_MAX_COUNT)
        return error_set(error, ERROR_INVALID, "more than %d addresses", TARGET_MAX_COUNT);
    if (step == TARGET_CHECK)
        return !is_proven || error_set(error, ERROR_INVALID, "the address is in use already");
    target_list_add(list, TARGET_SOURCE_PERSON, true, address);
    *ret_is_changed = !is_proven;
    return true;
}

bool target_plan_own(const struct planning *planning, const char *name, const char *address,
                     enum target_step step, struct error *error)
{
    struct person_record person;
    CLEANUP(buffer_finish) struct buffer canonical = {0}, sealed = {0};
    CLEANUP(target_list_finish) struct target_list list = {0};
    bool is_changed;
    if (!person_find(planning, name, &person, error) ||
        (step != TARGET_DROP && !check_own(planning, address, &canonical, error)) ||
        !target_list_open(planning->ring, name, &person, &list, error))
        return false;
    if (step == TARGET_DROP)
        buffer_append_text(&canonical, address);
    if (!change_own(&list, buffer_text(&canonical), step, &is_changed, error))
        return false;
    if (!is_changed)
        return true;
    target_list_seal(&list, planning->ring, name, &sealed, &person);
    changeset_begin_group(planning->changeset, false);
    action_event(planning, step == TARGET_DROP ? "target.drop" : "target.add", "", name, "");
    return projection_plan_person(planning, name, &person, error);
}

/* ---- the operator's ---- */

struct target_request {
    const char *name;
    struct span lines;
};

static bool plan_target(void *context, const struct planning *planning, struct error *error)
{
    const struct target_request *request = context;
    return check_served(planning->snapshot, request->lines, error) &&
           target_plan_person(planning, request->name, request->lines, error);
}

bool action_target_set(const struct action *action, const char *name, const char *const *targets,
                       size_t count, struct store_update_result *ret, struct error *error)
{
    struct buffer lines = {0};
    bool is_done = target_check_all(action, targets, count, true, &lines, error);
    if (is_done) {
        struct target_request request = {name, {lines.data, lines.length}};
        is_done = action_update(action, plan_target, &request, ret, error);
    }
    buffer_finish(&lines);
    return is_done;
}

bool action_target_clear(const struct action *action, const char *name,
                         struct store_update_result *ret, struct error *error)
{
    struct target_request request = {name, {"", 0}};
    return action_update(action, plan_target, &request, ret, error);
}
