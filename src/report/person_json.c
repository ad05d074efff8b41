#include "report/person_json.h"

#include <string.h>

#include "membership/own_event.h"
#include "membership/target_list.h"
#include "report/json_value.h"
#include "report/record_json.h"
#include "store/key.h"

struct reading {
    const struct keyring *ring;
    struct snapshot *snapshot;
    const char *name;
    json_t *domains, *notices, *told, *events;
    json_int_t undo_rows;
    bool is_fine;
    struct error *error;
};

static json_t *list_targets(const struct reading *reading, const struct person_record *person)
{
    CLEANUP(target_list_finish) struct target_list list = {0};
    struct error unopened;
    if ((reading->ring == NULL && person->sealed_targets.length != 0) ||
        !target_list_open(reading->ring, reading->name, person, &list, &unopened))
        return json_null();
    json_t *targets = json_array();
    for (size_t i = 0; i < list.count; i++)
        json_array_append_new(targets,
                              json_pack("{s:o, s:s, s:b}", "address",
                                        json_from_span(span_of(list.entries[i].address)), "source",
                                        target_source_name(list.entries[i].source), "proven",
                                        list.entries[i].is_proven));
    return targets;
}

static json_t *alias_targets(const struct reading *reading, const char *domain, const char *local,
                             const struct alias_record *alias)
{
    CLEANUP(buffer_finish) struct buffer plain = {0};
    if (alias->sealed_targets.length == 0)
        return json_array();
    if (reading->ring == NULL || keyring_unseal_alias(reading->ring, domain, span_of(local),
                                                      alias->sealed_targets, &plain) != UNSEAL_DONE)
        return json_null();
    return json_from_lines((struct span){plain.data, plain.length});
}

/* ---- domains ---- */

struct place {
    const struct reading *reading;
    json_t *aliases;
};

static bool add_alias(void *context, const char *domain, const char *local,
                      const struct alias_record *alias)
{
    const struct place *place = context;
    CLEANUP(buffer_finish) struct buffer address = {0};
    if (!span_is_text(alias->owner, place->reading->name))
        return true;
    json_t *object = json_from_alias(alias);
    buffer_appendf(&address, "%s@%s", local, domain);
    json_object_set_new(object, "address", json_from_span(span_of(buffer_text(&address))));
    json_object_set_new(object, "targets", alias_targets(place->reading, domain, local, alias));
    json_array_append_new(place->aliases, object);
    return true;
}

static bool add_domain(void *context, const char *domain, const struct domain_record *row)
{
    struct reading *reading = context;
    struct place place = {reading, json_array()};
    struct membership_record membership;
    (void)row;
    enum store_result has_row =
        snapshot_membership(reading->snapshot, domain, reading->name, &membership, reading->error);
    reading->is_fine =
        has_row != STORE_TROUBLE &&
        snapshot_each_alias(reading->snapshot, domain, add_alias, &place, reading->error);
    if (reading->is_fine && (has_row == STORE_FOUND || json_array_size(place.aliases) != 0))
        json_array_append_new(
            reading->domains,
            json_pack("{s:s, s:o, s:O}", "domain", domain, "membership",
                      has_row == STORE_FOUND ? json_from_membership(&membership) : json_null(),
                      "aliases", place.aliases));
    json_decref(place.aliases);
    return reading->is_fine;
}

/* ---- what was and is to be told, done, and could be undone ---- */

static bool add_notice(void *context, uint64_t sequence, const struct outbox_record *fact)
{
    struct reading *reading = context;
    (void)sequence;
    if (span_is_text(fact->subject, reading->name))
        json_array_append_new(
            reading->notices,
            json_pack("{s:o, s:o, s:o, s:o, s:b}", "at", json_from_time(fact->at_s), "kind",
                      json_from_span(fact->kind), "domain", json_from_optional(fact->domain),
                      "reason", json_from_optional(fact->reason), "to_the_person",
                      fact->audience == AUDIENCE_PERSON));
    return true;
}

static bool add_told(void *context, const char *domain, const char *name, const char *word,
                     const struct sent_record *sent)
{
    struct reading *reading = context;
    if (strcmp(name, reading->name) == 0)
        json_array_append_new(reading->told, json_pack("{s:o, s:o, s:o}", "domain",
                                                       json_from_optional(span_of(domain)), "what",
                                                       json_from_span(span_of(word)), "at",
                                                       json_from_time(sent->last_s)));
    return true;
}

static bool add_event(void *context, uint64_t sequence, const struct event_record *event)
{
    struct reading *reading = context;
    json_array_append_new(
        reading->events,
        json_pack("{s:I, s:o, s:o, s:o, s:o, s:o, s:o}", "number", (json_int_t)sequence, "at",
                  json_from_time(event->at_s), "actor", json_from_span(event->actor), "act",
                  json_from_span(event->act), "domain", json_from_optional(event->domain),
                  "subject", json_from_optional(event->subject), "detail",
                  json_from_optional(event->detail)));
    return true;
}

static bool count_undo(void *context, uint64_t generation, uint64_t number,
                       const struct undo_record *undo)
{
    struct reading *reading = context;
    struct span domain, second = undo->key;
    (void)generation, (void)number;
    if (undo->table != UNDO_PERSON && !key_split_pair(undo->key, &domain, &second))
        return true;
    reading->undo_rows += span_is_text(second, reading->name);
    return true;
}

static bool read_all(struct reading *reading)
{
    struct snapshot *snapshot = reading->snapshot;
    return snapshot_each_domain(snapshot, add_domain, reading, reading->error) &&
           reading->is_fine &&
           snapshot_each_notice(snapshot, add_notice, reading, reading->error) &&
           snapshot_each_sent(snapshot, NULL, add_told, reading, reading->error) &&
           own_event_each(snapshot, reading->name, 0, SIZE_MAX, add_event, reading,
                          reading->error) &&
           snapshot_each_undo(snapshot, 0, count_undo, reading, reading->error);
}

static json_t *from_person(const struct reading *reading, const struct person_record *person)
{
    json_t *object = json_object();
    json_object_set_new(object, "name", json_from_span(span_of(reading->name)));
    json_object_set_new(object, "date_created", json_from_time(person->date_created_us / 1000000));
    json_object_set_new(object, "login_identifier", json_from_optional(person->login_identifier));
    json_object_set_new(object, "login_name", json_from_optional(person->login_name));
    json_object_set_new(object, "renamed_to", json_from_optional(person->renamed_to));
    json_object_set_new(object, "is_banned", json_boolean(person->is_banned));
    json_object_set_new(object, "banned_since", json_from_time(person->banned_s));
    json_object_set_new(object, "is_paused", json_boolean(person->is_paused));
    json_object_set_new(object, "paused_since", json_from_time(person->paused_s));
    json_object_set_new(object, "targets", list_targets(reading, person));
    json_object_set(object, "domains", reading->domains);
    json_object_set(object, "notices_waiting", reading->notices);
    json_object_set(object, "told", reading->told);
    json_object_set(object, "events", reading->events);
    json_object_set_new(object, "rows_kept_to_undo", json_integer(reading->undo_rows));
    return object;
}

bool person_json_read(const struct keyring *ring, struct snapshot *snapshot, const char *name,
                      json_t **ret, struct error *error)
{
    struct person_record person;
    *ret = NULL;
    enum store_result result = snapshot_person(snapshot, name, &person, error);
    if (result != STORE_FOUND)
        return result == STORE_ABSENT;
    struct reading reading = {
        .ring = ring,
        .snapshot = snapshot,
        .name = name,
        .domains = json_array(),
        .notices = json_array(),
        .told = json_array(),
        .events = json_array(),
        .is_fine = true,
        .error = error,
    };
    bool is_read = read_all(&reading);
    if (is_read)
        *ret = from_person(&reading, &person);
    json_decref(reading.domains);
    json_decref(reading.notices);
    json_decref(reading.told);
    json_decref(reading.events);
    return is_read;
}
