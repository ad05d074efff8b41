#include "membership/forget.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "store/key.h"

/* Keys of aliases, sorted. */
struct pair_list {
    struct key *keys;
    size_t count, capacity;
};

struct forgetting {
    const struct planning *planning;
    const char *const *names;
    size_t name_count;
    enum forget_what what;
    struct pair_list aliases; /* of the people, whatever their state */
};

static int compare_with_name(const void *span, const void *name)
{
    const struct span *wanted = span;
    const char *text = *(const char *const *)name;
    size_t length = strlen(text);
    int order = memcmp(wanted->data, text, wanted->length < length ? wanted->length : length);
    return order != 0 ? order : (wanted->length > length) - (wanted->length < length);
}

static bool is_named(const struct forgetting *forgetting, struct span name)
{
    return name.length != 0 && bsearch(&name, forgetting->names, forgetting->name_count,
                                       sizeof(*forgetting->names), compare_with_name) != NULL;
}

static int compare_keys(const void *a, const void *b)
{
    const struct key *left = a, *right = b;
    size_t shorter = left->length < right->length ? left->length : right->length;
    int order = memcmp(left->bytes, right->bytes, shorter);
    return order != 0 ? order : (left->length > right->length) - (left->length < right->length);
}

/* A name of the people, or in that domain an alias of theirs. */
static bool is_theirs(const struct forgetting *forgetting, struct span domain, struct span subject)
{
    struct key key;
    if (is_named(forgetting, subject))
        return true;
    CLEANUP(memory_free_at) char *text = memory_copy_bytes(domain.data, domain.length);
    return text != NULL && forgetting->aliases.count != 0 && key_of_pair(&key, text, subject) &&
           bsearch(&key, forgetting->aliases.keys, forgetting->aliases.count, sizeof(key),
                   compare_keys) != NULL;
}

static bool note_alias(void *context, const char *domain, const char *local,
                       const struct alias_record *record)
{
    struct forgetting *forgetting = context;
    struct pair_list *list = &forgetting->aliases;
    if (!is_named(forgetting, record->owner))
        return true;
    list->keys = memory_grow(list->keys, list->count, &list->capacity, sizeof(*list->keys));
    if (key_of_pair(&list->keys[list->count], domain, span_of(local)))
        list->count++;
    return true;
}

static bool find_aliases(struct forgetting *forgetting, struct error *error)
{
    if (!snapshot_each_alias(forgetting->planning->snapshot, NULL, note_alias, forgetting, error))
        return false;
    if (forgetting->aliases.count != 0)
        qsort(forgetting->aliases.keys, forgetting->aliases.count,
              sizeof(*forgetting->aliases.keys), compare_keys);
    return true;
}

/* ---- undo ---- */

static bool undo_is_theirs(const struct forgetting *forgetting, const struct undo_record *record)
{
    struct span domain, second;
    struct alias_record alias;
    if (record->table == UNDO_PERSON)
        return is_named(forgetting, record->key);
    if (!key_split_pair(record->key, &domain, &second))
        return false;
    if (is_theirs(forgetting, domain, second))
        return true;
    return record->table == UNDO_ALIAS && !record->was_absent &&
           alias_record_decode(record->value, &alias) && is_named(forgetting, alias.owner);
}

static bool forget_undo(void *context, uint64_t generation, uint64_t number,
                        const struct undo_record *record)
{
    struct forgetting *forgetting = context;
    if (undo_is_theirs(forgetting, record))
        changeset_delete_undo(forgetting->planning->changeset, generation, number);
    return true;
}

/* ---- notices ---- */

static bool forget_notice(void *context, uint64_t sequence, const struct outbox_record *record)
{
    struct forgetting *forgetting = context;
    bool names_address = record->audience == AUDIENCE_PERSON;
    if (is_theirs(forgetting, record->domain, record->subject) &&
        (forgetting->what == FORGET_PERSON || names_address))
        changeset_delete_notice(forgetting->planning->changeset, sequence);
    return true;
}

static bool forget_sent(void *context, const char *domain, const char *name, const char *word,
                        const struct sent_record *record)
{
    struct forgetting *forgetting = context;
    (void)record;
    if (is_theirs(forgetting, span_of(domain), span_of(name)))
        changeset_delete_sent(forgetting->planning->changeset, domain, name, word);
    return true;
}

/* ---- logins ---- */

static bool forget_login(void *context, const char *identifier, const struct login_record *record)
{
    struct forgetting *forgetting = context;
    if (is_named(forgetting, record->name))
        changeset_delete_login(forgetting->planning->changeset, identifier);
    return true;
}

/* ---- events ---- */

static bool has_prefix(struct span text, const char *prefix)
{
    size_t length = strlen(prefix);
    return text.length >= length && memcmp(text.data, prefix, length) == 0;
}

static bool is_name_byte(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '+' ||
           byte == '-';
}

/* The text holds the name as a word. */
static bool mentions(struct span text, const char *name)
{
    size_t length = strlen(name);
    for (size_t at = 0; at + length <= text.length; at++)
        if (memcmp(text.data + at, name, length) == 0 &&
            (at == 0 || !is_name_byte(text.data[at - 1])) &&
            (at + length == text.length || !is_name_byte(text.data[at + length])))
            return true;
    return false;
}

static bool mentions_any(const struct forgetting *forgetting, struct span text)
{
    for (size_t i = 0; text.length != 0 && i < forgetting->name_count; i++)
        if (mentions(text, forgetting->names[i]))
            return true;
    return false;
}

/* What operators wrote about a person by hand. */
static bool is_free_text(const struct event_record *event)
{
    return has_prefix(event->act, "person.") || has_prefix(event->act, "target.");
}

static bool forget_event(void *context, uint64_t sequence, const struct event_record *record)
{
    struct forgetting *forgetting = context;
    struct event_record event = *record;
    bool is_about = is_theirs(forgetting, event.domain, event.subject);
    if (forgetting->what == FORGET_PERSON) {
        if (is_about)
            event.subject = span_of(EVENT_ERASED_SUBJECT);
        if (is_about || mentions_any(forgetting, event.detail))
            event.detail = span_of("");
    } else if (is_about && is_free_text(&event)) {
        event.detail = span_of("");
    }
    if (event.subject.length != record->subject.length ||
        event.subject.data != record->subject.data || event.detail.length != record->detail.length)
        changeset_put_event(forgetting->planning->changeset, sequence, &event);
    return true;
}

bool forget_traces(const struct planning *planning, const char *const *names, size_t count,
                   enum forget_what what, struct error *error)
{
    struct forgetting forgetting = {planning, names, count, what, {0}};
    struct snapshot *snapshot = planning->snapshot;
    if (count == 0)
        return true;
    bool is_done = find_aliases(&forgetting, error) &&
                   snapshot_each_undo(snapshot, 0, forget_undo, &forgetting, error) &&
                   snapshot_each_notice(snapshot, forget_notice, &forgetting, error) &&
                   snapshot_each_event(snapshot, forget_event, &forgetting, error);
    if (is_done && what == FORGET_PERSON)
        is_done = snapshot_each_sent(snapshot, NULL, forget_sent, &forgetting, error) &&
                  snapshot_each_login(snapshot, forget_login, &forgetting, error);
    free(forgetting.aliases.keys);
    return is_done;
}
