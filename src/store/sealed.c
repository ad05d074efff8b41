#include "store/sealed.h"

#include <inttypes.h>
#include <string.h>

#include "store/key.h"

const char *sealed_place_name(enum sealed_place place)
{
    static const char *const names[SEALED_PLACE_COUNT] = {
        [SEALED_ALIAS] = "alias",
        [SEALED_PERSON] = "person",
        [SEALED_OUTBOX] = "outbox",
        [SEALED_UNDO] = "undo",
    };
    return names[place];
}

/* ---- the walk ---- */

struct sealed_walk {
    sealed_visit *visit;
    void *context;
    bool goes_on;
    bool is_undecodable;
};

static bool pass_on(struct sealed_walk *walk, const struct sealed_value *value)
{
    if (value->sealed.length != 0)
        walk->goes_on = walk->visit(walk->context, value);
    return walk->goes_on;
}

static bool visit_alias(void *context, const char *domain, const char *local,
                        const struct alias_record *record)
{
    const struct sealed_value value = {
        .place = SEALED_ALIAS,
        .sealed = record->sealed_targets,
        .domain = domain,
        .name = local,
        .record = record,
    };
    return pass_on(context, &value);
}

static bool visit_person(void *context, const char *name, const struct person_record *record)
{
    const struct sealed_value value = {
        .place = SEALED_PERSON,
        .sealed = record->sealed_targets,
        .is_person = true,
        .name = name,
        .record = record,
    };
    return pass_on(context, &value);
}

static bool visit_notice(void *context, uint64_t sequence, const struct outbox_record *record)
{
    const struct sealed_value value = {
        .place = SEALED_OUTBOX,
        .sealed = record->sealed_recipients,
        .sequence = sequence,
        .record = record,
    };
    return pass_on(context, &value);
}

/* The key of a row as it stands in undo, as texts that end with NUL. */
struct undo_names {
    char domain[KEY_MAX_BYTES + 1], name[KEY_MAX_BYTES + 1];
};

static bool read_names(const struct undo_record *record, struct undo_names *ret)
{
    struct span domain = {"", 0}, name = record->key;
    if (name.length > KEY_MAX_BYTES ||
        (record->table == UNDO_ALIAS && !key_split_pair(record->key, &domain, &name)))
        return false;
    memcpy(ret->domain, domain.data, domain.length);
    memcpy(ret->name, name.data, name.length);
    ret->domain[domain.length] = ret->name[name.length] = '\0';
    return true;
}

static bool read_sealed(const struct undo_record *record, struct span *ret)
{
    struct alias_record alias;
    struct person_record person;
    if (record->table == UNDO_ALIAS && alias_record_decode(record->value, &alias)) {
        *ret = alias.sealed_targets;
        return true;
    }
    if (record->table == UNDO_PERSON && person_record_decode(record->value, &person)) {
        *ret = person.sealed_targets;
        return true;
    }
    return false;
}

static bool visit_undo(void *context, uint64_t generation, uint64_t number,
                       const struct undo_record *record)
{
    struct sealed_walk *walk = context;
    struct undo_names names;
    struct sealed_value value = {
        .place = SEALED_UNDO,
        .is_person = record->table == UNDO_PERSON,
        .domain = names.domain,
        .name = names.name,
        .sequence = generation,
        .number = number,
        .record = record,
    };
    if (record->was_absent || record->table == UNDO_MEMBERSHIP)
        return true;
    walk->is_undecodable = !read_names(record, &names) || !read_sealed(record, &value.sealed);
    return !walk->is_undecodable && pass_on(walk, &value);
}

bool sealed_each(struct snapshot *snapshot, sealed_visit *visit, void *context, struct error *error)
{
    struct sealed_walk walk = {.visit = visit, .context = context, .goes_on = true};
    if (!snapshot_each_alias(snapshot, NULL, visit_alias, &walk, error) ||
        (walk.goes_on && !snapshot_each_person(snapshot, visit_person, &walk, error)) ||
        (walk.goes_on && !snapshot_each_notice(snapshot, visit_notice, &walk, error)) ||
        (walk.goes_on && !snapshot_each_undo(snapshot, 0, visit_undo, &walk, error)))
        return false;
    return !walk.is_undecodable ||
           error_set(error, ERROR_TEMPORARY,
                     "what a record of table \"undo\" keeps cannot be understood");
}

/* ---- one value ---- */

static const unsigned char *notice_id(const struct sealed_value *value)
{
    return ((const struct outbox_record *)value->record)->id;
}

enum unseal_result sealed_open(const struct keyring *ring, const struct sealed_value *value,
                               struct buffer *out)
{
    if (value->place == SEALED_OUTBOX)
        return keyring_unseal_notice(ring, notice_id(value), value->sealed, out);
    if (value->is_person)
        return keyring_unseal_person(ring, value->name, value->sealed, out);
    return keyring_unseal_alias(ring, value->domain, span_of(value->name), value->sealed, out);
}

static void seal(const struct keyring *ring, const struct sealed_value *value, struct span plain,
                 struct buffer *out)
{
    if (value->place == SEALED_OUTBOX)
        keyring_seal_notice(ring, notice_id(value), plain, out);
    else if (value->is_person)
        keyring_seal_person(ring, value->name, plain, out);
    else
        keyring_seal_alias(ring, value->domain, span_of(value->name), plain, out);
}

static void put_undo(struct changeset *changeset, const struct sealed_value *value,
                     struct span sealed)
{
    struct undo_record row = *(const struct undo_record *)value->record;
    struct alias_record alias;
    struct person_record person;
    struct buffer bytes = {0};
    if (value->is_person && person_record_decode(row.value, &person)) {
        person.sealed_targets = sealed;
        person_record_encode(&bytes, &person);
    } else if (!value->is_person && alias_record_decode(row.value, &alias)) {
        alias.sealed_targets = sealed;
        alias_record_encode(&bytes, &alias);
    }
    row.value = (struct span){bytes.data, bytes.length};
    changeset_put_undo(changeset, value->sequence, value->number, &row);
    buffer_finish(&bytes);
}

static void put_record(struct changeset *changeset, const struct sealed_value *value,
                       struct span sealed)
{
    switch (value->place) {
    case SEALED_ALIAS: {
        struct alias_record row = *(const struct alias_record *)value->record;
        row.sealed_targets = sealed;
        changeset_put_alias(changeset, value->domain, value->name, &row);
        break;
    }
    case SEALED_PERSON: {
        struct person_record row = *(const struct person_record *)value->record;
        row.sealed_targets = sealed;
        changeset_put_person(changeset, value->name, &row);
        break;
    }
    case SEALED_OUTBOX: {
        struct outbox_record row = *(const struct outbox_record *)value->record;
        row.sealed_recipients = sealed;
        changeset_put_notice(changeset, value->sequence, &row);
        break;
    }
    case SEALED_UNDO:
    case SEALED_PLACE_COUNT:
        put_undo(changeset, value, sealed);
        break;
    }
}

void sealed_put(struct changeset *changeset, const struct keyring *ring,
                const struct sealed_value *value, struct span plain)
{
    struct buffer sealed = {0};
    seal(ring, value, plain, &sealed);
    put_record(changeset, value, (struct span){sealed.data, sealed.length});
    buffer_finish(&sealed);
}

void sealed_append_name(struct buffer *out, const struct sealed_value *value)
{
    if (value->place == SEALED_OUTBOX)
        buffer_appendf(out, "notice %" PRIu64, value->sequence);
    else if (value->is_person)
        buffer_appendf(out, "person %s", value->name);
    else
        buffer_appendf(out, "alias %s@%s", value->name, value->domain);
    if (value->place == SEALED_UNDO)
        buffer_appendf(out, " as it was before generation %" PRIu64, value->sequence);
}
