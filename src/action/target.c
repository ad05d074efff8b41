#include "action/target.h"

#include <stdlib.h>
#include <string.h>

#include "address/address.h"
#include "base/memory.h"
#include "membership/projection.h"

static bool is_ours(const struct action *action, const char *domain)
{
    for (size_t i = 0; i < action->domain_count; i++)
        if (strcmp(action->domains[i], domain) == 0)
            return true;
    return false;
}

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
        else if (is_member && is_ours(action, strrchr(buffer_text(&canonical), '@') + 1))
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

/* The domains in which a person has a membership row. */
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

static bool plan_alias_in(const struct action *action, const char *domain, const char *name,
                          const struct person_record *person, struct snapshot *snapshot,
                          struct changeset *changeset, struct error *error)
{
    struct membership_record membership;
    struct alias_record alias;
    enum store_result has_row = snapshot_membership(snapshot, domain, name, &membership, error);
    enum store_result has_alias = snapshot_alias(snapshot, domain, span_of(name), &alias, error);
    if (has_row == STORE_TROUBLE || has_alias == STORE_TROUBLE)
        return false;
    if (has_row == STORE_ABSENT)
        return true;
    bool collides;
    if (!projection_collides(snapshot, domain, name, action->recipient_delimiter, NULL, &collides,
                             error))
        return false;
    struct projection_change change = {
        .facts = {domain, name, person, &membership, has_alias == STORE_FOUND ? &alias : NULL,
                  collides},
        .membership_before = &membership,
    };
    return projection_plan(&change, action->ring, action->actor, action->now_s, changeset, error);
}

static bool plan_aliases(const struct action *action, const char *name,
                         const struct person_record *person, struct snapshot *snapshot,
                         struct changeset *changeset, struct error *error)
{
    struct domain_names domains = {0};
    bool is_fine = snapshot_each_domain(snapshot, add_domain, &domains, error);
    for (size_t i = 0; i < domains.count; i++) {
        is_fine = is_fine &&
                  plan_alias_in(action, domains.names[i], name, person, snapshot, changeset, error);
        free(domains.names[i]);
    }
    free(domains.names);
    return is_fine;
}

/* What the person has now is just what is to be. */
static bool is_unchanged(const struct action *action, const char *name,
                         const struct person_record *person, struct span lines)
{
    if (lines.length == 0 || person->sealed_targets.length == 0)
        return lines.length == person->sealed_targets.length;
    struct buffer plain = {0};
    bool is_same =
        person->target_source == TARGET_SOURCE_OPERATOR &&
        keyring_unseal_person(action->ring, name, person->sealed_targets, &plain) == UNSEAL_DONE &&
        plain.length == lines.length && memcmp(plain.data, lines.data, lines.length) == 0;
    buffer_finish(&plain);
    return is_same;
}

bool target_plan_person(const struct action *action, const char *name, struct span lines,
                        struct snapshot *snapshot, struct changeset *changeset, struct error *error)
{
    struct person_record person;
    enum store_result result = snapshot_person(snapshot, name, &person, error);
    if (result == STORE_TROUBLE)
        return false;
    if (result == STORE_ABSENT)
        return error_set(error, ERROR_INVALID,
                         "no person of the name %s is known; a refresh brings members", name);
    if (is_unchanged(action, name, &person, lines))
        return true;
    struct buffer sealed = {0};
    if (lines.length != 0)
        keyring_seal_person(action->ring, name, lines, &sealed);
    person.sealed_targets = (struct span){sealed.data, sealed.length};
    person.target_source = lines.length != 0 ? TARGET_SOURCE_OPERATOR : TARGET_SOURCE_NONE;
    changeset_begin_group(changeset, false);
    changeset_put_person(changeset, name, &person);
    struct event_record event = {
        .at_s = action->now_s,
        .actor = span_of(action->actor),
        .act = span_of(lines.length != 0 ? "target.set" : "target.clear"),
        .subject = span_of(name),
    };
    changeset_event(changeset, &event);
    bool is_fine = plan_aliases(action, name, &person, snapshot, changeset, error);
    buffer_finish(&sealed);
    return is_fine;
}

bool target_check_served(struct snapshot *snapshot, struct span lines, struct error *error)
{
    CLEANUP(memory_free_at) char *text = memory_copy_bytes(lines.data, lines.length);
    char *rest = NULL;
    size_t place = 0;
    for (char *line = strtok_r(text, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        struct domain_record domain;
        place++;
        switch (snapshot_domain(snapshot, strrchr(line, '@') + 1, &domain, error)) {
        case STORE_ABSENT:
            break;
        case STORE_FOUND:
            return error_set(error, ERROR_INVALID,
                             "target %zu lies in a domain that the cache still serves", place);
        case STORE_TROUBLE:
            return false;
        }
    }
    return true;
}

struct target_request {
    const struct action *action;
    const char *name;
    struct span lines;
};

static bool plan_target(void *context, struct snapshot *snapshot, struct changeset *changeset,
                        struct error *error)
{
    const struct target_request *request = context;
    return target_check_served(snapshot, request->lines, error) &&
           target_plan_person(request->action, request->name, request->lines, snapshot, changeset,
                              error);
}

bool action_target_set(const struct action *action, const char *name, const char *const *targets,
                       size_t count, struct store_update_result *ret, struct error *error)
{
    struct buffer lines = {0};
    bool is_done = target_check_all(action, targets, count, true, &lines, error);
    if (is_done) {
        struct target_request request = {action, name, {lines.data, lines.length}};
        is_done = store_update(action->store, plan_target, &request, ret, error);
    }
    buffer_finish(&lines);
    return is_done;
}

bool action_target_clear(const struct action *action, const char *name,
                         struct store_update_result *ret, struct error *error)
{
    struct target_request request = {action, name, {"", 0}};
    return store_update(action->store, plan_target, &request, ret, error);
}
