#include "membership/identity.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum identity identity_see(struct person_record *person, int64_t date_created_us)
{
    if (person->date_created_us == date_created_us)
        return IDENTITY_SAME;
    if (person->date_created_us == 0) {
        person->date_created_us = date_created_us;
        return IDENTITY_NEW;
    }
    *person = (struct person_record){.date_created_us = date_created_us};
    return IDENTITY_ANOTHER;
}

bool identity_plan_another(const struct planning *planning, const char *name,
                           const struct person_record *before, struct error *error)
{
    struct event_record event = {
        .at_s = planning->now_s,
        .actor = span_of(planning->actor),
        .act = span_of("person.another"),
        .subject = span_of(name),
        .detail = span_of("the name belongs to another account now"),
    };
    changeset_event(planning->changeset, &event);
    if (before->login_identifier.length == 0)
        return true;
    struct login_record login;
    CLEANUP(memory_free_at)
    char *identifier =
        memory_copy_bytes(before->login_identifier.data, before->login_identifier.length);
    enum store_result result = snapshot_login(planning->snapshot, identifier, &login, error);
    if (result == STORE_FOUND && login.name.length == strlen(name) &&
        memcmp(login.name.data, name, login.name.length) == 0)
        changeset_delete_login(planning->changeset, identifier);
    return result != STORE_TROUBLE;
}

void identity_tell_another(const struct planning *planning, const char *domain, const char *name)
{
    if (planning->notices != NULL)
        notice_list_add(planning->notices, NOTICE_ANOTHER_PERSON, domain, name, "", "",
                        (struct span){"", 0});
}

enum store_result identity_of_login(struct snapshot *snapshot, const char *identifier,
                                    struct buffer *name, struct person_record *ret,
                                    struct error *error)
{
    struct login_record login;
    enum store_result result = snapshot_login(snapshot, identifier, &login, error);
    if (result != STORE_FOUND)
        return result;
    buffer_append(name, login.name.data, login.name.length);
    result = snapshot_person(snapshot, buffer_text(name), ret, error);
    return result == STORE_FOUND && !span_is_text(ret->login_identifier, identifier) ? STORE_ABSENT
                                                                                     : result;
}
