#include "lookup/finding.h"

#include <string.h>

#include "address/role.h"

/* Targets of a role of this domain, or NULL when local is none. */
static const char *role_targets(const struct question *question, const char *local, size_t length)
{
    const struct ours *domain = question->domain;
    for (size_t i = 0; i < domain->role_count; i++)
        if (strlen(domain->roles[i].name) == length &&
            memcmp(domain->roles[i].name, local, length) == 0)
            return domain->roles[i].targets;
    return address_is_role(local, length) ? question->lookup->role_default_target : NULL;
}

/* The targets of a role address, with or without extension, from the configuration, or NULL. */
static const char *find_role(const struct question *question)
{
    const struct address *address = &question->address;
    for (size_t length = address->local_length; length != 0;
         length = address_next_cut(address->local, length, question->lookup->recipient_delimiter)) {
        const char *targets = role_targets(question, address->local, length);
        if (targets == NULL)
            continue;
        question_trace(question,
                       "%.*s is a role address (RFC 2142), answered from the configuration",
                       (int)length, address->local);
        return targets;
    }
    return NULL;
}

static void trace_record(const struct question *question, const struct alias_record *record,
                         size_t length)
{
    const struct address *address = &question->address;
    question_trace(question, "%.*s@%s is there: %s, %s%s%s", (int)length, address->local,
                   address->domain, alias_kind_name(record->kind), alias_state_name(record->state),
                   record->reason != REASON_NONE ? ", " : "", alias_reason_name(record->reason));
}

/* The exact local part, then each cut of it from right to left; the first record counts. */
static enum finding_kind find_record(const struct question *question, struct finding *ret)
{
    const struct address *address = &question->address;
    struct lookup *lookup = question->lookup;
    if (!lookup_wake(lookup, &ret->trouble))
        return FINDING_TROUBLE;
    for (size_t length = address->local_length; length != 0;
         length = address_next_cut(address->local, length, lookup->recipient_delimiter)) {
        if (length > ADDRESS_LOCAL_MAX_BYTES)
            continue; /* no record can have it */
        enum store_result result =
            store_reader_alias(lookup->reader, address->domain,
                               (struct span){address->local, length}, &ret->record, &ret->trouble);
        if (result == STORE_TROUBLE)
            return FINDING_TROUBLE;
        if (result == STORE_FOUND && !alias_record_gives_way(&ret->record)) {
            ret->local_length = length;
            trace_record(question, &ret->record, length);
            return FINDING_RECORD;
        }
        if (result == STORE_FOUND)
            question_trace(question, "%.*s@%s is refused, as the address is another's", (int)length,
                           address->local, address->domain);
        else
            question_trace(question, "%.*s@%s has no record", (int)length, address->local,
                           address->domain);
    }
    return FINDING_NOBODY;
}

void finding_make(const struct question *question, struct finding *ret)
{
    ret->role_targets = find_role(question);
    ret->kind = ret->role_targets != NULL ? FINDING_ROLE : find_record(question, ret);
}
