#include "membership/launchpad_target.h"

#include <string.h>

#include "address/address.h"
#include "membership/target_check.h"
#include "membership/target_list.h"

/* The one that says most, or NULL. */
static const struct listing_person *choose(const struct listing_person *const *seen, size_t count,
                                           int64_t date_created_us)
{
    const struct listing_person *best = NULL;
    for (size_t i = 0; i < count; i++)
        if (seen[i] != NULL && seen[i]->date_created_us == date_created_us &&
            (best == NULL || seen[i]->preferred > best->preferred))
            best = seen[i];
    return best;
}

/* Its canonical form, or nothing if it is no target for a member. */
static bool read_candidate(const struct planning *planning, const char *address,
                           struct buffer *canonical, struct error *error)
{
    bool is_served = false;
    if (address_check_target(address, strlen(address), canonical) != NULL)
        return true;
    if (!target_check_is_served(planning->snapshot, buffer_text(canonical), &is_served, error))
        return false;
    if (is_served || target_check_is_configured(planning->house, buffer_text(canonical)))
        buffer_clear(canonical);
    return true;
}

static bool has_stronger(const struct target_list *list)
{
    struct buffer unused = {0};
    enum target_source source = target_list_used(list, &unused);
    buffer_finish(&unused);
    return source > TARGET_SOURCE_LAUNCHPAD;
}

/* ---- live anywhere ---- */

struct search {
    const struct planning *planning;
    const char *name;
    bool is_live;
    bool is_fine;
    struct error *error;
};

static bool look_in_domain(void *context, const char *domain, const struct domain_record *record)
{
    (void)record;
    struct search *search = context;
    struct membership_record membership;
    enum store_result result = snapshot_membership(search->planning->snapshot, domain, search->name,
                                                   &membership, search->error);
    search->is_live = search->is_live || (result == STORE_FOUND && membership.live_since_s != 0);
    search->is_fine = result != STORE_TROUBLE;
    return search->is_fine;
}

static bool is_live_anywhere(const struct planning *planning, const char *name, bool *ret,
                             struct error *error)
{
    struct search search = {planning, name, false, true, error};
    bool is_walked = snapshot_each_domain(planning->snapshot, look_in_domain, &search, error);
    *ret = search.is_live;
    return is_walked && search.is_fine;
}

/* ---- */

/* Only one target of this source exists, and it is proven. */
static void set_target(struct target_list *list, const char *address)
{
    target_list_clear_source(list, TARGET_SOURCE_LAUNCHPAD);
    if (*address != '\0')
        target_list_add(list, TARGET_SOURCE_LAUNCHPAD, true, address);
}

/* What the list is to be. */
static bool fold(const struct planning *planning, const char *name,
                 const struct listing_person *seen, struct target_list *list, struct error *error)
{
    struct buffer canonical = {0};
    bool is_live = false, is_fine = true;
    if (has_stronger(list)) {
        set_target(list, "");
    } else if (seen->preferred == LISTING_PREFERRED_NONE) {
        is_fine = is_live_anywhere(planning, name, &is_live, error);
        if (is_fine && !is_live)
            set_target(list, "");
    } else {
        is_fine = read_candidate(planning, seen->address, &canonical, error);
        if (is_fine && canonical.length != 0)
            set_target(list, buffer_text(&canonical));
    }
    buffer_finish(&canonical);
    return is_fine;
}

/* Opened twice, as a list has no copy: people whose address is known are few enough. */
static bool open_both(const struct planning *planning, const char *name,
                      const struct person_record *person, struct target_list *before,
                      struct target_list *after, struct error *error)
{
    *after = (struct target_list){0};
    return target_list_open(planning->ring, name, person, before, error) &&
           target_list_open(planning->ring, name, person, after, error);
}

bool launchpad_target_fold(const struct planning *planning, const char *name,
                           const struct listing_person *const *seen, size_t count,
                           struct person_record *person, struct buffer *sealed,
                           bool *ret_is_changed, struct error *error)
{
    const struct listing_person *best = choose(seen, count, person->date_created_us);
    struct target_list before, after;
    *ret_is_changed = false;
    if (best == NULL || best->preferred == LISTING_PREFERRED_UNKNOWN)
        return true;
    bool is_open = open_both(planning, name, person, &before, &after, error);
    bool is_broken = !is_open && error->kind == ERROR_INVALID;
    bool is_fine = is_broken || (is_open && fold(planning, name, best, &after, error));
    if (is_open && is_fine && !target_list_equal(&before, &after)) {
        target_list_seal(&after, planning->ring, name, sealed, person);
        *ret_is_changed = true;
    }
    target_list_finish(&before);
    target_list_finish(&after);
    return is_fine;
}

void launchpad_target_put_event(const struct planning *planning, const char *name,
                                const struct person_record *person)
{
    bool is_used = person->target_source == TARGET_SOURCE_LAUNCHPAD;
    struct event_record event = {
        .at_s = planning->now_s,
        .actor = span_of(planning->actor),
        .act = span_of(is_used ? "target.set" : "target.clear"),
        .subject = span_of(name),
        .detail = span_of(target_source_name(TARGET_SOURCE_LAUNCHPAD)),
    };
    changeset_event(planning->changeset, &event);
}
