#include "membership/standing.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "membership/former_name.h"

const char *standing_step_word(enum standing_step step)
{
    switch (step) {
    case STANDING_NOTHING:
        break;
    case STANDING_JOIN:
        return "join-team";
    case STANDING_MEND:
        return "mend-account";
    case STANDING_SIGN:
        return "sign-coc";
    case STANDING_ADD_TARGET:
        return "add-target";
    case STANDING_RESUME:
        return "resume";
    case STANDING_WAIT:
        return "wait";
    case STANDING_ASK:
        return "ask-admins";
    }
    return "";
}

/* One reading under way. */
struct reading {
    const struct house *house;
    struct snapshot *snapshot;
    const char *name, *wanted;
    const struct login_sighting *sightings;
    size_t sighting_count;
    struct person_record person; /* zeroed: not known */
    struct former_name_list former_names;
    struct standing *standing;
    bool is_fine;
    struct error *error;
};

/* What is known of one domain. */
struct place {
    const char *domain;
    const struct house_domain *house_domain; /* or NULL */
    bool is_open;
    bool has_row;
    struct membership_record row; /* the person's own */
    enum barrier barrier;
};

static enum standing_step step_of(enum alias_reason reason)
{
    switch (reason) {
    case REASON_NOT_MEMBER:
    case REASON_GRACE_OVER:
        return STANDING_JOIN;
    case REASON_NOT_VALID:
        return STANDING_MEND;
    case REASON_COC_NOT_SIGNED:
        return STANDING_SIGN;
    case REASON_NO_TARGET:
        return STANDING_ADD_TARGET;
    case REASON_PAUSED:
        return STANDING_RESUME;
    case REASON_ILLEGAL_LOCAL_PART:
    case REASON_TAKEN:
    case REASON_RESERVED:
    case REASON_BANNED:
    case REASON_REMOVED:
    case REASON_ANOTHER_PERSON:
        return STANDING_ASK;
    case REASON_NONE:
    case REASON_RENAMED:
        break;
    }
    return STANDING_NOTHING;
}

static struct standing_address *append(struct reading *reading, const struct place *place,
                                       const char *local)
{
    struct standing *standing = reading->standing;
    standing->addresses =
        memory_resize(standing->addresses, standing->count + 1, sizeof(*standing->addresses));
    struct standing_address *address = &standing->addresses[standing->count++];
    *address = (struct standing_address){
        .domain = memory_copy_text(place->domain),
        .local = memory_copy_text(local),
        .team = place->house_domain != NULL ? place->house_domain->team : NULL,
        .reason = "",
        .extension = EXTENSION_APPEND,
        .is_domain_open = place->is_open,
        .barrier = place->barrier,
    };
    return address;
}

static struct standing_address *append_alias(struct reading *reading, const struct place *place,
                                             const char *local, const struct alias_record *alias)
{
    const struct membership_record *row = &place->row;
    struct standing_address *address = append(reading, place, local);
    address->is_extra = alias->kind == ALIAS_EXTRA;
    address->state = alias->state;
    address->is_live = alias_record_is_live(alias);
    address->reason = alias->reason != REASON_NONE ? alias_reason_name(alias->reason) : "";
    address->step = step_of(alias->reason);
    address->since_s = alias->since_s;
    address->extension = alias->extension;
    if (address->is_live)
        address->live_since_s = alias->state == ALIAS_ACTIVE ? alias->since_s : row->live_since_s;
    if (alias->state == ALIAS_LEAVING && row->leaving_since_s != 0 && place->house_domain != NULL)
        address->grace_end_s = row->leaving_since_s + place->house_domain->grace_s;
    return address;
}

static enum login_membership find_sighting(const struct reading *reading, const char *domain,
                                           bool *ret_is_asked)
{
    for (size_t i = 0; i < reading->sighting_count; i++)
        if (strcmp(reading->sightings[i].domain, domain) == 0) {
            *ret_is_asked = true;
            return reading->sightings[i].membership;
        }
    *ret_is_asked = false;
    return LOGIN_MEMBERSHIP_UNKNOWN;
}

/* Why there is no alias of the person's own name. */
static void say_why_not(const struct reading *reading, const struct place *place,
                        struct standing_address *address)
{
    bool is_asked;
    enum login_membership membership = find_sighting(reading, place->domain, &is_asked);
    bool is_believed = place->has_row && place->row.is_member;
    address->step = STANDING_WAIT;
    if (is_believed) {
        address->reason = alias_reason_name(REASON_TAKEN);
        address->step = STANDING_ASK;
    } else if (is_asked && membership == LOGIN_MEMBERSHIP_UNKNOWN) {
        address->reason = "unknown";
    } else if (membership == LOGIN_MEMBERSHIP_YES) {
        address->reason = place->barrier != BARRIER_NONE ? barrier_word(place->barrier) : "waits";
    } else {
        address->reason = "never-member";
        address->step = STANDING_JOIN;
    }
}

static bool append_own(struct reading *reading, const struct place *place)
{
    struct alias_record alias;
    const char *local = reading->name != NULL ? reading->name : reading->wanted;
    enum store_result result = STORE_ABSENT;
    if (place->has_row)
        result = snapshot_alias(reading->snapshot, place->domain, span_of(local), &alias,
                                reading->error);
    if (result == STORE_TROUBLE)
        return false;
    if (result == STORE_FOUND && alias.kind == ALIAS_MEMBER) {
        append_alias(reading, place, local, &alias);
        return true;
    }
    /* One that nobody can join any more is none that could be. */
    if (place->house_domain != NULL)
        say_why_not(reading, place, append(reading, place, local != NULL ? local : ""));
    return true;
}

static bool is_former_name(const struct reading *reading, const char *name)
{
    return strcmp(name, reading->name) != 0;
}

/* One that is there for that name, which is the person's or a former one. */
static bool append_of_name(struct reading *reading, const struct place *place, const char *name,
                           const char *local)
{
    struct alias_record alias;
    enum store_result result =
        snapshot_alias(reading->snapshot, place->domain, span_of(local), &alias, reading->error);
    if (result != STORE_FOUND || !span_is_text(alias.owner, name))
        return result != STORE_TROUBLE;
    /* What ended with a former name is no news. */
    if (!is_former_name(reading, name))
        append_alias(reading, place, local, &alias);
    else if (alias.state == ALIAS_LEAVING || alias_record_is_live(&alias))
        append_alias(reading, place, local, &alias)->is_former = true;
    return true;
}

static bool append_extras(struct reading *reading, const struct place *place, const char *name)
{
    CLEANUP(memory_free_at)
    char *names = memory_copy_bytes(place->row.extras.data, place->row.extras.length);
    char *rest = NULL;
    for (char *local = names != NULL ? strtok_r(names, "\n", &rest) : NULL; local != NULL;
         local = strtok_r(NULL, "\n", &rest))
        if (!append_of_name(reading, place, name, local))
            return false;
    return true;
}

/* Further ones go along to the new name; they are with the former one where it is not seen yet. */
static bool append_former(struct reading *reading, struct place place)
{
    for (size_t i = 0; i < reading->former_names.count; i++) {
        const char *name = reading->former_names.names[i];
        enum store_result result =
            snapshot_membership(reading->snapshot, place.domain, name, &place.row, reading->error);
        bool is_own =
            result == STORE_FOUND && place.row.date_created_us == reading->person.date_created_us;
        if (result == STORE_TROUBLE || (is_own && (!append_of_name(reading, &place, name, name) ||
                                                   !append_extras(reading, &place, name))))
            return false;
    }
    return true;
}

static bool read_place(struct reading *reading, struct place *place)
{
    const char *name = reading->name != NULL     ? reading->name
                       : reading->wanted != NULL ? reading->wanted
                                                 : "";
    enum store_result result = STORE_ABSENT;
    if (reading->standing->is_known)
        result = snapshot_membership(reading->snapshot, place->domain, name, &place->row,
                                     reading->error);
    place->has_row =
        result == STORE_FOUND && place->row.date_created_us == reading->person.date_created_us;
    if (!place->has_row)
        place->row = (struct membership_record){0};
    return result != STORE_TROUBLE &&
           barrier_find(reading->house, reading->snapshot, place->domain, name, 0, &place->barrier,
                        reading->error) &&
           append_own(reading, place) && append_extras(reading, place, reading->name) &&
           append_former(reading, *place);
}

static bool visit_former(void *context, const char *domain, const struct domain_record *row)
{
    struct reading *reading = context;
    struct place place = {.domain = domain, .is_open = row->is_open};
    if (house_find(reading->house, domain) == NULL)
        reading->is_fine = read_place(reading, &place);
    return reading->is_fine;
}

/* The configured ones in their order, then those that are only served still. */
static bool read_places(struct reading *reading)
{
    for (size_t i = 0; i < reading->house->domain_count; i++) {
        const struct house_domain *house_domain = &reading->house->domains[i];
        struct domain_record row = {0};
        struct place place = {.domain = house_domain->name, .house_domain = house_domain};
        if (snapshot_domain(reading->snapshot, place.domain, &row, reading->error) == STORE_TROUBLE)
            return false;
        place.is_open = row.is_open;
        if (!read_place(reading, &place))
            return false;
    }
    return snapshot_each_domain(reading->snapshot, visit_former, reading, reading->error) &&
           reading->is_fine;
}

static void read_person(const struct reading *reading, const struct keyring *ring)
{
    const struct person_record *person = &reading->person;
    struct standing *standing = reading->standing;
    struct error unopened;
    standing->is_banned = person->is_banned;
    standing->is_paused = person->is_paused;
    standing->login_name =
        person->login_name.length != 0
            ? memory_copy_bytes(person->login_name.data, person->login_name.length)
            : memory_copy_text(reading->name);
    standing->are_targets_open =
        (ring != NULL || person->sealed_targets.length == 0) &&
        target_list_open(ring, reading->name, person, &standing->targets, &unopened);
    if (!standing->are_targets_open)
        target_list_finish(&standing->targets);
}

bool standing_read(const struct house *house, const struct keyring *ring, struct snapshot *snapshot,
                   const char *name, const char *wanted, const struct login_sighting *sightings,
                   size_t sighting_count, struct standing *ret, struct error *error)
{
    struct reading reading = {
        .house = house,
        .snapshot = snapshot,
        .name = name,
        .wanted = wanted,
        .sightings = sightings,
        .sighting_count = sighting_count,
        .standing = ret,
        .is_fine = true,
        .error = error,
    };
    *ret = (struct standing){0};
    if (name != NULL) {
        enum store_result result = snapshot_person(snapshot, name, &reading.person, error);
        if (result == STORE_TROUBLE)
            return false;
        ret->is_known = result == STORE_FOUND;
    }
    if (ret->is_known)
        read_person(&reading, ring);
    bool is_read =
        (!ret->is_known || former_name_find(snapshot, name, reading.person.date_created_us,
                                            &reading.former_names, error)) &&
        read_places(&reading);
    former_name_list_finish(&reading.former_names);
    return is_read;
}

void standing_finish(struct standing *standing)
{
    for (size_t i = 0; i < standing->count; i++) {
        free(standing->addresses[i].domain);
        free(standing->addresses[i].local);
    }
    free(standing->addresses);
    free(standing->login_name);
    target_list_finish(&standing->targets);
    *standing = (struct standing){0};
}
