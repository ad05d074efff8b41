#include <stdlib.h>
#include <string.h>

#include "address/address.h"
#include "base/memory.h"
#include "membership/identity.h"
#include "membership/login_passage.h"
#include "membership/target_check.h"
#include "membership/target_list.h"

static bool is_newer(const struct login_passage *passage, const struct person_record *person)
{
    return person->stamp.generation > passage->request->asked_generation;
}

static bool read_pinned(struct login_passage *passage, struct error *error)
{
    CLEANUP(buffer_finish) struct buffer name = {0};
    enum store_result result = identity_of_login(
        passage->planning->snapshot, passage->request->identifier, &name, &passage->pinned, error);
    passage->has_pinned = result == STORE_FOUND;
    if (passage->has_pinned)
        passage->pinned_name = memory_copy_text(buffer_text(&name));
    return result != STORE_TROUBLE;
}

/* Somebody of that account under another name, who has not gone on under yet another one. */
struct namesake {
    const struct login_passage *passage;
    bool is_found, is_banned;
};

static bool visit_person(void *context, const char *name, const struct person_record *person)
{
    struct namesake *namesake = context;
    const struct login_request *request = namesake->passage->request;
    if (person->date_created_us != request->date_created_us || person->renamed_to.length != 0 ||
        strcmp(name, request->name) == 0)
        return true;
    namesake->is_found = true;
    namesake->is_banned = person->is_banned;
    return !person->is_banned;
}

/* The cache has no row of the account under this name, or one that has gone on. */
static bool is_new_name(const struct login_passage *passage)
{
    const struct person_record *before = &passage->before;
    return !passage->has_person || before->date_created_us != passage->request->date_created_us ||
           before->renamed_to.length != 0;
}

/* The identifier and the account are those of the pinned name, and the name is another one. */
static bool proves_rename(const struct login_passage *passage)
{
    return passage->has_pinned && strcmp(passage->pinned_name, passage->request->name) != 0 &&
           passage->pinned.date_created_us == passage->request->date_created_us &&
           passage->pinned.renamed_to.length == 0 &&
           (is_new_name(passage) || passage->before.sealed_targets.length == 0);
}

/*
 * What only listings tell: they show the old account under its new name at the same time, so that
 * it takes along what is its own before the name is another's; and the account under an old name,
 * which the login does not prove to have been the same.
 */
static bool look_for_others(struct login_passage *passage, struct error *error)
{
    struct namesake namesake = {passage, false, false};
    const struct person_record *before = &passage->before;
    bool is_of_another = passage->has_person && before->date_created_us != 0 &&
                         before->date_created_us != passage->request->date_created_us;
    passage->is_another_account = is_of_another && before->renamed_to.length != 0;
    passage->waits = is_of_another && before->renamed_to.length == 0;
    if (passage->is_rename || !is_new_name(passage))
        return true;
    if (!snapshot_each_person(passage->planning->snapshot, visit_person, &namesake, error))
        return false;
    passage->waits = passage->waits || namesake.is_found;
    passage->is_account_banned = passage->is_account_banned || namesake.is_banned;
    return true;
}

bool login_account_find(struct login_passage *passage, struct error *error)
{
    const struct login_request *request = passage->request;
    if (!read_pinned(passage, error))
        return false;
    passage->is_account_banned = passage->has_pinned && passage->pinned.is_banned;
    if (request->answer != LOGIN_ANSWER_ACCOUNT)
        return true;
    enum store_result result =
        snapshot_person(passage->planning->snapshot, request->name, &passage->before, error);
    if (result == STORE_TROUBLE)
        return false;
    passage->has_person = result == STORE_FOUND;
    if (!passage->has_person)
        passage->before = (struct person_record){0};
    const struct person_record *before = &passage->before;
    bool is_same = passage->has_person && before->date_created_us == request->date_created_us;
    if (before->is_banned && (is_same || before->date_created_us == 0))
        passage->is_account_banned = true;
    passage->is_rename = proves_rename(passage);
    passage->is_another_login = is_same && before->login_identifier.length != 0 &&
                                !span_is_text(before->login_identifier, request->identifier);
    passage->rename =
        (struct rename){request->date_created_us, (char *)request->name, passage->pinned_name};
    if (!look_for_others(passage, error))
        return false;
    if ((passage->is_rename && is_newer(passage, &passage->pinned)) ||
        ((passage->is_rename || passage->is_another_account || passage->is_another_login) &&
         is_newer(passage, before)))
        passage->waits = true;
    return true;
}

bool login_account_make(struct login_passage *passage, struct error *error)
{
    const struct login_request *request = passage->request;
    struct person_record *person = &passage->person;
    *person = passage->before;
    if (passage->is_another_login)
        *person = (struct person_record){0};
    /* The event and the login of a former account are login_account_put's. */
    enum identity identity = identity_see(person, request->date_created_us);
    if (passage->is_rename &&
        !rename_take_over(passage->planning, &passage->rename, &passage->pinned, person,
                          &passage->taken_over, error))
        return false;
    person->renamed_to = (struct span){"", 0};
    person->login_identifier = span_of(request->identifier);
    passage->is_changed = !passage->has_person || identity != IDENTITY_SAME || passage->is_rename ||
                          passage->is_another_login || passage->before.renamed_to.length != 0 ||
                          !span_is_text(passage->before.login_identifier, request->identifier);
    return true;
}

bool login_account_vouched(const struct login_passage *passage, struct buffer *out,
                           struct error *error)
{
    const char *address = passage->request->address;
    CLEANUP(buffer_finish) struct buffer canonical = {0};
    bool is_served;
    if (address == NULL || !passage->request->is_address_verified ||
        address_check_target(address, strlen(address), &canonical) != NULL ||
        target_check_is_configured(passage->planning->house, buffer_text(&canonical)))
        return true;
    if (!target_check_is_served(passage->planning->snapshot, buffer_text(&canonical), &is_served,
                                error))
        return false;
    if (!is_served)
        buffer_append(out, canonical.data, canonical.length);
    return true;
}

bool login_account_add_vouched(struct login_passage *passage, struct error *error)
{
    const struct planning *planning = passage->planning;
    const char *name = passage->request->name;
    CLEANUP(buffer_finish) struct buffer address = {0}, used = {0};
    CLEANUP(target_list_finish) struct target_list list = {0};
    if (!login_account_vouched(passage, &address, error) ||
        !target_list_open(planning->ring, name, &passage->person, &list, error))
        return false;
    if (address.length == 0 || target_list_used(&list, &used) != TARGET_SOURCE_NONE)
        return true;
    target_list_clear_source(&list, TARGET_SOURCE_PERSON); /* none of them is proven */
    target_list_add(&list, TARGET_SOURCE_PERSON, true, buffer_text(&address));
    target_list_seal(&list, planning->ring, name, &passage->vouched, &passage->person);
    passage->is_changed = true;
    const struct event_record event = {
        .at_s = planning->now_s,
        .actor = span_of(planning->actor),
        .act = span_of("target.add"),
        .subject = span_of(name),
        .detail = span_of("vouched for by the login"),
    };
    changeset_event(planning->changeset, &event);
    return true;
}

/* The row of the name that the identifier led to before. */
static void put_pinned(const struct login_passage *passage)
{
    struct person_record pinned = passage->pinned;
    pinned.login_identifier = (struct span){"", 0};
    if (passage->is_rename)
        pinned.renamed_to = span_of(passage->request->name);
    changeset_put_person(passage->planning->changeset, passage->pinned_name, &pinned);
}

static void put_login(const struct login_passage *passage)
{
    const struct planning *planning = passage->planning;
    const struct login_request *request = passage->request;
    const struct login_record login = {.name = span_of(request->name)};
    const struct event_record event = {
        .at_s = planning->now_s,
        .actor = span_of(planning->actor),
        .act = span_of("person.login"),
        .subject = span_of(request->name),
        .detail = span_of("its login is known from now on"),
    };
    changeset_put_login(planning->changeset, request->identifier, &login);
    changeset_event(planning->changeset, &event);
}

void login_account_pin_banned(const struct login_passage *passage)
{
    struct person_record person = passage->before;
    if (passage->has_pinned || !passage->has_person || person.login_identifier.length != 0 ||
        person.date_created_us != passage->request->date_created_us)
        return;
    person.login_identifier = span_of(passage->request->identifier);
    put_login(passage);
    changeset_put_person(passage->planning->changeset, passage->request->name, &person);
}

bool login_account_put(const struct login_passage *passage, struct error *error)
{
    const char *name = passage->request->name;
    bool has_moved = passage->has_pinned && strcmp(passage->pinned_name, name) != 0;
    if (!passage->is_changed)
        return true;
    if ((passage->is_another_account || passage->is_another_login) &&
        !identity_plan_another(passage->planning, name, &passage->before, error))
        return false;
    if (has_moved)
        put_pinned(passage);
    if (!passage->is_rename &&
        !span_is_text(passage->before.login_identifier, passage->request->identifier))
        put_login(passage);
    changeset_put_person(passage->planning->changeset, name, &passage->person);
    return true;
}
