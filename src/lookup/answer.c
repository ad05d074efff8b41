#include "lookup/answer.h"

#include <string.h>

static enum lookup_answer cannot_tell(const struct question *question, const char *why)
{
    question_trace(question, "cannot tell: %s", why);
    return LOOKUP_TEMPORARY;
}

/* Why a domain that is not open cannot be told of. */
static const char *why_not_open(const struct ours *domain)
{
    return domain->is_configured ? "the domain is closed"
                                 : "the domain is not in the configuration any more";
}

/* Nobody has the address: known to be so only in an open domain. */
static enum lookup_answer miss(const struct question *question)
{
    const struct ours *domain = question->domain;
    if (!domain->is_open)
        return cannot_tell(question, why_not_open(domain));
    question_trace(question, "%s is open, so the address is known to be absent", domain->name);
    return LOOKUP_ABSENT;
}

/* ---- alias, recipient ---- */

/* Appends targets (one a line) as Postfix wants them, each with the extension. */
static void append_targets(struct buffer *out, struct span targets, struct span extension)
{
    bool is_first = true;
    for (const char *at = targets.data, *end = at + targets.length; at < end;) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));
        if (line_end == NULL)
            line_end = end;
        if (line_end != at) {
            if (!is_first)
                buffer_append_char(out, ',');
            is_first = false;
            address_append_extended(out, (struct span){at, (size_t)(line_end - at)}, extension);
        }
        at = line_end + 1;
    }
}

static enum lookup_answer found_targets(const struct question *question, struct span targets,
                                        struct span extension)
{
    size_t before = question->out->length;
    append_targets(question->out, targets, extension);
    if (question->out->length == before)
        return cannot_tell(question, "the record has no target");
    question_trace(question, "it answers with its targets");
    return LOOKUP_FOUND;
}

static enum lookup_answer alias_of_record(const struct question *question,
                                          const struct finding *finding)
{
    const struct address *address = &question->address;
    const struct alias_record *record = &finding->record;
    struct lookup *lookup = question->lookup;
    struct error error;
    size_t length = finding->local_length;
    struct span extension = {address->local + length, address->local_length - length};
    if (!alias_record_is_live(record))
        return miss(question);
    if (extension.length != 0) {
        question_trace(question, "its policy for the extension %.*s: %s", (int)extension.length,
                       extension.data, extension_policy_name(record->extension));
        if (record->extension == EXTENSION_REFUSE)
            return miss(question);
        if (record->extension == EXTENSION_DROP)
            extension.length = 0;
    }
    buffer_clear(&lookup->scratch);
    if (!store_reader_open_targets(lookup->reader, address->domain,
                                   (struct span){address->local, length}, record, &lookup->scratch,
                                   &error))
        return cannot_tell(question, error.text);
    return found_targets(question, (struct span){lookup->scratch.data, lookup->scratch.length},
                         extension);
}

static bool takes_catch_all(const struct address *address)
{
    return strcmp(address->local, "double-bounce") != 0 &&
           strcmp(address->local, "mailer-daemon") != 0;
}

static enum lookup_answer alias_of_nobody(const struct question *question)
{
    const struct ours *domain = question->domain;
    /* In a closed domain the name may be somebody's whom we do not know yet. */
    if (domain->catch_all != NULL && domain->is_open && takes_catch_all(&question->address)) {
        question_trace(question, "the catch-all of %s takes it", domain->name);
        return found_targets(question, span_of(domain->catch_all), (struct span){"", 0});
    }
    return miss(question);
}

enum lookup_answer answer_alias(const struct question *question, const struct finding *finding)
{
    switch (finding->kind) {
    case FINDING_ROLE:
        return found_targets(question, span_of(finding->role_targets), (struct span){"", 0});
    case FINDING_RECORD:
        return alias_of_record(question, finding);
    case FINDING_NOBODY:
        return alias_of_nobody(question);
    case FINDING_TROUBLE:
        break;
    }
    return cannot_tell(question, finding->trouble.text);
}

enum lookup_answer answer_recipient(const struct question *question, const struct finding *finding)
{
    size_t before = question->out->length;
    enum lookup_answer answer = answer_alias(question, finding);
    if (answer != LOOKUP_FOUND)
        return answer;
    question->out->length = before;
    buffer_append_text(question->out, "OK");
    question_trace(question, "so mail to it is taken");
    return LOOKUP_FOUND;
}

/* ---- sender ---- */

/* The login of the person whose alias it is: the Launchpad name, unless they log in otherwise. */
static enum lookup_answer login_of_owner(const struct question *question, struct span owner)
{
    struct lookup *lookup = question->lookup;
    struct person_record person;
    struct error error;
    buffer_clear(&lookup->scratch);
    buffer_append(&lookup->scratch, owner.data, owner.length);
    enum store_result result =
        store_reader_person(lookup->reader, buffer_text(&lookup->scratch), &person, &error);
    if (result == STORE_TROUBLE)
        return cannot_tell(question, error.text);
    struct span login =
        result == STORE_FOUND && person.login_name.length != 0 ? person.login_name : owner;
    if (login.length == 0)
        return cannot_tell(question, "the record has no owner");
    buffer_append(question->out, login.data, login.length);
    question_trace(question, "its owner may send as it");
    return LOOKUP_FOUND;
}

static enum lookup_answer sender_of_record(const struct question *question,
                                           const struct alias_record *record)
{
    const struct ours *domain = question->domain;
    if (record->state == ALIAS_ACTIVE && record->kind != ALIAS_STATIC)
        return login_of_owner(question, record->owner);
    if (record->state == ALIAS_ACTIVE) {
        question_trace(question, "the operator's own alias has no login, so it is absent");
        return LOOKUP_ABSENT;
    }
    if (!domain->is_open)
        return cannot_tell(question, why_not_open(domain));
    buffer_append_text(question->out, LOOKUP_NO_LOGIN);
    question_trace(question, "it is not active, so nobody may send as it");
    return LOOKUP_FOUND;
}

enum lookup_answer answer_sender(const struct question *question, const struct finding *finding)
{
    switch (finding->kind) {
    case FINDING_ROLE:
        question_trace(question, "a role address has no login, so it is absent");
        return LOOKUP_ABSENT;
    case FINDING_RECORD:
        return sender_of_record(question, &finding->record);
    case FINDING_NOBODY:
        return miss(question);
    case FINDING_TROUBLE:
        break;
    }
    return cannot_tell(question, finding->trouble.text);
}

/* ---- access ---- */

/*
 * RFC 3463 3.2 and 3.3. The last is, to the letter, what Postfix says of a name that nobody ever
 * had, as a stranger has no business to learn of a ban.
 */
static const char *refusal(enum alias_state state)
{
    switch (state) {
    case ALIAS_GONE:
        return "550 5.1.6 The address is no longer in use";
    case ALIAS_PAUSED:
        return "550 5.2.1 The address takes no mail at present";
    case ALIAS_ACTIVE:
    case ALIAS_LEAVING:
    case ALIAS_PENDING:
    case ALIAS_REFUSED:
        break;
    }
    return "550 5.1.1 User unknown in virtual alias table";
}

/* Whatever it is, the map of aliases is asked next and says it itself, TEMP too. */
static enum lookup_answer no_objection(const struct question *question, const char *why)
{
    question_trace(question, "%s, so nothing is said against it: absent", why);
    return LOOKUP_ABSENT;
}

enum lookup_answer answer_access(const struct question *question, const struct finding *finding)
{
    const struct ours *domain = question->domain;
    switch (finding->kind) {
    case FINDING_ROLE:
        return no_objection(question, "it is answered");
    case FINDING_NOBODY:
        return no_objection(question, "nobody has the name");
    case FINDING_TROUBLE:
        return no_objection(question, finding->trouble.text);
    case FINDING_RECORD:
        break;
    }
    if (alias_record_is_live(&finding->record))
        return no_objection(question, "it is live");
    if (!domain->is_open)
        return no_objection(question, why_not_open(domain));
    buffer_append_text(question->out, refusal(finding->record.state));
    question_trace(question, "%s is open, so mail to it is refused", domain->name);
    return LOOKUP_FOUND;
}
